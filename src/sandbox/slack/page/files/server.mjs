// What the sandbox is asked, and its news.

/** The sandbox's sentence about what can't be done, or why it gave no answer. */
export class Refused extends Error {}

async function ask(method, path, body) {
  let answer;
  try {
    answer = await fetch(path, {
      method,
      headers: body === undefined ? {} : { 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Refused('The sandbox does not answer. Is it still running?');
  }
  if (answer.ok) return answer.json();
  const text = await answer.text();
  let said = text;
  try {
    said = JSON.parse(text).error ?? text;
  } catch {
    // It is a plain sentence then.
  }
  throw new Refused(said.trim() || `The sandbox answered ${answer.status}.`);
}

/** One of the people's acts, e.g. `act('press', {…})`. */
export const act = (what, body) => ask('POST', `/sandbox/${what}`, body);

/** The console of whoever started the sandbox. */
export const consoleState = () => ask('GET', '/console/state');
export const consoleAct = (what, body) => ask('POST', `/console/${what}`, body);

/** Calls `onNews` whenever something changed, and `onLine` with whether the sandbox is there. */
export function listen(onNews, onLine) {
  const stream = new EventSource('/sandbox/live');
  stream.onopen = () => onLine(true);
  stream.onmessage = () => onNews();
  // The browser tries again by itself, every few seconds.
  stream.onerror = () => onLine(false);
}
