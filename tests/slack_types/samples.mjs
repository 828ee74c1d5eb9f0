// Samples for the self-test: what the checker must let through (good.json, as Slack's pages show it)
// and what it must refuse, with where and because of what.

import { readFileSync } from 'node:fs';

export const good = JSON.parse(readFileSync(new URL('good.json', import.meta.url), 'utf8'));

const plain = (text) => ({ type: 'plain_text', text });
const mrkdwn = (text) => ({ type: 'mrkdwn', text });
const post = (blocks, more = {}) => ({
  method: 'chat.postMessage', request: { channel: 'C0APPROVE', text: 'fallback', blocks, ...more }, response: { ok: true },
});
const button = (more = {}) => ({ type: 'button', action_id: 'a', text: plain('Go'), ...more });
const actions = (...elements) => ({ type: 'actions', elements });
const open = (view) => ({
  method: 'views.open',
  request: { trigger_id: '1.2.3', view: { type: 'modal', title: plain('Ask'), submit: plain('Send'), blocks: [], ...view } },
  response: { ok: true },
});
const input = (element) => ({ type: 'input', label: plain('Why'), element });
const option = (more = {}) => ({ text: plain('1h'), value: '1h', ...more });
const select = (n, type = 'static_select') => ({
  type, action_id: 's', options: Array.from({ length: n }, (_, i) => option({ value: `${i}` })),
});
const many = (n, make) => Array.from({ length: n }, (_, i) => make(i));
const letters = (n) => 'ä'.repeat(n);

/** Calls at their limits: one more of anything and they would be refused. */
export const JUST_FITTING = [
  post([
    { type: 'section', block_id: letters(255), text: mrkdwn(letters(3000)), fields: many(10, () => mrkdwn(letters(2000))) },
    { type: 'header', text: plain('😀'.repeat(150)) },
    { type: 'context', elements: many(10, () => mrkdwn('x')) },
    actions(...many(25, (i) => button({ action_id: `${i}`, text: plain(letters(75)), value: letters(2000) }))),
    ...many(46, () => ({ type: 'divider' })),
  ]),
  open({
    title: plain(letters(24)), private_metadata: letters(3000),
    blocks: [input(select(100)), input({ type: 'plain_text_input', max_length: 3000 }), ...many(98, () => ({ type: 'divider' }))],
  }),
];

/** [what is wrong, call, JSON path of the complaint, words in it] */
export const BAD_CALLS = [
  // by the types
  ['a number where text belongs', post([{ type: 'section', text: mrkdwn(3) }]), '$.request.blocks[0].text.text', /TS2322.*number/],
  ['a misspelt property', post([{ type: 'section', txet: mrkdwn('x'), text: mrkdwn('x') }]), '$.request.blocks[0].txet', /TS2353|TS2561/],
  ['a property of another block', post([{ type: 'divider', text: mrkdwn('x') }]), '$.request.blocks[0].text', /TS2353|TS2322/],
  ['a missing field', post([{ type: 'header' }]), '$.request.blocks[0]', /'text' is missing|TS2741|TS2322/],
  ['a block that Slack does not have', post([{ type: 'sektion', text: mrkdwn('x') }]), '$.request.blocks[0].type', /TS2322|TS2820/],
  ['markup in a header', post([{ type: 'header', text: mrkdwn('*x*') }]), '$.request.blocks[0].text.type', /plain_text/],
  ['a style that Slack does not have', post([actions(button({ style: 'warning' }))]), '$.request.blocks[0].elements[0].style', /ColorScheme|primary/],
  ['a message to nowhere', { method: 'chat.postMessage', request: { text: 'x' }, response: { ok: true } }, '$.request', /channel/],
  ['an argument that the method does not have', post([{ type: 'divider' }], { colour: 'red' }), '$.request.colour', /TS2353|TS2322/],
  ['an update without ts', { method: 'chat.update', request: { channel: 'C1', text: 'x' }, response: { ok: true } }, '$.request', /ts/],
  ['nested metadata', post([{ type: 'divider' }], { metadata: { event_type: 'x', event_payload: { a: { b: { c: 1 } } } } }), '$.request.metadata.event_payload.a', /TS2322/],
  ['a modal without title', open({ title: undefined }), '$.request.view', /title/],
  ['an input element outside an input block', open({ blocks: [actions({ type: 'plain_text_input', action_id: 'x' })] }), '$.request.view.blocks[0].elements[0].type', /TS2322|TS2820/],
  ['an attachment with an unknown field', post([], { attachments: [{ colour: '#fff' }] }), '$.request.attachments[0].colour', /TS2561|TS2353/],
  ['a method that Slack does not have', { method: 'chat.shout', request: {}, response: { ok: true } }, '$.request', /ChatShoutArguments/],
  ['a form whose number is none', { method: 'users.list', request: { limit: 'many' }, response: { ok: true } }, '$.request.limit', /TS2322/],
  ['a request that is a list', { method: 'chat.postMessage', request: [], response: { ok: true } }, '$.request', /no object/],
  ['an answer without ok', { method: 'auth.test', request: {}, response: { team: 'x' } }, '$.response', /ok/],
  ['an answer with a wrong type', { method: 'auth.test', request: {}, response: { ok: true, team: 7 } }, '$.response.team', /TS2322/],
  ['an answer with an invented field', { method: 'auth.test', request: {}, response: { ok: true, colour: 'red' } }, '$.response.colour', /TS2353|TS2322/],
  ['wrong blocks in an answer', { method: 'chat.postMessage', request: { channel: 'C1', text: 'x' }, response: { ok: true, message: { blocks: [{ type: 'header', text: 'x' }] } } }, '$.response.message.blocks[0].text', /TS2322/],
  // by the limits
  ['51 blocks', post(many(51, () => ({ type: 'divider' }))), '$.request.blocks', /51 blocks/],
  ['101 blocks in a modal', open({ blocks: many(101, () => ({ type: 'divider' })) }), '$.request.view.blocks', /101 blocks/],
  ['a block_id used twice', post(many(2, () => ({ type: 'divider', block_id: 'x' }))), '$.request.blocks[1].block_id', /twice/],
  ['a long block_id', post([{ type: 'divider', block_id: letters(256) }]), '$.request.blocks[0].block_id', /256 characters, 255/],
  ['a long section', post([{ type: 'section', text: mrkdwn(letters(3001)) }]), '$.request.blocks[0].text.text', /3001 characters, 3000/],
  ['an empty section text', post([{ type: 'section', text: mrkdwn('') }]), '$.request.blocks[0].text.text', /at least 1/],
  ['a section of nothing', post([{ type: 'section' }]), '$.request.blocks[0]', /text or fields/],
  ['11 fields', post([{ type: 'section', fields: many(11, () => mrkdwn('x')) }]), '$.request.blocks[0].fields', /11 items, 10/],
  ['a long field', post([{ type: 'section', fields: [mrkdwn(letters(2001))] }]), '$.request.blocks[0].fields[0].text', /2001 characters, 2000/],
  ['a long header', post([{ type: 'header', text: plain(letters(151)) }]), '$.request.blocks[0].text.text', /151 characters, 150/],
  ['11 context elements', post([{ type: 'context', elements: many(11, () => mrkdwn('x')) }]), '$.request.blocks[0].elements', /11 items, 10/],
  ['26 buttons', post([actions(...many(26, (i) => button({ action_id: `${i}` })))]), '$.request.blocks[0].elements', /26 items, 25/],
  ['no buttons', post([actions()]), '$.request.blocks[0].elements', /0 items, at least 1/],
  ['an action_id used twice', post([actions(button(), button())]), '$.request.blocks[0].elements[1].action_id', /twice/],
  ['a long action_id', post([actions(button({ action_id: letters(256) }))]), '$.request.blocks[0].elements[0].action_id', /256 characters, 255/],
  ['a long button text', post([actions(button({ text: plain(letters(76)) }))]), '$.request.blocks[0].elements[0].text.text', /76 characters, 75/],
  ['a long button value', post([actions(button({ value: letters(2001) }))]), '$.request.blocks[0].elements[0].value', /2001 characters, 2000/],
  ['a long button url', post([actions(button({ url: letters(3001) }))]), '$.request.blocks[0].elements[0].url', /3001 characters, 3000/],
  ['a long confirm title', post([actions(button({ confirm: { title: plain(letters(101)), text: plain('x') } }))]), '$.request.blocks[0].elements[0].confirm.title.text', /101 characters, 100/],
  ['a long confirm text', post([actions(button({ confirm: { text: plain(letters(301)) } }))]), '$.request.blocks[0].elements[0].confirm.text.text', /301 characters, 300/],
  ['a long confirm button', post([actions(button({ confirm: { text: plain('x'), confirm: plain(letters(31)) } }))]), '$.request.blocks[0].elements[0].confirm.confirm.text', /31 characters, 30/],
  ['a long deny button', post([actions(button({ confirm: { text: plain('x'), deny: plain(letters(31)) } }))]), '$.request.blocks[0].elements[0].confirm.deny.text', /31 characters, 30/],
  ['a button in a section, too long', post([{ type: 'section', text: mrkdwn('x'), accessory: button({ value: letters(2001) }) }]), '$.request.blocks[0].accessory.value', /2001/],
  ['101 options', open({ blocks: [input(select(101))] }), '$.request.view.blocks[0].element.options', /101 items, 100/],
  ['6 entries in an overflow menu', post([actions(select(6, 'overflow'))]), '$.request.blocks[0].elements[0].options', /6 items, 5/],
  ['11 checkboxes', open({ blocks: [input(select(11, 'checkboxes'))] }), '$.request.view.blocks[0].element.options', /11 items, 10/],
  ['11 radio buttons', open({ blocks: [input(select(11, 'radio_buttons'))] }), '$.request.view.blocks[0].element.options', /11 items, 10/],
  ['a long option', open({ blocks: [input({ ...select(0), options: [option({ text: plain(letters(76)) })] })] }), '$.request.view.blocks[0].element.options[0].text.text', /76 characters, 75/],
  ['a long option value', open({ blocks: [input({ ...select(0), options: [option({ value: letters(76) })] })] }), '$.request.view.blocks[0].element.options[0].value', /76 characters, 75/],
  ['a long option description', open({ blocks: [input({ ...select(0), options: [option({ description: plain(letters(76)) })] })] }), '$.request.view.blocks[0].element.options[0].description.text', /76 characters, 75/],
  ['a long placeholder', open({ blocks: [input({ type: 'plain_text_input', action_id: 'x', placeholder: plain(letters(151)) })] }), '$.request.view.blocks[0].element.placeholder.text', /151 characters, 150/],
  ['a long label', open({ blocks: [{ ...input({ type: 'plain_text_input' }), label: plain(letters(2001)) }] }), '$.request.view.blocks[0].label.text', /2001 characters, 2000/],
  ['a long hint', open({ blocks: [{ ...input({ type: 'plain_text_input' }), hint: plain(letters(2001)) }] }), '$.request.view.blocks[0].hint.text', /2001 characters, 2000/],
  ['a field that may hold 3001', open({ blocks: [input({ type: 'plain_text_input', max_length: 3001 })] }), '$.request.view.blocks[0].element.max_length', /3001/],
  ['inputs without submit', open({ submit: undefined, blocks: [input({ type: 'plain_text_input' })] }), '$.request.view', /submit/],
  ['a long modal title', open({ title: plain(letters(25)) }), '$.request.view.title.text', /25 characters, 24/],
  ['a long submit', open({ submit: plain(letters(25)) }), '$.request.view.submit.text', /25 characters, 24/],
  ['a long close', open({ close: plain(letters(25)) }), '$.request.view.close.text', /25 characters, 24/],
  ['a long private_metadata', open({ private_metadata: letters(3001) }), '$.request.view.private_metadata', /3001 characters, 3000/],
  ['a long callback_id', open({ callback_id: letters(256) }), '$.request.view.callback_id', /256 characters, 255/],
  ['a long external_id', open({ external_id: letters(256) }), '$.request.view.external_id', /256 characters, 255/],
  ['markdown of 12001 in two blocks', post([{ type: 'markdown', text: letters(12000) }, { type: 'markdown', text: 'x' }]), '$.request.blocks', /12001 characters/],
  ['a long text', { method: 'chat.postMessage', request: { channel: 'C1', text: letters(40001) }, response: { ok: true } }, '$.request.text', /40001 characters, 40000/],
  ['blocks without text', post([{ type: 'divider' }], { text: '' }), '$.request', /notifications/],
];

const slash = good.envelopes.find((it) => it.kind === 'slash_commands').payload;
const press = good.envelopes.find((it) => it.payload.type === 'block_actions').payload;
const homeOpened = good.envelopes.find((it) => it.kind === 'events_api').payload.event;
const submission = good.envelopes.find((it) => it.payload.type === 'view_submission').payload;
const without = (value, key) => Object.fromEntries(Object.entries(value).filter(([name]) => name !== key));

export const BAD_ENVELOPES = [
  ['a command without trigger', { kind: 'slash_commands', payload: without(slash, 'trigger_id') }, '$.payload', /trigger_id/],
  ['a command whose text is none', { kind: 'slash_commands', payload: { ...slash, text: null } }, '$.payload.text', /TS2322/],
  ['a press without container', { kind: 'interactive', payload: without(press, 'container') }, '$.payload', /container/],
  ['a press whose action has no ts', { kind: 'interactive', payload: { ...press, actions: [without(press.actions[0], 'action_ts')] } }, '$.payload.actions[0]', /action_ts/],
  ['a press on wrong blocks', { kind: 'interactive', payload: { ...press, message: { ...press.message, blocks: [{ type: 'header' }] } } }, '$.payload.message.blocks[0]', /text/],
  ['an interaction of no known type', { kind: 'interactive', payload: { type: 'wink' } }, '$.payload.type', /wink/],
  ['an event without id', { kind: 'events_api', payload: { token: 't', team_id: 'T', api_app_id: 'A', type: 'event_callback', event_time: 1, event: homeOpened } }, '$.payload', /event_id/],
  ['an envelope of no known kind', { kind: 'telegram', payload: {} }, '$.kind', /kind/],
  ['a frame whose type is another', { kind: 'slash_commands', payload: { envelope_id: 'e', type: 'interactive', accepts_response_payload: true, payload: slash } }, '$.frame.type', /interactive/],
  ['a frame that does not say whether an answer fits', { kind: 'slash_commands', payload: { envelope_id: 'e', type: 'slash_commands', payload: slash } }, '$.frame', /accepts_response_payload/],
  ['an acknowledgement with wrong blocks', { kind: 'slash_commands', payload: slash, ack: { payload: { blocks: [{ type: 'header' }] } } }, '$.ack.payload.blocks[0]', /text/],
  ['an acknowledgement that is no answer to a form', { kind: 'interactive', payload: submission, ack: { payload: { response_action: 'shout' } } }, '$.ack.payload.response_action', /TS2322/],
  ['an acknowledgement with a long modal title', { kind: 'interactive', payload: submission, ack: { payload: { response_action: 'update', view: { type: 'modal', title: plain(letters(25)), blocks: [] } } } }, '$.ack.payload.view.title.text', /25 characters, 24/],
  ['a disconnect for no known reason', { kind: 'disconnect', payload: { type: 'disconnect', reason: 'tired' } }, '$.payload.reason', /tired/],
];
