// The list of messages in one place, as one person sees it.

import { count, h, keep, unseen } from './dom.mjs';
import { drawBlocks } from './blocks.mjs';
import { dayLine, day, sentMs, time } from './dates.mjs';
import { mrkdwn } from './mrkdwn.mjs';
import { face } from './sidebar.mjs';

function attachment(one, context) {
  const text = (words) => (words ? h('div', { class: 'text', dir: 'auto' }, mrkdwn(words, context.reader)) : null);
  return h('div', { class: 'attachment' },
    text(one.pretext), one.title ? h('strong', { dir: 'auto' }, one.title) : null, text(one.text),
    drawBlocks(one.blocks ?? [], context), text(one.footer));
}

function content(message, context) {
  const body = message.blocks.length > 0
    ? drawBlocks(message.blocks, context)
    : h('div', { class: 'text', dir: 'auto' }, mrkdwn(message.text, context.reader));
  return [body, message.attachments.map((one) => attachment(one, context))];
}

function drawMessage(message, sight, context, isReply = false) {
  const byApp = message.author === sight.app.user;
  const author = sight.people.find((person) => person.id === message.author);
  const name = byApp ? sight.app.name : author?.real_name || sight.names[message.author] || message.author;
  const at = sentMs(message.ts);
  const trouble = h('p', { class: 'trouble', role: 'alert', hidden: true });
  const own = { ...context, id: `m${message.ts.replace('.', '-')}`, press: context.pressOn(message, trouble) };
  const replies = message.replies ?? [];
  return h('article', { class: message.ephemeral ? 'message private' : 'message', 'data-ts': message.ts },
    message.ephemeral ? h('p', { class: 'only-you' }, h('span', { 'aria-hidden': 'true' }, '◉ '), 'Only visible to you') : null,
    face(sight.people.indexOf(author), name, byApp),
    h('div', { class: 'message-body' },
      h('p', { class: 'who' },
        h('strong', { class: 'author', dir: 'auto' }, name),
        byApp ? h('span', { class: 'app-mark' }, 'APP') : null,
        h('time', { class: 'sent', datetime: new Date(at).toISOString(), title: new Date(at).toISOString() }, time(at, context.reader.zone))),
      content(message, own),
      message.edited ? h('span', { class: 'edited' }, '(edited)') : null,
      trouble,
      isReply || replies.length === 0 ? null : thread(replies, sight, context)));
}

function thread(replies, sight, context) {
  return h('details', { class: 'thread', open: replies.length < 4 },
    h('summary', {}, count(replies.length, 'reply', 'replies'), unseen(' in the thread')),
    h('div', { class: 'replies' }, replies.map((reply) => drawMessage(reply, sight, context, true))));
}

/** What Slack itself says to a person whose command went nowhere. */
function note(one, context) {
  return h('article', { class: 'message private failed', 'data-ts': one.ts },
    h('p', { class: 'only-you' }, h('span', { 'aria-hidden': 'true' }, '◉ '), 'Only visible to you'),
    h('span', { class: 'face tone-slack', 'aria-hidden': 'true' }, '!'),
    h('div', { class: 'message-body' },
      h('p', { class: 'who' }, h('strong', { class: 'author' }, 'Slackbot'),
        h('time', { class: 'sent' }, time(sentMs(one.ts), context.reader.zone))),
      h('p', { class: 'text' }, one.text), one.why ? h('p', { class: 'hint' }, one.why) : null));
}

/** Lays out messages and the sandbox's own notes to this person by time, with a line for each day. */
export function drawMessages(list, sight, notes, context) {
  const { zone, nowMs, namesVersion } = context.reader;
  const today = day(nowMs, zone);
  const items = [];
  const all = [...sight.messages.map((message) => ({ ts: message.ts, message })), ...notes.map((one) => ({ ts: one.ts, note: one }))];
  all.sort((a, b) => (a.ts < b.ts ? -1 : 1));
  let before = '';
  for (const { ts, message, note: told } of all) {
    const on = day(sentMs(ts), zone);
    if (on !== before) {
      before = on;
      items.push({ key: `day-${on}`, version: today, make: () => h('p', { class: 'day' }, h('span', {}, dayLine(sentMs(ts), zone, nowMs))) });
    }
    if (told) items.push({ key: `note-${ts}`, version: '', make: () => note(told, context) });
    else {
      items.push({
        key: ts, version: JSON.stringify([message, today, zone, namesVersion]), make: () => drawMessage(message, sight, context),
      });
    }
  }
  keep(list, items);
}
