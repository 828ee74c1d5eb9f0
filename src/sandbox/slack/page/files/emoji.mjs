// Emoji by their short names. Slack knows thousands; these are the ones that cards and people of a
// chat about access use. Another name stays as it was written, between its colons.

const KNOWN = {
  white_check_mark: '✅', heavy_check_mark: '✔️', x: '❌', no_entry: '⛔', no_entry_sign: '🚫', warning: '⚠️',
  hourglass: '⌛', hourglass_flowing_sand: '⏳', alarm_clock: '⏰', stopwatch: '⏱️', clock1: '🕐', calendar: '📅',
  lock: '🔒', unlock: '🔓', key: '🔑', closed_lock_with_key: '🔐', shield: '🛡️', rotating_light: '🚨', bell: '🔔',
  checkered_flag: '🏁', rocket: '🚀', fire: '🔥', boom: '💥', bug: '🐛', wrench: '🔧', hammer: '🔨', gear: '⚙️',
  eyes: '👀', wave: '👋', '+1': '👍', thumbsup: '👍', '-1': '👎', thumbsdown: '👎', ok_hand: '👌', pray: '🙏', clap: '👏',
  raised_hands: '🙌', point_right: '👉', tada: '🎉', sparkles: '✨', star: '⭐', heart: '❤️', smile: '😄', slightly_smiling_face: '🙂',
  joy: '😂', thinking_face: '🤔', cry: '😢', scream: '😱', sweat_smile: '😅', sunglasses: '😎', question: '❓', exclamation: '❗',
  information_source: 'ℹ️', bulb: '💡', memo: '📝', clipboard: '📋', mag: '🔍', link: '🔗', lock_with_ink_pen: '🔏',
  arrow_right: '➡️', arrow_left: '⬅️', leftwards_arrow_with_hook: '↩️', arrows_counterclockwise: '🔄', chart_with_upwards_trend: '📈',
  bar_chart: '📊', computer: '💻', robot_face: '🤖', ghost: '👻', skull: '💀', zzz: '💤', red_circle: '🔴', large_green_circle: '🟢',
  large_yellow_circle: '🟡', white_circle: '⚪', black_circle: '⚫', bust_in_silhouette: '👤', busts_in_silhouette: '👥',
};

/** The emoji of a short name, or the name between colons. */
export const emoji = (name) => (Object.hasOwn(KNOWN, name) ? KNOWN[name] : `:${name}:`);

/** A text with its short names replaced. */
export const withEmoji = (text) => text.replace(/:([a-z0-9_+-]+):/g, (_, name) => emoji(name));
