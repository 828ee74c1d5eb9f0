// Usage: node check.mjs FILE   (or - for standard input)
//
// FILE is recorded traffic: {"calls": [{"method", "request", "response"}],
// "envelopes": [{"kind", "payload"}]}. Every request, answer and envelope is judged by Slack's
// published types and by the limits that stand in those types' comments.
//
// Exit code: 0 if all is well, 1 if anything is wrong or there was nothing to judge, 2 if the
// judging itself failed (no such file, no JSON, types not installed).

import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

/** How much of a payload is printed with a problem, in characters. */
const SHOWN = 4000;

/**
 * Judges a log. Returns {problems, notes, judged}: `judged` counts what was held against a type.
 */
export async function check(log) {
  const [{ plan }, { compile }, limits] = await Promise.all([
    import('./plan.mjs'), import('./compile.mjs'), import('./limits.mjs'),
  ]);
  const { checks, problems, notes } = plan(log);
  const once = distinct(checks);
  problems.push(...compile(once));
  for (const one of once) {
    const report = (path, message) => problems.push({ source: one.source, path, message, value: one.value });
    if (one.part === 'blocks') {
      const inView = ['home', 'modal'].includes(one.owner?.type);
      limits.blocks(one.value, inView ? 'view' : 'message', one.path, report);
    } else if (one.part === 'view') {
      limits.view(one.value, one.path, report);
    } else if (one.side === 'request' && one.part === 'whole') {
      limits.request(one.method, one.value, one.path, report);
    }
  }
  return { problems, notes, judged: checks.length };
}

/** The same value held against the same type a thousand times is judged once. */
function distinct(checks) {
  const seen = new Map();
  for (const one of checks) {
    const key = `${one.method} ${one.type} ${one.path} ${JSON.stringify(one.value)}`;
    if (!seen.has(key)) seen.set(key, one);
  }
  return [...seen.values()];
}

function withoutTokens(text) {
  return text.replace(/\bx(ox[a-z]|app)-[\w-]+/g, 'x$1-…');
}

/** A payload as one line without tokens, cut with a word about what is missing. */
export function shown(value) {
  const text = withoutTokens(JSON.stringify(value) ?? 'nothing');
  const letters = [...text];
  if (letters.length <= SHOWN) return text;
  return `${letters.slice(0, SHOWN).join('')}… (${letters.length - SHOWN} more characters)`;
}

async function main(args) {
  if (args.length !== 1) {
    console.error('usage: node check.mjs FILE   (- for standard input)');
    return 2;
  }
  let result;
  try {
    result = await check(JSON.parse(readFileSync(args[0] === '-' ? 0 : args[0], 'utf8')));
  } catch (error) {
    console.error(`nothing was judged: ${error.message}`);
    if (error.code === 'ERR_MODULE_NOT_FOUND') console.error('run scripts/test --install, it brings the packages');
    return 2;
  }
  for (const note of new Set(result.notes)) console.log(`note: ${note}`);
  for (const problem of result.problems) {
    const sentence = `${problem.source} at ${problem.path}: ${problem.message}`;
    console.log(`${withoutTokens(sentence)}\n    ${shown(problem.value)}`);
  }
  if (result.judged === 0) {
    console.log('nothing to judge: the log holds no call and no envelope');
    return 1;
  }
  console.log(`${result.judged} payloads judged, ${result.problems.length} problems`);
  return result.problems.length === 0 ? 0 : 1;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  process.exitCode = await main(process.argv.slice(2));
}
