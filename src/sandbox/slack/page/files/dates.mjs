// Times as Slack's clients show them: in the reader's own zone, English, twelve hours.

const formatters = new Map();

function format(options, zone, ms) {
  const key = JSON.stringify([options, zone]);
  if (!formatters.has(key)) {
    let made;
    try {
      made = new Intl.DateTimeFormat('en-US', { ...options, timeZone: zone });
    } catch {
      // A zone that the browser does not know: the same that the sandbox falls back to.
      made = new Intl.DateTimeFormat('en-US', { ...options, timeZone: 'UTC' });
    }
    formatters.set(key, made);
  }
  return formatters.get(key).format(ms);
}

/** Year, month and day there, e.g. `2026-11-26`. */
export function day(ms, zone) {
  const parts = format({ year: 'numeric', month: '2-digit', day: '2-digit' }, zone, ms).split('/');
  return `${parts[2]}-${parts[0]}-${parts[1]}`;
}

/** `2:05 PM` */
export function time(ms, zone, seconds = false) {
  const options = { hour: 'numeric', minute: '2-digit', ...(seconds ? { second: '2-digit' } : {}) };
  return format(options, zone, ms).replace('\u202f', ' ');
}

/** `Thursday, November 26` or `Today`, for the line between two days. */
export function dayLine(ms, zone, nowMs) {
  const near = nearDay(ms, zone, nowMs);
  if (near) return near[0].toUpperCase() + near.slice(1);
  return format({ weekday: 'long', month: 'long', day: 'numeric' }, zone, ms);
}

function nearDay(ms, zone, nowMs) {
  const dayMs = 86_400_000;
  const that = day(ms, zone);
  if (that === day(nowMs, zone)) return 'today';
  if (that === day(nowMs - dayMs, zone)) return 'yesterday';
  if (that === day(nowMs + dayMs, zone)) return 'tomorrow';
  return null;
}

const LONG = { month: 'long', day: 'numeric', year: 'numeric' };
const SHORT = { month: 'short', day: 'numeric', year: 'numeric' };
const FULL = { weekday: 'long', ...LONG };

/** One `{token}` of a date's format; null for one that Slack does not have. */
function token(name, ms, zone, nowMs) {
  const pretty = name.endsWith('_pretty') ? nearDay(ms, zone, nowMs) : null;
  if (pretty) return pretty;
  switch (name) {
    case 'date_num': return day(ms, zone);
    case 'date': case 'date_pretty': return format(LONG, zone, ms);
    case 'date_short': case 'date_short_pretty': return format(SHORT, zone, ms);
    case 'date_long': case 'date_long_pretty': return format(FULL, zone, ms);
    case 'date_long_full': return `${format(FULL, zone, ms)} at ${time(ms, zone)}`;
    case 'day_divider_pretty': return format({ weekday: 'long', month: 'long', day: 'numeric' }, zone, ms);
    case 'time': return time(ms, zone);
    case 'time_secs': return time(ms, zone, true);
    default: return null;
  }
}

/** A date in Slack's format, e.g. `{date_short_pretty} {time}`; null where Slack shows the fallback. */
export function slackDate(seconds, pattern, reader) {
  const ms = Number(seconds) * 1000;
  if (!Number.isFinite(ms) || String(seconds).trim() === '') return null;
  let known = true;
  const text = pattern.replace(/\{([^}]*)\}/g, (_, name) => {
    const shown = token(name, ms, reader.zone, reader.nowMs);
    if (shown === null) known = false;
    return shown ?? '';
  });
  return known ? text : null;
}

/** When a message was sent, from its timestamp. */
export const sentMs = (ts) => Number(ts) * 1000;
