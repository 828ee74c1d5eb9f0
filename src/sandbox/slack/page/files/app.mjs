// Starts the page and keeps it true: looks again whenever the sandbox says that something changed.

import { DemoConsole } from './console.mjs';
import { Pane } from './pane.mjs';
import { listen } from './server.mjs';
import { theme } from './theme.mjs';

const page = {
  panes: [],
  active: null,
  console: new DemoConsole(),
  element: document.getElementById('panes'),
  status: document.getElementById('status'),

  /** Which pane the console, the address and the shortcuts mean. */
  activate(pane) {
    if (this.active === pane) return;
    this.active = pane;
    for (const one of this.panes) one.element.classList.toggle('active', one === pane);
    this.remember();
    this.console.shows(pane.user, pane.sight);
  },

  /** A pane has drawn what it saw. */
  saw(pane) {
    if (!this.active) this.active = pane;
    const { sight } = pane;
    document.getElementById('team').textContent = sight.team;
    this.told(sight.app.sockets > 0 ? `${sight.app.name} is connected` : `${sight.app.name} is not connected`, sight.app.sockets > 0);
    if (pane === this.active) {
      this.remember();
      const others = sight.people.filter((one) => one.id !== sight.user && one.called > 0);
      document.title = `${others.length > 0 ? `(${others.length}) ` : ''}${pane.personName()} · ${sight.team}`;
      this.console.shows(pane.user, sight);
    }
  },

  told(words, good) {
    if (this.status.textContent !== words) this.status.textContent = words;
    this.status.classList.toggle('bad', !good);
  },

  unreachable(words) { this.told(words, false); },

  /** The address names who looks where, so that a reload shows the same. */
  remember() {
    const words = this.panes.map((pane) => `${pane.user ?? ''}/${pane.place ?? ''}`).join('+');
    if (location.hash !== `#${words}`) history.replaceState(null, '', `#${words}`);
  },

  open(user, place) {
    const pane = new Pane(this, this.panes.length, user || null, place || null);
    this.panes.push(pane);
    this.element.append(pane.element);
    this.element.classList.toggle('two', this.panes.length > 1);
    return pane.look();
  },

  sideBySide(on) {
    const button = document.getElementById('shoulders');
    if (on && this.panes.length < 2) {
      const mine = this.panes[0];
      const other = mine.sight?.people.find((one) => one.id !== mine.user && one.unread > 0) ?? mine.sight?.people.find((one) => one.id !== mine.user);
      this.open(other?.id, null);
    } else if (!on && this.panes.length > 1) {
      this.panes.pop().element.remove();
      this.element.classList.remove('two');
      this.active = null;
      this.activate(this.panes[0]);
    }
    button.setAttribute('aria-pressed', String(this.panes.length > 1));
    this.remember();
  },

  news() {
    for (const pane of this.panes) pane.look();
    this.console.news();
  },
};

page.console.page = page;
theme(document.getElementById('theme'));
document.getElementById('shoulders').addEventListener('click', () => page.sideBySide(page.panes.length < 2));
document.addEventListener('visibilitychange', () => { if (document.visibilityState === 'visible') page.news(); });
document.addEventListener('keydown', (event) => {
  const number = /^Digit([1-9])$/.exec(event.code)?.[1];
  if (!number || !event.altKey || event.ctrlKey || event.metaKey || document.querySelector('dialog[open]')) return;
  const pane = page.active;
  const person = pane?.sight?.people[number - 1];
  if (!person) return;
  event.preventDefault();
  pane.become(person.id);
});

const places = decodeURIComponent(location.hash.slice(1)).split('+').slice(0, 2).map((part) => part.split('/'));
for (const [user, place] of places) await page.open(user, place);
document.getElementById('shoulders').setAttribute('aria-pressed', String(page.panes.length > 1));
listen(() => page.news(), (there) => {
  if (there) page.news();
  else page.told('The sandbox does not answer', false);
});
