// What the checker must let through and what it must refuse. One run of the compiler judges all
// samples; each test then looks at what was said of its own.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'node:test';
import { check, shown } from './check.mjs';
import {
  BAD_CALLS, BAD_ENVELOPES, JUST_FITTING, good,
} from './samples.mjs';

const CHECK = fileURLToPath(new URL('check.mjs', import.meta.url));

const fine = { calls: [...good.calls, ...JUST_FITTING], envelopes: good.envelopes };

/** Fine traffic first, bad samples behind it, as a recording would hold them (nothing undefined). */
const { problems, judged } = await check(JSON.parse(JSON.stringify({
  calls: [...fine.calls, ...BAD_CALLS.map(([, call]) => call)],
  envelopes: [...fine.envelopes, ...BAD_ENVELOPES.map(([, envelope]) => envelope)],
})));

const said = (group, index) => problems.filter((it) => it.source.startsWith(`${group}[${index}] `));

test('good traffic and what just fits a limit pass', () => {
  for (const group of ['calls', 'envelopes']) {
    fine[group].forEach((sample, index) => assert.deepEqual(said(group, index), [], JSON.stringify(sample)));
  }
  assert.ok(judged >= fine.calls.length + fine.envelopes.length + BAD_CALLS.length);
});

for (const [group, samples] of [['calls', BAD_CALLS], ['envelopes', BAD_ENVELOPES]]) {
  samples.forEach(([what, , at, words], index) => test(`refused: ${what}`, () => {
    const own = said(group, fine[group].length + index);
    const heard = own.map((it) => `${it.path}: ${it.message}`).join('\n') || 'nothing';
    assert.ok(own.some((it) => it.path === at && words.test(it.message)), `nothing at ${at} says ${words}; said was:\n${heard}`);
  }));
}

test('the command: exit codes, and tokens stay out of what it prints', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'slack-types-'));
  const run = (content) => {
    const file = path.join(folder, 'log.json');
    writeFileSync(file, content);
    return spawnSync(process.execPath, [CHECK, file], { encoding: 'utf8' });
  };
  try {
    const empty = run('{"calls": [], "envelopes": []}');
    assert.equal(empty.status, 1);
    assert.match(empty.stdout, /nothing to judge/);

    const nowhere = { method: 'chat.postMessage', request: { token: 'xoxb-1-secret', text: 'x' }, response: { ok: true } };
    const bad = run(JSON.stringify({ calls: [nowhere], dropped: 3 }));
    assert.equal(bad.status, 1);
    assert.match(bad.stdout, /log at \$\.dropped: 3 entries/);
    assert.match(bad.stdout, /calls\[0\] chat\.postMessage at \$\.request: .*channel/);
    assert.match(bad.stdout, /xoxb-…/);
    assert.doesNotMatch(bad.stdout, /1-secret/);

    assert.equal(run('no JSON').status, 2);
    assert.equal(spawnSync(process.execPath, [CHECK, path.join(folder, 'absent')]).status, 2);
    assert.equal(spawnSync(process.execPath, [CHECK]).status, 2);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a long payload is cut between letters and says so', () => {
  assert.match(shown({ text: '😀'.repeat(5000) }), /^[^\uFFFD]*… \(\d+ more characters\)$/u);
  assert.equal(shown({ token: 'xapp-1-A-b' }), '{"token":"xapp-…"}');
});
