// Slack's limits, which its types name in comments only. Written apart from the bot's renderer and
// apart from the sandbox, so that a number that is wrong in one of them shows here.
//
// Source of each number: the comments of @slack/types (block-kit/*.d.ts, views.d.ts), except where
// a line names another.

import { step } from './literal.mjs';

const BLOCKS_IN_MESSAGE = 50; // docs: reference/block-kit/blocks
const BLOCKS_IN_VIEW = 100;
const ID = 255;
const TEXT_OBJECT = 3000;

/** Characters as a person counts them: code points, not the halves that JavaScript stores. */
function length(text) {
  return [...text].length;
}

/** Where complaints go; `at` moves along the JSON path. */
class Place {
  constructor(path, report) {
    this.path = path;
    this.report = report;
  }

  at(key) {
    return new Place(step(this.path, key), this.report);
  }

  bad(message) {
    this.report(this.path, message);
  }

  /** A string of `min` to `max` characters; absent is fine, the types say what is required. */
  text(owner, key, max, min = 0) {
    const value = owner?.[key];
    if (typeof value !== 'string') return;
    const n = length(value);
    if (n > max) this.at(key).bad(`${n} characters, ${max} are allowed`);
    if (n < min) this.at(key).bad(`${n} characters, at least ${min} are needed`);
  }

  /** A text object whose text has 1 to `max` characters. */
  textObject(owner, key, max) {
    const value = owner?.[key];
    if (value && typeof value === 'object') this.at(key).text(value, 'text', max, 1);
  }

  /** A list of `min` to `max` things. Gives back its items with their places. */
  list(owner, key, max, min = 1) {
    const value = owner?.[key];
    if (!Array.isArray(value)) return [];
    if (value.length > max) this.at(key).bad(`${value.length} items, ${max} are allowed`);
    if (value.length < min) this.at(key).bad(`${value.length} items, at least ${min} are needed`);
    return value.map((item, index) => [item, this.at(key).at(index)]);
  }
}

function option(item, place) {
  place.textObject(item, 'text', 75);
  place.text(item, 'value', 75, 1);
  place.textObject(item, 'description', 75);
  place.text(item, 'url', 3000);
}

function options(element, place, max) {
  for (const [item, at] of place.list(element, 'options', max)) option(item, at);
  for (const [group, at] of place.list(element, 'option_groups', 100)) {
    at.textObject(group, 'label', 75);
    for (const [item, inner] of at.list(group, 'options', 100)) option(item, inner);
  }
  if (element.options !== undefined && element.option_groups !== undefined) {
    place.bad('options and option_groups exclude each other');
  }
}

const ELEMENTS = {
  button(element, place) {
    place.textObject(element, 'text', 75);
    place.text(element, 'value', 2000);
    place.text(element, 'url', 3000);
    place.text(element, 'accessibility_label', 75);
  },
  checkboxes: (element, place) => options(element, place, 10),
  radio_buttons: (element, place) => options(element, place, 10),
  overflow: (element, place) => options(element, place, 5), // docs: block-elements/overflow-menu
  static_select: (element, place) => options(element, place, 100),
  multi_static_select: (element, place) => options(element, place, 100),
  plain_text_input(element, place) {
    const { min_length: min, max_length: max } = element;
    if (min > 3000) place.at('min_length').bad(`${min}, 3000 is the most`);
    if (max > 3000 || max < 1) place.at('max_length').bad(`${max}, 1 to 3000 are allowed`); // docs: plain-text-input
    if (min > max) place.at('min_length').bad(`${min} is more than max_length ${max}`);
    if (max !== undefined) place.text(element, 'initial_value', max);
  },
  image(element, place) {
    place.text(element, 'alt_text', 2000);
    place.text(element, 'image_url', 3000); // docs: block-elements/image-element
  },
};

function element(item, place) {
  if (item === null || typeof item !== 'object') return;
  place.text(item, 'action_id', ID, 1);
  place.textObject(item, 'placeholder', 150);
  if (item.confirm) {
    const confirm = place.at('confirm');
    confirm.textObject(item.confirm, 'title', 100);
    confirm.textObject(item.confirm, 'text', 300);
    confirm.textObject(item.confirm, 'confirm', 30);
    confirm.textObject(item.confirm, 'deny', 30);
  }
  ELEMENTS[item.type]?.(item, place);
}

function uniqueActions(items) {
  const seen = new Set();
  for (const [item, place] of items) {
    if (item?.action_id === undefined) continue;
    if (seen.has(item.action_id)) place.at('action_id').bad(`${item.action_id} is used twice in this block`);
    seen.add(item.action_id);
  }
}

const BLOCKS = {
  section(block, place) {
    place.textObject(block, 'text', TEXT_OBJECT);
    for (const [field, at] of place.list(block, 'fields', 10)) at.text(field, 'text', 2000, 1);
    if (block.text === undefined && block.fields === undefined) place.bad('a section needs text or fields');
    if (block.accessory) element(block.accessory, place.at('accessory'));
  },
  header: (block, place) => place.textObject(block, 'text', 150),
  context(block, place) {
    for (const [item, at] of place.list(block, 'elements', 10)) {
      at.text(item, 'text', TEXT_OBJECT, 1);
      element(item, at);
    }
  },
  actions(block, place) {
    const items = place.list(block, 'elements', 25);
    for (const [item, at] of items) element(item, at);
    uniqueActions(items);
  },
  input(block, place) {
    place.textObject(block, 'label', 2000);
    place.textObject(block, 'hint', 2000);
    element(block.element, place.at('element'));
  },
  image(block, place) {
    place.text(block, 'alt_text', 2000);
    place.text(block, 'image_url', 3000); // docs: blocks/image-block
    place.textObject(block, 'title', 2000);
  },
};

/** Judges a list of blocks of a message or a view ('message' | 'view'). */
export function blocks(list, surface, path, report) {
  if (!Array.isArray(list)) return;
  const place = new Place(path, report);
  const most = surface === 'view' ? BLOCKS_IN_VIEW : BLOCKS_IN_MESSAGE;
  if (list.length > most) place.bad(`${list.length} blocks, a ${surface} may have ${most}`);
  const ids = new Set();
  let markdown = 0;
  list.forEach((block, index) => {
    if (block === null || typeof block !== 'object') return;
    const at = place.at(index);
    at.text(block, 'block_id', ID, 1);
    if (block.block_id !== undefined) {
      if (ids.has(block.block_id)) at.at('block_id').bad(`${block.block_id} is used twice`);
      ids.add(block.block_id);
    }
    if (block.type === 'markdown' && typeof block.text === 'string') markdown += length(block.text);
    BLOCKS[block.type]?.(block, at);
  });
  if (markdown > 12000) place.bad(`markdown blocks of ${markdown} characters together, 12000 are allowed`);
}

/** Judges a view apart from its blocks. */
export function view(value, path, report) {
  if (value === null || typeof value !== 'object') return;
  const place = new Place(path, report);
  for (const key of ['title', 'submit', 'close']) place.textObject(value, key, 24);
  place.text(value, 'private_metadata', 3000);
  place.text(value, 'callback_id', ID);
  place.text(value, 'external_id', ID); // docs: reference/views
  const asks = Array.isArray(value.blocks) && value.blocks.some((block) => block?.type === 'input');
  if (value.type === 'modal' && asks && value.submit === undefined) {
    place.bad('a modal with an input block needs submit');
  }
}

/** Judges the arguments of a method apart from blocks and views. */
export function request(method, value, path, report) {
  if (value === null || typeof value !== 'object') return;
  const place = new Place(path, report);
  // docs: reference/methods/chat.postMessage; Slack cuts what is longer, a person then misses it.
  place.text(value, 'text', 40000);
  place.text(value, 'markdown_text', 12000);
  if (/^chat\.(post|update|schedule)/.test(method) && Array.isArray(value.blocks) && value.blocks.length > 0) {
    // docs: reference/methods/chat.postMessage: what notifications and screen readers say.
    if (typeof value.text !== 'string' || value.text === '') {
      place.bad('blocks without text: notifications and screen readers have nothing to say');
    }
  }
}
