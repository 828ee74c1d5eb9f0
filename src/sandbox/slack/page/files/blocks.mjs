// Block Kit as Slack's clients draw it.

import { h } from './dom.mjs';
import { drawElement, picture } from './elements.mjs';
import { mrkdwn } from './mrkdwn.mjs';
import { richText } from './rich_text.mjs';
import { textObject, words } from './text_object.mjs';

function section(block, context) {
  const text = block.text ? h('div', { class: 'text', dir: 'auto' }, textObject(block.text, context.reader)) : null;
  const fields = block.fields
    ? h('div', { class: 'fields' }, block.fields.map((field) => h('div', { class: 'field', dir: 'auto' }, textObject(field, context.reader))))
    : null;
  const accessory = block.accessory ? h('div', { class: 'accessory' }, drawElement(block.accessory, block, context)) : null;
  return h('div', { class: 'section' }, h('div', { class: 'section-text' }, text, fields), accessory);
}

function contextLine(block, context) {
  const parts = (block.elements ?? []).map((part) =>
    part.type === 'image' ? picture(part) : h('span', { dir: 'auto' }, textObject(part, context.reader)));
  return h('div', { class: 'context' }, parts);
}

function input(block, context) {
  const id = `${context.id}-${block.block_id}`;
  const error = context.errors?.[block.block_id];
  const hint = block.hint ? h('p', { class: 'hint', id: `${id}-hint`, dir: 'auto' }, words(block.hint)) : null;
  const wrong = error ? h('p', { class: 'wrong', id: `${id}-wrong`, dir: 'auto' }, h('span', { 'aria-hidden': 'true' }, '⚠ '), error) : null;
  const described = [wrong && `${id}-wrong`, hint && `${id}-hint`].filter(Boolean).join(' ') || null;
  const control = drawElement(block.element ?? {}, block, {
    ...context, label: `${id}-label`, controlId: `${id}-control`, describedBy: described, required: false,
  });
  if (error) control.setAttribute('aria-invalid', 'true');
  const isSet = control.classList.contains('ticks');
  const label = h(isSet ? 'span' : 'label', { class: 'label', id: `${id}-label`, for: isSet ? null : `${id}-control` },
    words(block.label), block.optional ? h('span', { class: 'optional' }, ' (optional)') : null);
  return h('div', { class: error ? 'input invalid' : 'input', 'data-block': block.block_id }, label, control, wrong, hint);
}

/** Markdown blocks in the few forms that a chat shows alike; the rest stays text. */
function markdown(block, context) {
  const text = (block.text ?? '').replace(/\*\*(.+?)\*\*/g, '*$1*').replace(/^#{1,6} +(.*)$/gm, '*$1*');
  return h('div', { class: 'text', dir: 'auto' }, mrkdwn(text, context.reader));
}

/** One block. */
export function drawBlock(block, context) {
  switch (block.type) {
    case 'section': return section(block, context);
    case 'header': return h('h2', { class: 'header', dir: 'auto' }, words(block.text));
    case 'divider': return h('hr');
    case 'context': return contextLine(block, context);
    case 'actions': return h('div', { class: 'actions' }, (block.elements ?? []).map((element) => drawElement(element, block, context)));
    case 'rich_text': return h('div', { class: 'rich-text' }, richText(block, context.reader));
    case 'input': return input(block, context);
    case 'image': return picture(block);
    case 'markdown': return markdown(block, context);
    default: return h('p', { class: 'unknown' }, `(a block of the kind ${block.type} is not drawn here)`);
  }
}

/** All blocks. */
export const drawBlocks = (blocks, context) => blocks.map((block) => drawBlock(block, context));
