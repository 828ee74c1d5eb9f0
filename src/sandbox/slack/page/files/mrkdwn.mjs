// Slack's mrkdwn as elements. Every piece of text goes in as text.

import { h } from './dom.mjs';
import { slackDate } from './dates.mjs';
import { emoji } from './emoji.mjs';

/** Takes back the three characters that Slack wants escaped. */
export const unescaped = (text) =>
  text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');

const LINKED = new Set(['http:', 'https:', 'mailto:', 'tel:']);

/** The address, if it is one that a person may follow; else nothing. */
export function followable(address) {
  let url;
  try {
    url = new URL(address);
  } catch {
    return null;
  }
  return LINKED.has(url.protocol) ? url : null;
}

/** A link, if the address is one that a person may follow; else its label alone. */
export function link(address, label) {
  const url = followable(address);
  if (url === null) return h('span', {}, label);
  return h('a', { href: url.href, target: '_blank', rel: 'noopener noreferrer' }, label);
}

/** Somebody, a group or everybody, as a name that is set apart. */
export function mention(sign, id, reader, label) {
  const name = reader.names[id] ?? label ?? id;
  // People are told apart by id; of a group the person knows the handle.
  const mine = id === reader.user || sign === '@!' || (sign === '@' && reader.groups.includes(name));
  return h('span', { class: mine ? 'mention mine' : 'mention' }, `${sign[0]}${name}`);
}

function sequence(inside, reader) {
  const bar = inside.indexOf('|');
  const head = bar < 0 ? inside : inside.slice(0, bar);
  const label = bar < 0 ? undefined : unescaped(inside.slice(bar + 1));
  if (head.startsWith('@')) return mention('@', head.slice(1), reader, label);
  if (head.startsWith('#')) return mention('#', head.slice(1), reader, label);
  if (head.startsWith('!subteam^')) return mention('@', head.slice(9), reader, label?.replace(/^@/, ''));
  if (head.startsWith('!date^')) {
    const [seconds, pattern = '', target] = head.slice(6).split('^');
    const text = slackDate(seconds, unescaped(pattern), reader) ?? label ?? '';
    return target ? link(unescaped(target), text) : h('time', { class: 'date' }, text);
  }
  if (head.startsWith('!')) return mention('@!', head.slice(1), reader, head.slice(1));
  const address = unescaped(head);
  return link(address, label ?? address.replace(/^mailto:/, ''));
}

const MARKS = { '*': 'strong', _: 'em', '~': 's' };
const WORD = /[\p{L}\p{N}]/u;

/** Where a mark that opens at `at` closes on the same line; -1 if it does not. */
function closes(text, at) {
  const mark = text[at];
  const before = text[at - 1] ?? ' ';
  const next = text[at + 1] ?? ' ';
  if (WORD.test(before) || /\s/.test(next) || next === mark) return -1;
  for (let end = at + 2; end < text.length && text[end] !== '\n'; end += 1) {
    if (text[end] === '<') {
      // A mark inside a sequence is a part of its address or label.
      const over = text.indexOf('>', end);
      if (over < 0) return -1;
      end = over;
    } else if (text[end] === mark && !/\s/.test(text[end - 1]) && !WORD.test(text[end + 1] ?? ' ')) {
      return end;
    }
  }
  return -1;
}

function inline(text, reader) {
  const out = [];
  let plain = '';
  const flush = () => {
    if (plain) out.push(unescaped(plain));
    plain = '';
  };
  for (let at = 0; at < text.length; at += 1) {
    const sign = text[at];
    if (sign === '<') {
      const end = text.indexOf('>', at);
      if (end > 0) {
        flush();
        out.push(sequence(text.slice(at + 1, end), reader));
        at = end;
        continue;
      }
    } else if (sign === '`') {
      const end = text.indexOf('`', at + 1);
      if (end > at + 1 && !text.slice(at, end).includes('\n')) {
        flush();
        out.push(h('code', {}, unescaped(text.slice(at + 1, end))));
        at = end;
        continue;
      }
    } else if (Object.hasOwn(MARKS, sign)) {
      const end = closes(text, at);
      if (end > 0) {
        flush();
        out.push(h(MARKS[sign], {}, inline(text.slice(at + 1, end), reader)));
        at = end;
        continue;
      }
    } else if (sign === ':') {
      const name = /^:([a-z0-9_+-]+):/.exec(text.slice(at, at + 60));
      if (name) {
        plain += emoji(name[1]);
        at += name[0].length - 1;
        continue;
      }
    }
    plain += sign;
  }
  flush();
  return out;
}

function quoted(text, reader) {
  const out = [];
  let quote = [];
  const flush = () => {
    if (quote.length > 0) out.push(h('blockquote', { dir: 'auto' }, inline(quote.join('\n'), reader)));
    quote = [];
  };
  let lines = [];
  const flushLines = () => {
    if (lines.length > 0) out.push(inline(lines.join('\n'), reader));
    lines = [];
  };
  for (const line of text.split('\n')) {
    const mark = /^(&gt;|>) ?/.exec(line);
    if (mark) {
      flushLines();
      quote.push(line.slice(mark[0].length));
    } else {
      flush();
      lines.push(line);
    }
  }
  flush();
  flushLines();
  return out;
}

/** A mrkdwn text as nodes. */
export function mrkdwn(text, reader) {
  const parts = text.split('```');
  // An odd number of fences leaves the last one as it is.
  if (parts.length % 2 === 0) {
    const rest = parts.pop();
    parts.push(`${parts.pop()}\`\`\`${rest}`);
  }
  return parts.map((part, index) => {
    if (index % 2 === 1) return h('pre', { tabindex: '0' }, unescaped(part.replace(/^\n|\n$/g, '')));
    return part === '' ? [] : quoted(part.replace(/^\n|\n$/g, ''), reader);
  });
}
