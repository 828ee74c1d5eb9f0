// Modal views: the top one of a person's stack as a dialog.

import { h } from './dom.mjs';
import { drawBlocks } from './blocks.mjs';
import { busy } from './elements.mjs';
import { reason } from './trouble.mjs';
import { Refused, act } from './server.mjs';

/** Shows the form that is on top, if there is one. The dialog keeps the focus inside it. */
export class Form {
  constructor(pane) {
    this.pane = pane;
    this.shown = null;
    this.inputs = [];
    this.body = h('div', { class: 'dialog-body', tabindex: '-1' });
    this.title = h('h2', { id: `${pane.id}-form-title`, dir: 'auto' });
    this.depth = h('span', { class: 'dialog-depth' });
    this.cross = h('button', { type: 'button', class: 'cross', 'aria-label': 'Close' }, '✕');
    this.close = h('button', { type: 'button', class: 'act plain', 'data-focus': 'form-close' });
    this.submit = h('button', { type: 'submit', class: 'act primary', 'data-focus': 'form-submit' });
    this.trouble = h('p', { class: 'trouble', role: 'alert', hidden: true });
    this.form = h('form', { class: 'dialog-form', novalidate: true },
      h('div', { class: 'dialog-head' }, h('img', { src: '/page/icon.svg', alt: '', width: '24', height: '24' }), this.title, this.depth, this.cross),
      this.trouble, this.body,
      h('div', { class: 'dialog-foot' }, this.close, this.submit));
    this.dialog = h('dialog', { class: 'dialog', 'aria-labelledby': `${pane.id}-form-title` }, this.form);
    this.form.addEventListener('submit', (event) => { event.preventDefault(); this.send(); });
    this.dialog.addEventListener('cancel', (event) => { event.preventDefault(); this.leave(false); });
    this.close.addEventListener('click', () => this.leave(false));
    this.cross.addEventListener('click', () => this.leave(false));
  }

  draw(views) {
    const stack = views.filter((view) => view.kind === 'modal');
    const top = stack.at(-1);
    if (!top) {
      if (this.dialog.open) this.dialog.close();
      if (this.shown) {
        this.shown = null;
        // Where the person was before; if that is gone, where they write.
        const back = this.before?.isConnected ? this.before : this.pane.composer.text;
        back.focus({ preventScroll: true });
      }
      return;
    }
    const version = JSON.stringify([top.id, top.hash, top.errors, stack.length]);
    if (version !== this.version || !this.shown) this.redraw(top, stack.length, version);
    if (!this.dialog.open) {
      this.before = document.activeElement;
      this.dialog.showModal();
      this.focusFirst();
    }
  }

  redraw(view, depth, version) {
    const same = this.shown?.id === view.id;
    const held = same ? this.inputs.map((input) => [input.key, input.read()]) : [];
    const focus = same ? document.activeElement?.closest?.('[data-focus]')?.getAttribute('data-focus') : null;
    this.shown = view;
    this.version = version;
    this.stack = depth;
    this.inputs = [];
    this.title.textContent = view.title;
    this.depth.textContent = depth > 1 ? `${depth} of a stack` : '';
    this.submit.textContent = view.submit ?? 'Submit';
    this.submit.hidden = !view.submit;
    this.close.textContent = view.close ?? (depth > 1 ? 'Back' : view.submit ? 'Cancel' : 'Close');
    this.trouble.hidden = true;
    this.body.replaceChildren(...drawBlocks(view.blocks, this.context(view)).flat(9));
    const state = this.inputs.map((input) => [input.key, heldOf(view.state, input)]);
    for (const [key, value] of [...state, ...held]) {
      const input = this.inputs.find((one) => one.key === key);
      if (input && value !== undefined) input.write(value);
    }
    const wrong = this.body.querySelector('[aria-invalid="true"]');
    if (wrong) (wrong.matches('.ticks') ? wrong.querySelector('input') : wrong)?.focus();
    else if (focus) [...this.dialog.querySelectorAll('[data-focus]')].find((one) => one.getAttribute('data-focus') === focus)?.focus();
    else if (this.dialog.open) this.focusFirst();
  }

  focusFirst() {
    const first = this.body.querySelector('[data-autofocus]') ?? this.body.querySelector('input, textarea, select, button') ?? (this.submit.hidden ? this.close : this.submit);
    first.focus();
  }

  context(view) {
    return {
      ...this.pane.context(),
      id: `f${view.id}`,
      errors: view.errors,
      pressesChoices: (block) => block.type !== 'input' || block.dispatch_action === true,
      reads: (element, block, read, write) => {
        this.inputs.push({ key: `${block.block_id} ${element.action_id}`, block: block.block_id, action: element.action_id, isInput: block.type === 'input', read, write });
      },
      press: (element, block, option) => this.pane.press('modal', element, block, option, this.trouble),
    };
  }

  async send() {
    if (this.submit.getAttribute('aria-busy') === 'true' || this.submit.hidden) return;
    const app = this.pane.sight.app.name;
    const values = Object.fromEntries(this.inputs.filter((input) => input.isInput).map((input) => [input.block, input.read()]));
    this.trouble.hidden = true;
    try {
      const answer = await busy(this.submit, () => act('submit', { user: this.pane.user, values }));
      if (answer.failed === 'incomplete') this.showErrors(answer.errors);
      else if (answer.failed) this.tell(`We had some trouble connecting. Try again? ${reason(answer.failed, app)} (${answer.failed})`);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.tell(error.message);
    }
  }

  /** Errors that the person's own client finds; nothing was sent. */
  showErrors(errors) {
    this.redraw({ ...this.shown, errors }, this.stack, this.version);
  }

  tell(words) {
    this.trouble.textContent = words;
    this.trouble.hidden = false;
  }

  async leave(all) {
    try {
      await act('close', { user: this.pane.user, all });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.tell(error.message);
    }
  }
}

/** What the sandbox holds of an input, in the form that the control takes. */
function heldOf(state, input) {
  const held = state?.[input.block]?.[input.action];
  if (!held) return undefined;
  for (const key of ['value', 'selected_user', 'selected_channel', 'selected_conversation', 'selected_date', 'selected_time', 'selected_users', 'selected_channels', 'selected_conversations']) {
    if (key in held) return held[key] ?? undefined;
  }
  if ('selected_option' in held) return held.selected_option?.value;
  if ('selected_options' in held) return (held.selected_options ?? []).map((one) => one.value);
  return undefined;
}
