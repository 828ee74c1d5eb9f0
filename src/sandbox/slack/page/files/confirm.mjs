// The question that an app may put before a press counts.

import { h } from './dom.mjs';
import { textObject, words } from './text_object.mjs';

/** True at once where the app asks nothing; else what the person answers. */
export async function askToConfirm(confirm, reader) {
  if (!confirm) return true;
  const style = confirm.style === 'danger' ? 'danger' : 'primary';
  const title = h('h2', { id: 'confirm-title' }, words(confirm.title));
  const yes = h('button', { type: 'button', class: `act ${style}` }, words(confirm.confirm) || 'Yes');
  const no = h('button', { type: 'button', class: 'act plain' }, words(confirm.deny) || 'No');
  const dialog = h('dialog', { class: 'dialog small', 'aria-labelledby': 'confirm-title' },
    h('div', { class: 'dialog-head' }, title),
    h('div', { class: 'dialog-body' }, h('p', { dir: 'auto' }, textObject(confirm.text, reader))),
    h('div', { class: 'dialog-foot' }, no, yes));
  const before = document.activeElement;
  document.body.append(dialog);
  const answer = await new Promise((answered) => {
    yes.addEventListener('click', () => answered(true));
    no.addEventListener('click', () => answered(false));
    dialog.addEventListener('cancel', () => answered(false));
    dialog.showModal();
    no.focus();
  });
  dialog.close();
  dialog.remove();
  before?.focus();
  return answer;
}
