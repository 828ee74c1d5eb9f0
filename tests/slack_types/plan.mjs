// Decides which published type each recorded value has to satisfy.

import { step } from './literal.mjs';

/**
 * Arguments that the types call numbers or booleans. A form or a query carries them as words, so
 * there, and only there, they are read back before they are judged.
 */
const READ_BACK = new Set([
  'exclude_archived', 'include_all_metadata', 'include_count', 'include_disabled',
  'include_locale', 'include_num_members', 'include_users', 'inclusive', 'limit',
  'link_names', 'mrkdwn', 'prevent_creation', 'reply_broadcast', 'return_im',
  'unfurl_links', 'unfurl_media',
]);

/** Arguments that a form carries as JSON in a word. */
const JSON_IN_FORM = new Set(['attachments', 'blocks', 'metadata', 'view']);

/**
 * Fields of payloads that Slack's pages show as null though the types only know them as absent.
 * In answers any field may be null: their types were derived from samples and can't say so.
 */
const NULL_MEANS_ABSENT = new Set(['enterprise']);

/**
 * Fields of payloads that Slack sends though Bolt's types don't know them: `*` is any place of a
 * list. They are left out of the judgement, and a note says so each time.
 */
const BEYOND_TYPES = {
  // in recorded payloads, beside name
  'Bolt.ViewSubmitAction': [['user', 'username']],
  'Bolt.ViewClosedAction': [['user', 'username']],
  // an action repeats the style of its button
  'Bolt.BlockAction': [['actions', '*', 'style']],
};

/** Types of what is no Web API method but is recorded like one. */
const SPECIAL = {
  response_url: { request: 'Bolt.RespondArguments', response: null },
};

/**
 * What is recorded of a Socket Mode frame: its kind, and the type of its payload. A kind without
 * published type stands here with null and the fields that Slack's page on Socket Mode shows.
 */
const ENVELOPES = {
  slash_commands: { type: () => 'Bolt.SlashCommand' },
  events_api: { type: () => 'EventsApi' },
  interactive: {
    type: (payload) => ({
      // Only a message has an address to answer to (interactivity/handling-user-interaction).
      block_actions: payload?.container?.type === 'view' ? 'BlockActionInView' : 'Bolt.BlockAction',
      view_submission: 'Bolt.ViewSubmitAction',
      view_closed: 'Bolt.ViewClosedAction',
      shortcut: 'Bolt.GlobalShortcut',
      message_action: 'Bolt.MessageShortcut',
    })[payload?.type],
  },
  hello: { type: () => 'Hello' },
  disconnect: { type: () => 'Disconnect' },
};

/** Source that every generated file begins with. */
export const PRELUDE = `
import type * as Slack from '@slack/types';
import type * as Api from '@slack/web-api';
import type * as Bolt from '@slack/bolt/dist/types/index';

// The response types name their words in enums, which no literal satisfies: a template of T is the word.
// Their fields are all optional, since refusals and successes share one type.
type Words<T> =
  T extends string ? (string extends T ? T : \`\${T}\`)
  : T extends number | boolean | null | undefined ? T
  : T extends (infer U)[] ? Words<U>[]
  : T extends object ? { [K in keyof T]: Words<T[K]> }
  : T;
type Answer<T> = Words<T> & { ok: boolean };
type EventsApi = {
  token: string; team_id: string; api_app_id: string; type: 'event_callback';
  event: Slack.SlackEvent; event_id: string; event_time: number;
  context_team_id?: string; context_enterprise_id?: string | null;
  authorizations?: {
    enterprise_id: string | null; team_id: string | null; user_id: string;
    is_bot: boolean; is_enterprise_install?: boolean;
  }[];
  is_ext_shared_channel?: boolean; event_context?: string;
};
type BlockActionInView = Omit<Bolt.BlockAction, 'response_url'>;
type Hello = {
  type: 'hello'; num_connections: number; connection_info: { app_id: string };
  debug_info?: { host: string; started?: string; build_number?: number; approximate_connection_time?: number };
};
type Disconnect = {
  type: 'disconnect';
  reason: 'warning' | 'refresh_requested' | 'link_disabled' | 'too_many_websockets';
  debug_info?: { host: string };
};
type Frame = {
  envelope_id: string; type: 'slash_commands' | 'interactive' | 'events_api';
  accepts_response_payload: boolean; payload: never;
  retry_attempt?: number; retry_reason?: string;
};
`;

/** chat.postMessage -> ChatPostMessage, the stem of its types' names. */
function stem(method) {
  return method.split('.').map((word) => word[0].toUpperCase() + word.slice(1)).join('');
}

function readBack(request) {
  const read = {};
  for (const [key, value] of Object.entries(request)) {
    if (typeof value === 'string' && READ_BACK.has(key) && /^(true|false|\d+)$/.test(value)) {
      read[key] = JSON.parse(value);
    } else if (typeof value === 'string' && JSON_IN_FORM.has(key)) {
      try {
        read[key] = JSON.parse(value);
      } catch {
        read[key] = value; // no JSON: the type will say so
      }
    } else {
      read[key] = value;
    }
  }
  return read;
}

function withoutNulls(value, dropped) {
  if (Array.isArray(value)) return value.map((item) => withoutNulls(item, dropped));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value)
    .filter(([key, item]) => !(item === null && dropped(key)))
    .map(([key, item]) => [key, withoutNulls(item, dropped)]));
}

/** The value at `steps`, if there is one. */
function at(value, steps) {
  return steps.reduce((inner, key) => inner?.[key], value);
}

/** A copy of a payload without the field at `steps`; the same payload if it has none. */
function without(value, steps) {
  const [key, ...rest] = steps;
  if (value === null || typeof value !== 'object') return value;
  if (key === '*') return Array.isArray(value) ? value.map((item) => without(item, rest)) : value;
  if (!(key in value)) return value;
  const { [key]: inner, ...others } = value;
  return rest.length === 0 ? others : { ...others, [key]: without(inner, rest) };
}

/**
 * Finds every list of blocks, every attachment and, in requests, every view below `value`.
 *
 * The types of whole requests accept any block (`KnownBlock | Block`), so these are judged on
 * their own and left as holes in what surrounds them.
 */
function parts(value, path, inRequest, found) {
  if (value === null || typeof value !== 'object') return;
  for (const [name, item] of Object.entries(value)) {
    const key = Array.isArray(value) ? Number(name) : name;
    const at = step(path, key);
    if (key === 'blocks') {
      found.push({ type: 'Slack.KnownBlock[]', part: 'blocks', value: item, path: at, owner: value });
    } else {
      if (inRequest && key === 'view') {
        found.push({ type: 'Slack.View', part: 'view', value: item, path: at });
      } else if (inRequest && key === 'attachments') {
        found.push({ type: 'Slack.MessageAttachment[]', part: 'attachments', value: item, path: at });
      }
      parts(item, at, inRequest, found);
    }
  }
}

function judge(checks, source, method, side, type, value, root, inRequest) {
  const found = [];
  parts(value, root, inRequest, found);
  const holes = new Set(found.map((part) => part.path));
  checks.push({ source, method, side, type, value, path: root, holes, part: 'whole' });
  for (const part of found) {
    const inner = new Set([...holes].filter((path) => path !== part.path));
    checks.push({ source, method, side, ...part, holes: inner });
  }
}

/**
 * Lists everything that has to be judged in a log.
 *
 * Returns `checks` ({source, method, side, type, value, path, holes, part}), `problems` that need no
 * compiler, and `notes` on what has no published type.
 */
export function plan(log) {
  const checks = [];
  const problems = [];
  const notes = [];
  const bad = (source, path, message, value) => problems.push({ source, path, message, value });

  if (log.dropped > 0) bad('log', '$.dropped', `${log.dropped} entries were let go before they could be judged`, log.dropped);
  for (const [index, call] of (log.calls ?? []).entries()) {
    const source = `calls[${index}] ${call?.method ?? ''}`.trim();
    if (typeof call?.method !== 'string' || call.method === '') {
      bad(source, '$.method', 'a call without a method', call);
      continue;
    }
    const special = SPECIAL[call.method];
    const request = call.request ?? {};
    if (typeof request !== 'object' || Array.isArray(request)) {
      bad(source, '$.request', 'the request is no object', request);
    } else {
      const type = special ? special.request : `Api.${stem(call.method)}Arguments`;
      judge(checks, source, call.method, 'request', type, readBack(request), '$.request', true);
    }
    if (special) continue;
    if (call.response === null || typeof call.response !== 'object') {
      notes.push(`${call.method}: no answer of Slack's form was recorded (a staged fault), only the request was judged`);
    } else {
      const type = `Answer<Api.${stem(call.method)}Response>`;
      judge(checks, source, call.method, 'response', type, withoutNulls(call.response, () => true), '$.response', false);
    }
  }

  for (const [index, envelope] of (log.envelopes ?? []).entries()) {
    const kind = ENVELOPES[envelope?.kind];
    const source = `envelopes[${index}] ${envelope?.kind ?? ''}`.trim();
    if (!kind) {
      bad(source, '$.kind', 'an envelope of a kind that Slack does not have', envelope);
      continue;
    }
    let payload = envelope.payload;
    if (payload?.envelope_id !== undefined) {
      // The whole frame was recorded: judge it around its payload.
      checks.push({
        source, method: envelope.kind, side: 'frame', type: 'Frame', value: payload, path: '$.frame', holes: new Set(['$.frame.payload']), part: 'whole',
      });
      if (payload.type !== envelope.kind) bad(source, '$.frame.type', `the frame says ${payload.type}`, payload);
      payload = payload.payload;
    }
    const type = kind.type(payload);
    if (type === undefined) {
      bad(source, '$.payload.type', `no published type for an interactive payload of type ${payload?.type}`, payload);
    } else {
      let known = withoutNulls(payload, (key) => NULL_MEANS_ABSENT.has(key));
      for (const steps of BEYOND_TYPES[type] ?? []) {
        const less = without(known, steps);
        if (JSON.stringify(less).length < JSON.stringify(known).length) {
          notes.push(`${type} does not know ${steps.join('.')}, so that field was not judged`);
        }
        known = less;
      }
      // A Home tab that comes with an event: the types want a modal's title of it, or know nothing
      // but what was published. Its blocks are judged all the same.
      const home = [['view'], ['event', 'view']].find((steps) => at(known, steps)?.type === 'home');
      if (home !== undefined) {
        notes.push(`${type} does not know ${home.join('.')} of a Home tab, so only its blocks were judged`);
        const path = `$.payload.${home.join('.')}.blocks`;
        checks.push({
          source, method: envelope.kind, side: 'payload', type: 'Slack.KnownBlock[]', part: 'blocks', value: at(known, home).blocks, path, owner: at(known, home), holes: new Set(),
        });
        known = without(known, home);
      }
      judge(checks, source, envelope.kind, 'payload', type, known, '$.payload', false);
    }
    const answer = envelope.ack?.payload;
    if (answer !== undefined && answer !== null && Object.keys(answer).length > 0) {
      // Sent by the bot, so it counts as a request: its view or blocks are judged on their own.
      const answerType = payload?.type === 'view_submission' ? 'Bolt.ViewResponseAction' : 'Bolt.RespondArguments';
      judge(checks, source, `ack of ${envelope.kind}`, 'request', answerType, answer, '$.ack.payload', true);
    }
  }
  return { checks, problems, notes };
}
