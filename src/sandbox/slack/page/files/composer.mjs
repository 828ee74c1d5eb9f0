// Where one types: commands and messages.

import { fill, h } from './dom.mjs';
import { reason } from './trouble.mjs';
import { Refused, act } from './server.mjs';

const LINES_MAX = 8;

/** The line at the bottom of a place. What somebody has begun to type stays theirs, in that place. */
export class Composer {
  constructor(pane) {
    this.pane = pane;
    this.drafts = new Map();
    this.history = new Map();
    this.back = 0;
    this.where = null;
    this.text = h('textarea', { rows: '1', 'data-focus': 'composer', dir: 'auto', autocomplete: 'off', spellcheck: 'false', 'aria-describedby': `${pane.id}-hint` });
    this.send = h('button', { type: 'submit', class: 'act primary send' }, 'Send');
    this.hint = h('div', { class: 'composer-hint', id: `${pane.id}-hint` });
    this.element = h('form', { class: 'composer' }, this.hint, h('div', { class: 'composer-row' }, this.text, this.send));
    this.closed = h('p', { class: 'composer-closed', hidden: true });
    this.text.addEventListener('input', () => { this.back = 0; this.typed(); });
    this.text.addEventListener('keydown', (event) => this.key(event));
    this.element.addEventListener('submit', (event) => {
      event.preventDefault();
      this.go();
    });
  }

  get here() { return `${this.pane.user}|${this.pane.place}`; }

  /** Brings it up to date with who is where. */
  draw(sight, place) {
    if (this.where !== this.here) {
      if (this.where !== null) this.drafts.set(this.where, this.text.value);
      this.where = this.here;
      this.text.value = this.drafts.get(this.here) ?? '';
      this.back = 0;
    }
    this.commands = sight.app.commands;
    const name = this.pane.personName();
    const to = place.kind === 'direct' ? sight.app.name : `#${place.name}`;
    this.text.placeholder = `Message ${to}, or type / for commands`;
    this.text.setAttribute('aria-label', `Message ${to} as ${name}`);
    const why = place.archived
      ? 'This channel is archived: nobody can write here.'
      : place.kind !== 'direct' && !place.member
        ? `${name} only looks at this channel and has not joined it.`
        : place.kind === 'direct' && sight.app.read_only
          ? `${sight.app.name} does not take messages here.`
          : '';
    this.closed.textContent = why;
    this.closed.hidden = !why;
    this.element.hidden = Boolean(why);
    this.typed();
  }

  /** Puts a text here, for the person to send. */
  put(text) {
    this.text.value = text;
    this.typed();
    this.text.focus();
    this.text.setSelectionRange(text.length, text.length);
  }

  typed() {
    this.text.rows = Math.min(LINES_MAX, this.text.value.split('\n').length + Math.floor(this.text.value.length / 90));
    const text = this.text.value;
    const [head] = text.split(/\s/);
    const shown = text.startsWith('/') ? (this.commands ?? []).filter((one) => (text === head ? one.command.startsWith(head) : one.command === head)) : [];
    fill(this.hint, shown.map((one) => {
      const pick = h('button', { type: 'button', class: 'quiet command' }, one.command);
      pick.addEventListener('click', () => this.put(`${one.command} `));
      return h('p', {}, text === head && text !== one.command ? pick : h('strong', {}, one.command), ' ', h('span', {}, one.usage_hint), ' ', h('em', {}, one.description));
    }));
  }

  key(event) {
    if (event.isComposing) return;
    if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      this.go();
    } else if (event.key === 'Tab' && !event.shiftKey && /^\/\S*$/.test(this.text.value)) {
      const found = (this.commands ?? []).find((one) => one.command.startsWith(this.text.value) && one.command !== this.text.value);
      if (found) {
        event.preventDefault();
        this.put(`${found.command} `);
      }
    } else if (event.key === 'ArrowUp' && (this.text.value === '' || this.back > 0)) {
      this.recall(1, event);
    } else if (event.key === 'ArrowDown' && this.back > 0) {
      this.recall(-1, event);
    }
  }

  recall(step, event) {
    const lines = this.history.get(this.pane.user) ?? [];
    const back = Math.min(Math.max(this.back + step, 0), lines.length);
    if (back === this.back) return;
    event.preventDefault();
    this.put(back === 0 ? '' : lines[lines.length - back]);
    this.back = back;
  }

  async go() {
    const typed = this.text.value.trim();
    if (!typed || this.text.readOnly) return;
    const { user, place, pane } = { user: this.pane.user, place: this.pane.placeArgument(), pane: this.pane };
    const notesOf = this.here;
    const lines = this.history.get(user) ?? [];
    this.history.set(user, [...lines.filter((line) => line !== typed), typed].slice(-50));
    this.back = 0;
    this.text.readOnly = true;
    this.send.setAttribute('aria-busy', 'true');
    try {
      if (typed.startsWith('/')) {
        const answer = await act('command', { user, place, typed });
        if (answer.failed) {
          const word = typed.split(/\s/)[0];
          const text = answer.failed === 'not_a_command' ? answer.visible_text : `${word} failed with the error \u201c${answer.failed}\u201d`;
          pane.note(notesOf, text, reason(answer.failed, pane.sight.app.name));
        }
      } else {
        await act('say', { user, place, text: typed });
      }
      if (this.here === notesOf) this.text.value = '';
      this.drafts.delete(notesOf);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      pane.note(notesOf, error.message, 'Your text is still here; nothing was sent.');
    } finally {
      this.text.readOnly = false;
      this.send.removeAttribute('aria-busy');
      this.typed();
      pane.toTheEnd();
    }
  }
}
