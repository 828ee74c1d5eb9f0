// What the checker must let through and what it must refuse. One compiler run judges all samples.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'node:test';
import { check, shown } from './check.mjs';
import {
  BAD_CALLS, BAD_ENVELOPES, actions, button, good, input, letters, many, mrkdwn, open, plain, post, select,
} from './samples.mjs';

const CHECK = fileURLToPath(new URL('check.mjs', import.meta.url));

test('good traffic passes', async () => {
  const { problems, judged } = await check(good);
  assert.deepEqual(problems, []);
  assert.ok(judged >= good.calls.length + good.envelopes.length);
});

test('each bad sample is refused, where and because of what is wrong in it', async (t) => {
  const asRecorded = JSON.parse(JSON.stringify({
    calls: BAD_CALLS.map(([, call]) => call), envelopes: BAD_ENVELOPES.map(([, envelope]) => envelope),
  }));
  const { problems } = await check(asRecorded);
  for (const [group, samples] of [['calls', BAD_CALLS], ['envelopes', BAD_ENVELOPES]]) {
    for (const [index, [what, , at, words]] of samples.entries()) {
      await t.test(what, () => {
        const own = problems.filter((it) => it.source.startsWith(`${group}[${index}] `));
        const said = own.map((it) => `${it.path}: ${it.message}`).join('\n') || 'nothing';
        assert.ok(own.some((it) => it.path === at && words.test(it.message)), `nothing at ${at} says ${words}; said was:\n${said}`);
      });
    }
  }
});

test('what just fits a limit passes', async () => {
  const { problems } = await check({
    calls: [
      post([
        { type: 'section', block_id: letters(255), text: mrkdwn(letters(3000)), fields: many(10, () => mrkdwn(letters(2000))) },
        { type: 'header', text: plain('😀'.repeat(150)) },
        { type: 'context', elements: many(10, () => mrkdwn('x')) },
        actions(...many(25, (i) => button({ action_id: `${i}`, text: plain(letters(75)), value: letters(2000) }))),
        ...many(46, () => ({ type: 'divider' })),
      ]),
      open({
        title: plain(letters(24)), private_metadata: letters(3000),
        blocks: [input(select(100)), input({ type: 'plain_text_input', max_length: 3000 }), ...many(98, () => ({ type: 'divider' }))],
      }),
    ],
  });
  assert.deepEqual(problems, []);
});

test('the command: exit codes, and tokens stay out of what it prints', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'slack-types-'));
  const run = (content) => {
    const file = path.join(folder, 'log.json');
    writeFileSync(file, content);
    return spawnSync(process.execPath, [CHECK, file], { encoding: 'utf8' });
  };
  try {
    assert.match(execFileSync(process.execPath, [CHECK, '-'], { input: JSON.stringify(good), encoding: 'utf8' }), /payloads judged, 0 problems/);

    const empty = run('{"calls": [], "envelopes": []}');
    assert.equal(empty.status, 1);
    assert.match(empty.stdout, /nothing to judge/);

    assert.equal(run(JSON.stringify({ ...good, dropped: 3 })).status, 1);

    const bad = run(JSON.stringify({ calls: [post([{ type: 'header' }], { token: 'xoxb-1-secret' })] }));
    assert.equal(bad.status, 1);
    assert.match(bad.stdout, /calls\[0\] chat\.postMessage at \$\.request\.blocks\[0\]/);
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
