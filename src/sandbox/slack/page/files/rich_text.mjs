// Rich text as Slack's clients draw it.

import { add, h } from './dom.mjs';
import { slackDate } from './dates.mjs';
import { emoji } from './emoji.mjs';
import { link, mention } from './mrkdwn.mjs';

const STYLES = { bold: 'strong', italic: 'em', strike: 's', code: 'code', underline: 'u' };

function styled(node, style) {
  return Object.entries(STYLES).reduce(
    (inner, [name, tag]) => (style?.[name] ? h(tag, {}, inner) : inner),
    node,
  );
}

function element(part, reader) {
  const made = (node) => styled(node, part.style);
  switch (part.type) {
    case 'text': return made(document.createTextNode(part.text ?? ''));
    case 'link': return made(link(part.url ?? '', part.text || part.url || ''));
    case 'user': return made(mention('@', part.user_id, reader));
    case 'usergroup': return made(mention('@', part.usergroup_id, reader));
    case 'channel': return made(mention('#', part.channel_id, reader));
    case 'broadcast': return made(mention('@!', part.range, reader, part.range));
    case 'emoji': return made(document.createTextNode(part.unicode ? fromCode(part.unicode) : emoji(part.name ?? '')));
    case 'date': {
      const text = slackDate(part.timestamp, part.format ?? '', reader) ?? part.fallback ?? '';
      return made(part.url ? link(part.url, text) : h('time', { class: 'date' }, text));
    }
    case 'color': return made(h('code', {}, part.value ?? ''));
    default: return h('span', { class: 'unknown' }, `(${part.type})`);
  }
}

function fromCode(unicode) {
  const points = unicode.split('-').map((code) => Number.parseInt(code, 16));
  return points.every((code) => code > 0 && code <= 0x10ffff) ? String.fromCodePoint(...points) : '';
}

const inner = (block, reader) => (block.elements ?? []).map((part) => element(part, reader));

function section(block, reader) {
  switch (block.type) {
    case 'rich_text_section': return h('p', { class: 'rich', dir: 'auto' }, inner(block, reader));
    case 'rich_text_quote': return h('blockquote', { dir: 'auto' }, inner(block, reader));
    case 'rich_text_preformatted': return preformatted(inner(block, reader));
    case 'rich_text_list': {
      const list = h(block.style === 'ordered' ? 'ol' : 'ul', {
        class: `rich-list level-${Math.min(Number(block.indent) || 0, 4)}`,
        start: block.style === 'ordered' && block.offset ? Number(block.offset) + 1 : null,
      });
      return add(list, (block.elements ?? []).map((item) => h('li', { dir: 'auto' }, inner(item, reader))));
    }
    default: return h('p', { class: 'unknown' }, `(${block.type} is not drawn here)`);
  }
}

/** Text that is meant to be copied as it is, with a button that does it. */
export function preformatted(children) {
  const text = h('pre', { tabindex: '0' }, children);
  const button = h('button', { type: 'button', class: 'copy', 'data-focus': 'copy' }, 'Copy');
  button.addEventListener('click', () => copy(text.textContent, button));
  return h('div', { class: 'pre-box' }, text, button);
}

/** Copies a text and says so on the button for a moment. */
export async function copy(text, button) {
  const before = button.dataset.label ?? button.textContent;
  button.dataset.label = before;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = 'Copied';
  } catch {
    button.textContent = 'Select it and press Ctrl+C';
  }
  setTimeout(() => { button.textContent = before; }, 2500);
}

/** A `rich_text` block. */
export const richText = (block, reader) => (block.elements ?? []).map((part) => section(part, reader));
