// The demo's own console: time, the way in, and what to try. It is there only when `jitbot demo` runs.

import { fill, h, keep, say } from './dom.mjs';
import { copy } from './rich_text.mjs';
import { Refused, consoleAct, consoleState } from './server.mjs';

const LOOK_AGAIN_MS = 2000;
const WIDE = '(min-width: 1100px)';

const LIGHTS = {
  works: { sign: '●', words: 'works now' },
  refused: { sign: '■', words: 'refused' },
  unreachable: { sign: '▲', words: 'can\u2019t be reached' },
  asking: { sign: '○', words: 'asking the server…' },
};

export class DemoConsole {
  constructor() {
    this.element = document.getElementById('console');
    this.toggle = document.getElementById('console-toggle');
    this.toggle.addEventListener('click', () => this.open(this.element.hidden));
    this.user = null;
    this.tried = new Map();
    this.rows = new Map();
  }

  open(open) {
    this.element.hidden = !open;
    this.toggle.setAttribute('aria-expanded', String(open));
    if (open) this.news();
  }

  /** Whose chat is shown; the first time it also learns whether there is a console at all. */
  shows(user, sight) {
    const other = this.user !== user;
    this.user = user;
    this.zone = sight?.people.find((one) => one.id === user)?.tz;
    if (!sight?.console) return;
    if (!this.started) {
      this.started = true;
      this.build();
      this.toggle.hidden = false;
      this.open(window.matchMedia(WIDE).matches);
      setInterval(() => { if (this.isShown()) this.news(); }, LOOK_AGAIN_MS);
    } else if (other) this.news();
  }

  isShown() { return this.started && !this.element.hidden && document.visibilityState === 'visible'; }

  build() {
    this.clock = h('p', { class: 'clock', id: 'engine-time' });
    this.ahead = h('p', { class: 'hint', id: 'engine-ahead' });
    this.waits = h('div', { class: 'waits' });
    this.passing = h('p', { class: 'hint', role: 'status' });
    this.access = h('div', { class: 'access' });
    this.steps = h('ol', { class: 'steps' });
    this.replaced = h('div', { class: 'replaced' });
    const part = (title, ...inside) => h('section', { class: 'console-part' }, h('h2', {}, title), inside);
    fill(this.element,
      part('What to try', this.steps),
      part('The way in', this.access),
      part('Engine time', this.clock, this.ahead, this.waits, this.passing),
      part('This rehearsal', this.replaced));
  }

  /** Asks the demo again. Calls that come meanwhile make one more. */
  async news() {
    if (!this.started || this.element.hidden) return;
    if (this.looking) {
      this.again = true;
      return;
    }
    this.looking = true;
    try {
      do {
        this.again = false;
        const state = await consoleState();
        this.draw(state);
        await this.tryLogin(state);
      } while (this.again);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.passing.textContent = error.message;
    } finally {
      this.looking = false;
    }
  }

  draw(state) {
    this.state = state;
    const zone = this.zone ?? 'UTC';
    this.clock.textContent = new Intl.DateTimeFormat('en-US', { weekday: 'short', hour: 'numeric', minute: '2-digit', second: '2-digit', timeZone: zone }).format(state.engine_now_ms);
    this.ahead.textContent = state.ahead_s === 0 ? 'the same as this machine\u2019s' : `${span(state.ahead_s)} ahead of this machine`;
    this.drawWaits(state);
    if (!this.busy) this.passing.textContent = state.passing ? 'Time passes…' : '';
    keep(this.steps, state.steps.map((step, index) => ({ key: index, version: JSON.stringify(step), make: () => this.step(step) })));
    keep(this.replaced, [{ key: 'all', version: JSON.stringify([state.config, state.replaced, state.server]), make: () => h('div', {},
      h('p', {}, `Config: ${state.config}`),
      h('p', {}, state.server),
      h('details', {}, h('summary', {}, 'Replaced or made up for it'), h('ul', {}, state.replaced.map((one) => h('li', {}, one))))) }]);
    this.drawAccess(state);
  }

  step(step) {
    const go = step.user || step.text
      ? h('button', { type: 'button', class: 'quiet', 'data-focus': 'go' }, step.text ? 'Type it for me' : 'Go there')
      : null;
    go?.addEventListener('click', () => {
      if (window.matchMedia('(max-width: 700px)').matches) this.open(false);
      this.page.active.prepare(step.user, step.place, step.text);
    });
    return h('li', { class: step.done ? 'done' : '', 'data-step': step.key },
      h('span', { class: 'tickmark', 'aria-hidden': 'true' }, step.done ? '✓' : ''),
      h('span', {}, h('span', { class: 'unseen' }, step.done ? 'Done: ' : 'To do: '), step.says, step.text ? h('code', {}, step.text) : null, go && !step.done ? go : null));
  }

  /** The buttons stay the same elements while their words change: a click must not lose its button. */
  drawWaits(state) {
    for (const wait of state.waits) {
      if (!this.rows.has(wait.to)) {
        const button = h('button', { type: 'button', class: 'act plain', 'data-focus': wait.to, 'data-wait': wait.to }, wait.says);
        const what = h('span', { class: 'hint' });
        button.addEventListener('click', () => this.pass(wait.to));
        this.rows.set(wait.to, { button, what });
        this.waits.append(h('div', { class: 'wait' }, button, what));
      }
      const { button, what } = this.rows.get(wait.to);
      button.disabled = state.passing || this.busy === true || wait.in_s === null;
      if (what.textContent !== wait.about) what.textContent = wait.about;
    }
  }

  async pass(to) {
    if (this.busy) return;
    this.busy = true;
    this.passing.textContent = 'Time passes…';
    this.drawWaits(this.state);
    try {
      const state = await consoleAct('pass', { to });
      this.busy = false;
      this.draw(state);
      say(`Engine time is ${this.clock.textContent}`);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.passing.textContent = error.message;
    } finally {
      this.busy = false;
      this.news();
    }
  }

  shown(state) { return state.people.find((one) => one.user === this.user); }

  drawAccess(state) {
    const person = this.shown(state);
    const tried = this.tried.get(this.user);
    const version = JSON.stringify([person, tried]);
    keep(this.access, [{ key: 'access', version, make: () => this.accessOf(person, tried) }]);
  }

  accessOf(person, tried) {
    if (!person) return h('p', { class: 'hint' }, 'The config names no such person, so there is no key for them.');
    const elsewhere = person.elsewhere.map((one) => h('p', { class: 'elsewhere' }, one));
    if (!person.ssh) {
      return h('div', {}, h('p', { class: 'hint' }, `${capital(person.name)} has not been sent a certificate${elsewhere.length > 0 ? ' for this server' : ' yet'}.`), elsewhere);
    }
    const light = LIGHTS[tried?.outcome ?? 'asking'];
    const button = h('button', { type: 'button', class: 'act plain', 'data-focus': 'copy-ssh' }, 'Copy the ssh line');
    button.addEventListener('click', () => copy(person.ssh, button));
    return h('div', {},
      h('p', { class: `light ${tried?.outcome ?? 'asking'}`, id: 'light', role: 'status' },
        h('span', { class: 'light-sign', 'aria-hidden': 'true' }, light.sign),
        h('span', {}, h('strong', {}, `${capital(person.name)}: ${light.words}`))),
      tried?.said ? h('p', { class: 'hint said', dir: 'auto' }, tried.said) : null,
      h('p', { class: 'hint' }, 'The certificate was kept as a person would save it. In a terminal:'),
      h('pre', { class: 'ssh', tabindex: '0', 'aria-label': 'The ssh line' }, person.ssh), button, elsewhere);
  }

  /** Asks the SSH server itself, for the person who is shown. */
  async tryLogin(state) {
    const person = this.shown(state);
    if (!person?.ssh || !this.isShown()) return;
    const { user } = this;
    const answer = await consoleAct('try', { user });
    const before = this.tried.get(user);
    this.tried.set(user, answer);
    if (before?.outcome !== answer.outcome) this.again = true;
    if (this.user === user) this.drawAccess(state);
  }
}

const capital = (name) => name.charAt(0).toUpperCase() + name.slice(1);

/** `1 h 5 min` */
function span(seconds) {
  const [h_, m, s] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), Math.floor(seconds % 60)];
  return [h_ ? `${h_} h` : '', m ? `${m} min` : '', s && !h_ ? `${s} s` : ''].filter(Boolean).join(' ') || '0 s';
}
