// Block Kit's text objects.

import { mrkdwn } from './mrkdwn.mjs';
import { withEmoji } from './emoji.mjs';

/** A text object's words; plain text shows emoji by name unless told not to. */
export function words(text) {
  if (!text) return '';
  if (typeof text === 'string') return text;
  return text.emoji === false ? text.text : withEmoji(text.text ?? '');
}

/** A text object as nodes. */
export function textObject(text, reader) {
  return text?.type === 'mrkdwn' ? mrkdwn(text.text ?? '', reader) : words(text);
}
