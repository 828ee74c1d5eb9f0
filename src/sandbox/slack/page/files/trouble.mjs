// What Slack tells a person when the app did not do its part.

/** Why, in words, behind Slack's own word for it. */
export function reason(failed, app) {
  switch (failed) {
    case 'operation_timeout': return `${app} did not respond within three seconds.`;
    case 'dispatch_failed': return `${app} is not connected, so nobody took it.`;
    case 'interactivity_off': return 'The app\u2019s manifest switches buttons and forms off.';
    case 'not_a_command': return 'The app has no such command.';
    default: return `${app} answered with something that can\u2019t be shown.`;
  }
}
