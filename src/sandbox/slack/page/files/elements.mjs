// Interactive elements: what can be pressed, chosen and filled in.

import { h, unseen } from './dom.mjs';
import { askToConfirm } from './confirm.mjs';
import { followable, link } from './mrkdwn.mjs';
import { textObject, words } from './text_object.mjs';

const groupsOf = (element) => element.option_groups ?? [{ options: element.options ?? [] }];
const optionsOf = (element) => groupsOf(element).flatMap((group) => group.options ?? []);

function button(element, block, context) {
  const label = words(element.text);
  const style = element.style === 'primary' || element.style === 'danger' ? element.style : 'plain';
  const made = h(
    'button',
    { type: 'button', class: `act ${style}`, 'data-focus': element.action_id, 'aria-label': element.accessibility_label },
    h('span', {}, label),
  );
  made.addEventListener('click', async () => {
    if (made.getAttribute('aria-busy') === 'true') return;
    if (!(await askToConfirm(element.confirm, context.reader))) return;
    const url = element.url ? followable(element.url) : null;
    if (url) window.open(url.href, '_blank', 'noopener,noreferrer');
    await busy(made, () => context.press(element, block, null));
  });
  return made;
}

/** Shows that something is under way until it is over. It keeps the focus meanwhile. */
export async function busy(control, work) {
  control.setAttribute('aria-busy', 'true');
  try {
    return await work();
  } finally {
    control.removeAttribute('aria-busy');
  }
}

/** A choice that is pressed as soon as it is made, with the confirmation that the app wants before. */
function pressed(element, block, context, control, value) {
  if (!context.pressesChoices(block)) return;
  control.addEventListener('change', async () => {
    const chosen = value();
    if (chosen === null || chosen === '') return;
    if (!(await askToConfirm(element.confirm, context.reader))) return;
    await busy(control, () => context.press(element, block, chosen));
  });
}

function named(context, name) {
  return { 'aria-label': context.label ? null : name, id: context.controlId ?? null, 'aria-describedby': context.describedBy ?? null };
}

function menu(element, block, context, groups, initial) {
  const placeholder = words(element.placeholder) || 'Choose…';
  const option = (one) => h('option', { value: one.value, selected: one.value === initial }, one.label);
  const control = h(
    'select',
    { ...named(context, placeholder), 'data-focus': element.action_id, required: context.required },
    h('option', { value: '' }, placeholder),
    groups.map((group) => (group.label ? h('optgroup', { label: group.label }, group.options.map(option)) : group.options.map(option))),
  );
  pressed(element, block, context, control, () => control.value);
  context.reads(element, block, () => control.value || null, (held) => { control.value = held ?? ''; });
  return control;
}

const plainOption = (one) => ({ value: one.value, label: words(one.text) });
const peopleOf = (context) => [{ options: context.people.map((one) => ({ value: one.id, label: `@${one.name}` })) }];
const placesOf = (context) => [{
  options: context.places.filter((one) => one.kind !== 'direct').map((one) => ({ value: one.id, label: `#${one.name}` })),
}];

function ticks(element, block, context, kind, options, initial) {
  const name = `${context.id}-${block.block_id}-${element.action_id}`;
  const boxes = options.map((one, index) => {
    const id = `${name}-${index}`;
    const box = h('input', {
      type: kind, name, id, value: one.value, checked: initial.includes(one.value), 'data-focus': `${element.action_id}-${index}`,
    });
    const about = one.description ? h('span', { class: 'option-about' }, textObject(one.description, context.reader)) : null;
    const row = h('div', { class: 'tick' }, box, h('label', { for: id }, one.nodes ?? one.label, about));
    return { box, row };
  });
  const chosen = () => boxes.filter(({ box }) => box.checked).map(({ box }) => box.value);
  const set = h('div', {
    class: 'ticks', role: kind === 'radio' ? 'radiogroup' : 'group',
    'aria-labelledby': context.label ?? null, 'aria-describedby': context.describedBy ?? null,
    'aria-label': context.label ? null : words(element.placeholder) || 'Options',
  }, boxes.map(({ row }) => row));
  if (kind === 'radio') {
    pressed(element, block, context, set, () => chosen()[0] ?? null);
    context.reads(element, block, () => chosen()[0] ?? null, (held) => boxes.forEach(({ box }) => { box.checked = box.value === held; }));
  } else {
    pressed(element, block, context, set, () => chosen().at(-1) ?? null);
    context.reads(element, block, chosen, (held) => boxes.forEach(({ box }) => { box.checked = (held ?? []).includes(box.value); }));
  }
  return set;
}

const richOption = (context) => (one) => ({
  value: one.value, label: words(one.text), nodes: textObject(one.text, context.reader), description: one.description,
});

function overflow(element, block, context) {
  const list = h('ul', { class: 'overflow-list' });
  const details = h('details', { class: 'overflow' }, h('summary', { 'data-focus': element.action_id }, '⋯', unseen('More')), list);
  for (const one of element.options ?? []) {
    const item = h('button', { type: 'button' }, words(one.text));
    item.addEventListener('click', async () => {
      details.open = false;
      if (!(await askToConfirm(element.confirm, context.reader))) return;
      await busy(item, () => context.press(element, block, one.value));
    });
    list.append(h('li', {}, item));
  }
  return details;
}

function typed(element, block, context, kind) {
  const attributes = {
    ...named(context, words(element.placeholder) || 'Text'),
    'data-focus': element.action_id, dir: 'auto', placeholder: words(element.placeholder), required: context.required,
    maxlength: kind === 'text' || kind === 'area' ? element.max_length ?? 3000 : null,
    autocomplete: 'off', 'data-autofocus': element.focus_on_load,
  };
  const control = kind === 'area'
    ? h('textarea', { ...attributes, rows: '4' })
    : h('input', { ...attributes, type: kind, min: element.min_value, max: element.max_value, step: kind === 'number' && element.is_decimal_allowed ? 'any' : null });
  control.value = element.initial_value ?? '';
  context.reads(element, block, () => control.value, (held) => { control.value = held ?? ''; });
  return control;
}

function moment(element, block, context, kind, initial, out = (value) => value) {
  const control = h('input', { ...named(context, words(element.placeholder) || kind), type: kind, 'data-focus': element.action_id, required: context.required });
  control.value = initial ?? '';
  pressed(element, block, context, control, () => out(control.value));
  context.reads(element, block, () => (control.value ? out(control.value) : null), (held) => { control.value = held ?? ''; });
  return control;
}

const values = (list) => (list ?? []).map((one) => one.value);

/** One element of a block. */
export function drawElement(element, block, context) {
  switch (element.type) {
    case 'button': return button(element, block, context);
    case 'overflow': return overflow(element, block, context);
    case 'static_select': {
      const groups = groupsOf(element).map((group) => ({ label: words(group.label), options: (group.options ?? []).map(plainOption) }));
      return menu(element, block, context, groups, element.initial_option?.value);
    }
    case 'users_select': return menu(element, block, context, peopleOf(context), element.initial_user);
    case 'channels_select': return menu(element, block, context, placesOf(context), element.initial_channel);
    case 'conversations_select': return menu(element, block, context, placesOf(context), element.initial_conversation);
    case 'radio_buttons': return ticks(element, block, context, 'radio', (element.options ?? []).map(richOption(context)), values([element.initial_option].filter(Boolean)));
    case 'checkboxes': return ticks(element, block, context, 'checkbox', (element.options ?? []).map(richOption(context)), values(element.initial_options));
    case 'multi_static_select': return ticks(element, block, context, 'checkbox', optionsOf(element).map(plainOption), values(element.initial_options));
    case 'multi_users_select': return ticks(element, block, context, 'checkbox', peopleOf(context)[0].options, element.initial_users ?? []);
    case 'multi_channels_select': return ticks(element, block, context, 'checkbox', placesOf(context)[0].options, element.initial_channels ?? []);
    case 'multi_conversations_select': return ticks(element, block, context, 'checkbox', placesOf(context)[0].options, element.initial_conversations ?? []);
    case 'plain_text_input': return typed(element, block, context, element.multiline ? 'area' : 'text');
    case 'number_input': return typed(element, block, context, 'number');
    case 'email_text_input': return typed(element, block, context, 'email');
    case 'url_text_input': return typed(element, block, context, 'url');
    case 'datepicker': return moment(element, block, context, 'date', element.initial_date);
    case 'timepicker': return moment(element, block, context, 'time', element.initial_time);
    case 'image': return picture(element);
    default: return h('span', { class: 'unknown' }, `(${element.type} is not drawn here)`);
  }
}

/** An image by its words: the page fetches nothing from outside. */
export function picture(image) {
  const address = image.image_url ?? image.slack_file?.url ?? '';
  return h('figure', { class: 'picture' },
    h('span', { class: 'picture-sign', 'aria-hidden': 'true' }, '▧'),
    h('figcaption', {}, words(image.title) || null, image.title ? ' — ' : null, image.alt_text ?? '', ' ',
      address ? link(address, '(image, not loaded here)') : '(image)'));
}
