// One person's chat: who they are, where they look, what they see there and do.

import { fill, h, say } from './dom.mjs';
import { Composer } from './composer.mjs';
import { Form } from './form.mjs';
import { drawBlocks } from './blocks.mjs';
import { drawMessages } from './messages.mjs';
import { reason } from './trouble.mjs';
import { Sidebar, about } from './sidebar.mjs';
import { Refused, act } from './server.mjs';

const NEAR_THE_END_PX = 80;

export class Pane {
  /** `user` and `place` are ids; null: whatever comes first. */
  constructor(page, number, user, place) {
    this.page = page;
    this.id = `pane${number}`;
    this.user = user;
    this.place = place;
    this.placeOf = new Map();
    this.notes = new Map();
    this.namesVersion = 0;
    this.resized = new ResizeObserver(() => { if (this.stays) this.toTheEnd(); });
    this.sidebar = new Sidebar(this, number);
    this.composer = new Composer(this);
    this.form = new Form(this);
    this.heading = h('h1', { dir: 'auto' });
    this.under = h('p', { class: 'place-about' });
    this.menuName = h('span', { class: 'menu-name', dir: 'auto' });
    this.menu = h('button', { type: 'button', class: 'menu', 'aria-expanded': 'false' }, h('span', { 'aria-hidden': 'true' }, '☰'), this.menuName);
    this.menu.addEventListener('click', () => this.showSide(!this.element.classList.contains('side-open')));
    this.scroller = h('div', { class: 'scroller', id: number === 0 ? 'messages' : null, tabindex: '-1' });
    this.more = h('button', { type: 'button', class: 'more', hidden: true }, '↓ New messages');
    this.more.addEventListener('click', () => { this.toTheEnd(); this.composer.text.focus(); });
    this.gone = h('p', { class: 'banner', role: 'status', hidden: true });
    this.element = h('section', { class: 'pane' },
      this.sidebar.element,
      h('div', { class: 'talk' },
        h('header', { class: 'place-head' }, this.menu, h('div', { class: 'place-title' }, this.heading, this.under)),
        this.gone, this.scroller, this.more,
        this.composer.element, this.composer.closed),
      this.form.dialog);
    this.element.addEventListener('keydown', (event) => {
      if (event.key === 'Escape' && this.element.classList.contains('side-open')) {
        this.showSide(false);
        this.menu.focus();
      }
    });
    this.element.addEventListener('focusin', () => page.activate(this));
    this.element.addEventListener('pointerdown', () => page.activate(this));
  }

  showSide(open) {
    this.element.classList.toggle('side-open', open);
    this.menu.setAttribute('aria-expanded', String(open));
    if (open) this.sidebar.element.querySelector('[aria-current="true"]')?.focus();
  }

  /** Becomes another person, who looks where they looked last. */
  become(user) {
    this.showSide(false);
    if (user === this.user) return null;
    this.placeOf.set(this.user, this.place);
    this.user = user;
    this.place = this.placeOf.get(user) ?? null;
    return this.look();
  }

  goTo(place) {
    this.place = place;
    this.showSide(false);
    if (place === 'home') this.openHome();
    return this.look();
  }

  async openHome() {
    try {
      await act('home', { user: this.user });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
    }
  }

  placeArgument() {
    const direct = this.sight?.places.find((one) => one.id === this.place)?.kind === 'direct';
    return direct ? 'direct' : { channel: this.place };
  }

  person() { return this.sight?.people.find((one) => one.id === this.user); }

  personName() { return this.person()?.real_name || this.person()?.name || ''; }

  /** Asks for what there is now and draws it. While one answer is awaited, any number of calls make one more. */
  async look() {
    if (this.looking) {
      this.again = true;
      return this.looking;
    }
    this.looking = (async () => {
      do {
        this.again = false;
        await this.lookOnce();
      } while (this.again);
    })();
    try {
      await this.looking;
    } finally {
      this.looking = null;
    }
  }

  async lookOnce() {
    const [user, place] = [this.user, this.place];
    let sight;
    try {
      sight = await act('sight', { user, place: place && place !== 'home' ? { channel: place } : null });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      // A person may have left, or a place may be hidden from them now.
      if (place) this.place = null;
      else this.user = null;
      if (place || user) this.again = true;
      else this.page.unreachable(error.message);
      return;
    }
    if (this.user !== user || this.place !== place) {
      this.again = true;
      return;
    }
    this.user = sight.user;
    if (!this.place) {
      this.place = firstPlace(sight);
      this.again = this.place !== null;
      if (this.again) return;
    }
    this.draw(sight);
  }

  draw(sight) {
    if (JSON.stringify(this.sight?.names) !== JSON.stringify(sight.names)) this.namesVersion += 1;
    this.sight = sight;
    const person = this.person();
    this.reader = {
      user: sight.user, groups: person?.groups ?? [], zone: person?.tz ?? 'UTC', nowMs: sight.now_ms, names: sight.names, namesVersion: this.namesVersion,
    };
    this.page.saw(this);
    this.element.setAttribute('aria-label', `${this.personName()}\u2019s chat`);
    const place = sight.places.find((one) => one.id === this.place);
    this.sidebar.draw(sight, this.place);
    this.menuName.textContent = this.personName();
    this.menu.title = `People and channels; you are ${this.personName()}`;
    const unread = sight.people.some((one) => one.id !== sight.user && one.unread > 0);
    this.menu.classList.toggle('news', unread);
    this.gone.hidden = sight.app.sockets > 0;
    this.gone.textContent = `${sight.app.name} is not connected: what you do now, it does not hear.`;
    if (this.place === 'home') this.drawHome(sight);
    else if (place) this.drawPlace(sight, place, person);
    this.form.draw(sight.views);
  }

  context() {
    const { sight } = this;
    return {
      id: this.id, reader: this.reader, people: sight.people, places: sight.places,
      pressesChoices: () => true, reads: () => {},
      pressOn: (message, trouble) => (element, block, option) =>
        this.press({ message: { place: this.placeArgument(), ts: message.ts } }, element, block, option, trouble),
    };
  }

  /** Presses something; where the app does not answer, it says so beside it. */
  async press(surface, element, block, option, trouble) {
    trouble.hidden = true;
    const { name } = this.sight.app;
    let words = '';
    try {
      const answer = await act('press', { user: this.user, surface, action_id: element.action_id, block_id: block.block_id, option });
      if (answer.failed) words = `⚠ ${reason(answer.failed, name)} (${answer.failed})`;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      words = error.message;
    }
    trouble.textContent = words;
    trouble.hidden = !words;
  }

  drawPlace(sight, place, person) {
    const direct = place.kind === 'direct';
    this.heading.textContent = direct ? sight.app.name : `${place.kind === 'private' ? '◆ ' : '#'}${place.name}`;
    this.under.textContent = direct
      ? `${sight.app.description || 'Direct messages'}`
      : [place.kind === 'private' ? 'private channel' : 'channel', `${place.members} members`, place.bot_in ? '' : `${sight.app.name} is not in it`].filter(Boolean).join(' · ');
    const where = `${this.user}|${this.place}`;
    const changed = this.shown !== where;
    if (changed) {
      this.shown = where;
      // A list of its own for each place: what stands there already is no news to be read out.
      this.list = h('div', { class: 'messages', role: 'log', tabindex: '0', 'data-focus': 'messages' });
      this.empty = h('div', { class: 'empty' });
      fill(this.scroller, this.list, this.empty);
      this.stays = true;
      this.list.addEventListener('scroll', () => {
        this.stays = this.isAtTheEnd();
        if (this.stays) this.more.hidden = true;
      }, { passive: true });
      // Whoever reads the end still does when the window or the composer changes its size.
      this.resized.disconnect();
      this.resized.observe(this.list);
    }
    this.list.setAttribute('aria-label', `Messages in ${this.heading.textContent}, as ${this.personName()} sees them`);
    const notes = this.notes.get(where) ?? [];
    const atTheEnd = changed || this.stays;
    const before = this.list.childElementCount;
    drawMessages(this.list, sight, notes, this.context());
    const isEmpty = sight.messages.length + notes.length === 0;
    this.list.hidden = isEmpty;
    this.empty.hidden = !isEmpty;
    if (isEmpty) this.drawEmpty(sight, place, person);
    this.composer.draw(sight, place);
    if (atTheEnd) this.toTheEnd();
    else if (this.list.childElementCount > before) this.more.hidden = false;
    this.markRead(place);
  }

  drawEmpty(sight, place, person) {
    const command = sight.app.commands[0]?.command ?? '/';
    const title = place.kind === 'direct' ? `Nothing between ${this.personName()} and ${sight.app.name} yet` : `Nothing in #${place.name} yet`;
    const text = place.kind === 'direct'
      ? `What ${sight.app.name} tells ${this.personName()} privately will stand here.`
      : `Type ${command} below and see what ${sight.app.name} answers.`;
    fill(this.empty, h('p', { class: 'empty-title' }, title), h('p', {}, text),
      person && about(person) ? h('p', { class: 'hint' }, `${this.personName()} is: ${about(person)}`) : null);
  }

  drawHome(sight) {
    this.shown = null;
    this.heading.textContent = `${sight.app.name}: Home`;
    this.under.textContent = sight.app.description;
    this.more.hidden = true;
    this.composer.element.hidden = true;
    this.composer.closed.hidden = true;
    const home = sight.views.find((view) => view.kind === 'home');
    const version = JSON.stringify([this.user, home?.hash, this.namesVersion]);
    if (this.homeVersion === version && this.scroller.querySelector('.home')) return;
    this.homeVersion = version;
    const trouble = h('p', { class: 'trouble', role: 'alert', hidden: true });
    const context = { ...this.context(), id: `${this.id}-home`, press: (element, block, option) => this.press('home', element, block, option, trouble) };
    const focus = document.activeElement?.closest('.home [data-focus]')?.getAttribute('data-focus');
    fill(this.scroller, h('div', { class: 'home', tabindex: '0', 'data-focus': 'home' }, trouble,
      home ? drawBlocks(home.blocks, context) : h('div', { class: 'empty' },
        h('p', { class: 'empty-title' }, `${sight.app.name} has shown nothing here yet`),
        h('p', {}, 'It draws this tab when somebody opens it. If nothing appears, it does not answer.'))));
    if (focus) [...this.scroller.querySelectorAll('[data-focus]')].find((one) => one.getAttribute('data-focus') === focus)?.focus();
  }

  isAtTheEnd() {
    return this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < NEAR_THE_END_PX;
  }

  toTheEnd() {
    this.stays = true;
    if (this.list) this.list.scrollTop = this.list.scrollHeight;
    this.more.hidden = true;
  }

  /** What stands before somebody's eyes is read. */
  async markRead(place) {
    if (place.unread === 0 || document.visibilityState !== 'visible') return;
    try {
      await act('read', { user: this.user, place: { channel: place.id } });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
    }
  }

  /** Something that Slack itself says to this person in this place. */
  note(where, text, why) {
    const ts = ((this.sight?.now_ms ?? 0) / 1000 + (this.notes.get(where)?.length ?? 0) / 1000).toFixed(6);
    this.notes.set(where, [...(this.notes.get(where) ?? []), { ts, text, why }]);
    say(text);
    this.look();
  }

  /** Shows what somebody else is asked to do: that person, that place, those words to send. */
  async prepare(user, placeName, text) {
    if (user) await this.become(user);
    const place = this.sight?.places.find((one) => (placeName ? one.name === placeName : one.kind === 'direct'));
    if (place) await this.goTo(place.id);
    if (text) this.composer.put(text);
  }
}

/** Where a person looks first: what calls them, then what is new, then the first channel. */
function firstPlace(sight) {
  const usable = sight.places.filter((one) => one.kind !== 'direct' || sight.app.messages);
  const joined = usable.filter((one) => one.member && !one.archived);
  const channels = joined.filter((one) => one.kind !== 'direct').sort((a, b) => a.name.localeCompare(b.name));
  const found = joined.find((one) => one.called > 0) ?? joined.find((one) => one.unread > 0) ?? channels[0] ?? joined[0] ?? usable[0];
  return found?.id ?? null;
}
