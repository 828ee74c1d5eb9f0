// A bot for just-in-time access as a competent engineer would write it in a day: @slack/bolt over
// Socket Mode, one table in SQLite, a look at it each second for what has to end. README.md says what
// it does and what it does not.
//
//   node access-bot.mjs CONFIG.json      tokens: SLACK_BOT_TOKEN, SLACK_APP_TOKEN

import { readFileSync } from 'node:fs';
import bolt from '@slack/bolt';
import Database from 'better-sqlite3';

const config = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const approvers = new Set(config.approvers);

const db = new Database(config.database);
db.pragma('journal_mode = WAL');
db.exec(`CREATE TABLE IF NOT EXISTS requests (
  id INTEGER PRIMARY KEY,
  requester TEXT NOT NULL,
  account TEXT NOT NULL,
  resource TEXT NOT NULL,
  seconds INTEGER NOT NULL,
  reason TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'denied', 'active', 'ended', 'failed')),
  decided_by TEXT,
  channel TEXT NOT NULL,
  card_ts TEXT,
  asked_at INTEGER NOT NULL,
  ends_at INTEGER
);
CREATE INDEX IF NOT EXISTS due ON requests (ends_at) WHERE state = 'active';`);

const insert = db.prepare(`INSERT INTO requests (requester, account, resource, seconds, reason, state, channel, asked_at)
  VALUES (?, ?, ?, ?, ?, 'pending', ?, ?)`);
const byId = db.prepare('SELECT * FROM requests WHERE id = ?');
const saveCard = db.prepare('UPDATE requests SET card_ts = ? WHERE id = ?');
const decide = db.prepare(`UPDATE requests SET state = ?, decided_by = ? WHERE id = ? AND state = 'pending'`);
const activate = db.prepare(`UPDATE requests SET state = 'active', ends_at = ? WHERE id = ? AND state = 'approved'`);
const fail = db.prepare(`UPDATE requests SET state = 'failed' WHERE id = ?`);
const finish = db.prepare(`UPDATE requests SET state = 'ended' WHERE id = ? AND state = 'active'`);
const endNow = db.prepare(`UPDATE requests SET ends_at = ? WHERE id = ? AND state = 'active' AND requester = ?`);
const due = db.prepare(`SELECT * FROM requests WHERE state = 'active' AND ends_at <= ?`);
const unfinished = db.prepare(`SELECT * FROM requests WHERE state = 'approved'`);

const app = new bolt.App({
  token: process.env.SLACK_BOT_TOKEN,
  appToken: process.env.SLACK_APP_TOKEN,
  socketMode: true,
  clientOptions: { slackApiUrl: config.apiUrl },
});

const units = { s: 1, m: 60, h: 3600 };
function seconds(text) {
  const found = /^(\d+)([smh])$/.exec(text ?? '');
  return found ? Number(found[1]) * units[found[2]] : undefined;
}

// What people type must not become a mention or a link.
const plain = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

function card(row) {
  const about = `<@${row.requester}> asks for *${row.resource}* for ${row.seconds} s (#${row.id})`;
  const lines = {
    pending: 'Waits for an approver.',
    approved: `Approved by <@${row.decided_by}>.`,
    denied: `Denied by <@${row.decided_by}>.`,
    active: `Approved by <@${row.decided_by}>. Ends <!date^${Math.floor(row.ends_at / 1000)}^{time_secs}|soon>.`,
    ended: `Approved by <@${row.decided_by}>. Ended.`,
    failed: `Approved by <@${row.decided_by}>, but it could not be given.`,
  };
  const blocks = [
    { type: 'section', text: { type: 'mrkdwn', text: `${about}\n>${plain(row.reason)}` } },
    { type: 'context', elements: [{ type: 'mrkdwn', text: lines[row.state] }] },
  ];
  if (row.state === 'pending') {
    blocks.push({
      type: 'actions',
      elements: [
        { type: 'button', action_id: 'approve', style: 'primary', text: { type: 'plain_text', text: 'Approve' }, value: String(row.id) },
        { type: 'button', action_id: 'deny', style: 'danger', text: { type: 'plain_text', text: 'Deny' }, value: String(row.id) },
      ],
    });
  }
  return { text: `${about}: ${lines[row.state]}`, blocks };
}

async function redraw(id) {
  const row = byId.get(id);
  if (row.card_ts) await app.client.chat.update({ channel: row.channel, ts: row.card_ts, ...card(row) });
}

const tell = (user, text) => app.client.chat.postMessage({ channel: user, text });

async function target(method, row) {
  const answer = await fetch(`${config.targetUrl}/access`, {
    method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ account: row.account, resource: row.resource, request: row.id, ends_at: row.ends_at }),
    signal: AbortSignal.timeout(10_000),
  });
  if (!answer.ok) throw new Error(`the target answers ${answer.status}`);
  await answer.arrayBuffer();
}

app.command('/jit', async ({ command, ack }) => {
  const [verb, name, duration, ...rest] = command.text.trim().split(/\s+/);
  if (verb === 'done') {
    const changed = endNow.run(Date.now(), Number(name?.replace('#', '')), command.user_id).changes;
    await ack(changed ? 'It is being taken away.' : 'You hold no such access.');
    return;
  }
  if (verb !== 'request') {
    await ack('`/jit request <resource> <duration> <reason>` or `/jit done <number>`');
    return;
  }
  const resource = config.resources[name];
  const account = config.people[command.user_id];
  const length = seconds(duration);
  const reason = rest.join(' ').slice(0, 500);
  if (!resource || !account || !length || length > resource.maxSeconds || !reason) {
    await ack('That can not be asked for: `/jit request <resource> <duration> <reason>`');
    return;
  }
  const { lastInsertRowid } = insert.run(command.user_id, account, name, length, reason, resource.channel, Date.now());
  const id = Number(lastInsertRowid);
  // In the acknowledgement: one message less than respond(), and sooner there.
  await ack({ response_type: 'ephemeral', text: `Asked for *${name}* (#${id}). It waits for an approver.` });
  const posted = await app.client.chat.postMessage({ channel: resource.channel, ...card(byId.get(id)) });
  saveCard.run(posted.ts, id);
});

async function give(row) {
  const endsAt = Date.now() + row.seconds * 1000;
  try {
    await target('POST', { ...row, ends_at: endsAt });
  } catch (error) {
    app.logger.error(`#${row.id} could not be given: ${error}`);
    fail.run(row.id);
    // It may have been given all the same.
    await target('DELETE', row).catch(() => {});
    await redraw(row.id);
    await tell(row.requester, `*${row.resource}* (#${row.id}) could not be given.`);
    return;
  }
  activate.run(endsAt, row.id);
  await Promise.all([redraw(row.id), tell(row.requester, `*${row.resource}* (#${row.id}) works now, for ${row.seconds} s.`)]);
}

app.action(/^(approve|deny)$/, async ({ action, body, ack, respond }) => {
  await ack();
  const row = byId.get(Number(action.value));
  const who = body.user.id;
  if (!row || !approvers.has(who) || row.requester === who) {
    await respond({ response_type: 'ephemeral', replace_original: false, text: 'You can not decide this one.' });
    return;
  }
  const state = action.action_id === 'approve' ? 'approved' : 'denied';
  if (decide.run(state, who, row.id).changes === 0) {
    await respond({ response_type: 'ephemeral', replace_original: false, text: 'It was decided already.' });
    return;
  }
  if (state === 'approved') {
    await give(row);
  } else {
    await Promise.all([redraw(row.id), tell(row.requester, `*${row.resource}* (#${row.id}) was denied.`)]);
  }
});

const ending = new Set();
async function end(row) {
  if (ending.has(row.id)) return;
  ending.add(row.id);
  try {
    await target('DELETE', row);
    finish.run(row.id);
    await Promise.all([redraw(row.id), tell(row.requester, `*${row.resource}* (#${row.id}) has ended.`)]);
  } catch (error) {
    // The next look tries again.
    app.logger.error(`#${row.id} could not be ended: ${error}`);
  } finally {
    ending.delete(row.id);
  }
}

await app.start();
// What an earlier process approved and did not give any more.
for (const row of unfinished.all()) void give(row);
setInterval(() => {
  for (const row of due.all(Date.now())) void end(row);
}, 1000);

process.on('SIGTERM', async () => {
  await app.stop();
  db.close();
  process.exit(0);
});
