// Who one is, and where one looks: people, channels, the app.

import { count, h, keep, unseen } from './dom.mjs';

/** A picture for somebody: their first letter on a tone of their own, or the app's sign. */
export function face(number, name, app = false) {
  if (app) return h('img', { class: 'face', src: '/page/icon.svg', alt: '', width: '36', height: '36' });
  const tone = Math.max(number, 0) % 6;
  const letter = [...(name || '?')][0].toUpperCase();
  return h('span', { class: `face tone-${tone}`, 'aria-hidden': 'true' }, letter);
}

function badge(unread, called) {
  if (unread === 0) return null;
  const spoken = called > 0 ? `, ${count(unread, 'unread message')}, ${called} for them` : `, ${count(unread, 'unread message')}`;
  return h('span', { class: called > 0 ? 'badge called' : 'badge' }, h('span', { 'aria-hidden': 'true' }, unread > 99 ? '99+' : unread), unseen(spoken));
}

/** What somebody does, as far as it is known. */
export function about(person) {
  return [person.title, person.groups.map((group) => `@${group}`).join(' '), person.guest ? 'guest' : '']
    .filter(Boolean)
    .join(' · ');
}

function personItem(person, chosen, choose, index) {
  const shortcut = index < 9 ? `Alt+${index + 1}` : null;
  const button = h('button', {
    type: 'button', class: 'side-item person', 'data-focus': `person-${person.id}`, 'data-person': person.name,
    'aria-current': chosen ? 'true' : null, 'aria-keyshortcuts': shortcut,
    title: shortcut ? `${about(person) || person.name} (${shortcut})` : about(person),
  },
    face(index, person.real_name || person.name),
    h('span', { class: 'side-text' },
      h('span', { class: 'side-name', dir: 'auto' }, person.real_name || person.name),
      h('span', { class: 'side-about', dir: 'auto' }, about(person) || `@${person.name}`)),
    badge(person.unread, person.called));
  button.addEventListener('click', () => choose(person.id));
  return h('li', {}, button);
}

const SIGNS = { public: '#', private: '◆', direct: '●', home: '⌂' };

function placeItem(place, label, chosen, choose) {
  const spoken = { private: 'private channel ', public: 'channel ' }[place.kind] ?? '';
  const notes = [place.archived ? 'archived' : '', place.member || place.kind === 'direct' ? '' : 'not joined'].filter(Boolean).join(', ');
  const button = h('button', {
    type: 'button', class: place.unread > 0 ? 'side-item place new' : 'side-item place', 'data-focus': `place-${place.id}`,
    'data-place': place.kind === 'direct' ? 'direct' : place.name, 'aria-current': chosen ? 'page' : null,
  },
    h('span', { class: 'side-sign', 'aria-hidden': 'true' }, SIGNS[place.kind] ?? '#'),
    unseen(spoken),
    h('span', { class: 'side-name', dir: 'auto' }, label),
    notes ? h('span', { class: 'side-about' }, notes) : null,
    badge(place.unread, place.called));
  button.addEventListener('click', () => choose(place.id));
  return h('li', {}, button);
}

/** The column at the side; `draw(sight, place)` brings it up to date. */
export class Sidebar {
  constructor(pane, number) {
    this.pane = pane;
    const list = () => h('ul', { class: 'side-list' });
    [this.people, this.channels, this.apps] = [list(), list(), list()];
    this.element = h('nav', { class: 'side', 'aria-label': number === 0 ? 'People and channels' : 'People and channels of the second chat' },
      h('h2', {}, 'You are'), this.people,
      h('h2', {}, 'Channels'), this.channels,
      h('h2', {}, 'Apps'), this.apps);
  }

  draw(sight, here) {
    const choosePerson = (id) => this.pane.become(id);
    const choosePlace = (id) => this.pane.goTo(id);
    keep(this.people, sight.people.map((person, index) => {
      const chosen = person.id === sight.user;
      return { key: person.id, version: JSON.stringify([person, chosen, index]), make: () => personItem(person, chosen, choosePerson, index) };
    }));
    const place = (one, label) => {
      const chosen = one.id === here;
      return { key: one.id, version: JSON.stringify([one, label, chosen]), make: () => placeItem(one, label, chosen, choosePlace) };
    };
    const channels = sight.places.filter((one) => one.kind === 'public' || one.kind === 'private');
    channels.sort((a, b) => a.name.localeCompare(b.name));
    keep(this.channels, channels.map((one) => place(one, one.name)));
    const direct = sight.places.filter((one) => one.kind === 'direct');
    const home = { id: 'home', kind: 'home', name: 'home', unread: 0, called: 0, member: true };
    const apps = sight.app.messages ? direct.map((one) => place(one, sight.app.name)) : [];
    keep(this.apps, [...apps, ...(sight.app.home ? [place(home, `${sight.app.name}: Home`)] : [])]);
  }
}
