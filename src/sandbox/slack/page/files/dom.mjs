// Building and keeping elements. Text enters the page here and nowhere else, always as text.

/**
 * An element. Strings and numbers among the children become text nodes; null and false are left out.
 * `on…` properties are listeners, the others attributes (false and null: none, true: empty).
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  add(element, children);
  return element;
}

/** Appends children as `h` does. */
export function add(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return element;
}

/** Replaces everything inside an element. */
export function fill(element, ...children) {
  element.replaceChildren();
  return add(element, children);
}

const drawn = new WeakMap();

/**
 * Makes an element hold these items in this order: `{ key, version, make }`. What stands there already
 * with the same key and version stays as it is, with its focus, scroll position and open menus. Where
 * something is drawn anew, what had the focus hands it to its counterpart, by the `data-focus` name.
 */
export function keep(parent, items) {
  const before = drawn.get(parent) ?? new Map();
  const now = new Map();
  let focus = null;
  for (const { key, version, make } of items) {
    const kept = before.get(key);
    if (kept?.version === version) {
      now.set(key, kept);
      continue;
    }
    const element = make();
    if (kept) focus ??= counterpart(kept.element, element);
    now.set(key, { version, element });
  }
  const stays = new Set([...now.values()].map((one) => one.element));
  for (const { element } of before.values()) {
    if (!stays.has(element)) element.remove();
  }
  let at = parent.firstElementChild;
  for (const { element } of now.values()) {
    if (at === element) at = at.nextElementSibling;
    else parent.insertBefore(element, at);
  }
  drawn.set(parent, now);
  focus?.focus({ preventScroll: true });
}

function counterpart(old, made) {
  const focused = document.activeElement;
  if (!focused || !old.contains(focused)) return null;
  const name = focused.closest('[data-focus]')?.getAttribute('data-focus');
  if (!name) return null;
  const all = [made, ...made.querySelectorAll('[data-focus]')];
  return all.find((one) => one.getAttribute('data-focus') === name) ?? null;
}

/** Words for those who can't see what changed. */
export function say(words) {
  const said = document.getElementById('said');
  said.textContent = '';
  said.textContent = words;
}

/** `1 message`, `2 messages`. */
export function count(number, one, many = `${one}s`) {
  return `${number} ${number === 1 ? one : many}`;
}

/** Text that only a screen reader reads. */
export function unseen(text) {
  return h('span', { class: 'unseen' }, text);
}
