// What each type of channel is set up by. The API checks it again, and names what does not suit.

/**
 * @typedef {{ name: string, word: import('../../words.js').Word, kind?: 'list' | 'number' | 'text' | 'secret' | 'choice',
 *   isNeeded?: boolean, choices?: string[], usual?: string, hint?: string }} Field
 */

const FORMAT = /** @type {Field} */ ({ name: 'format', word: 'channel.format', kind: 'choice', choices: ['plain', 'json', 'cef'] });

/** @type {Record<string, Field[]>} */
export const TYPES = {
  email: [
    { name: 'from', word: 'channel.from', isNeeded: true, hint: 'sentinel@example.org' },
    { name: 'to', word: 'channel.to', kind: 'list', isNeeded: true, hint: 'ada@example.org, bob@example.org' },
    { name: 'server', word: 'channel.server', isNeeded: true, hint: 'mail.example.org' },
    { name: 'port', word: 'channel.port', kind: 'number', usual: '587' },
    { name: 'username', word: 'channel.username' },
    { name: 'password', word: 'channel.password', kind: 'secret' },
    { name: 'encryption', word: 'channel.encryption', kind: 'choice', choices: ['', 'starttls', 'tls', 'none'] },
  ],
  telegram: [
    { name: 'bot_token', word: 'channel.bot_token', kind: 'secret', isNeeded: true },
    { name: 'chat_id', word: 'channel.chat_id', isNeeded: true, hint: '-1001234567890' },
  ],
  discord: [{ name: 'webhook_url', word: 'channel.webhook_url', kind: 'secret', isNeeded: true }],
  slack: [{ name: 'webhook_url', word: 'channel.webhook_url', kind: 'secret', isNeeded: true }],
  webhook: [
    { name: 'url', word: 'channel.url', kind: 'secret', isNeeded: true },
    { name: 'secret', word: 'channel.secret', kind: 'secret' },
    { name: 'template', word: 'channel.template', kind: 'text', hint: '{"text": {{ title }}}' },
  ],
  log_sentinel: [
    { name: 'url', word: 'channel.url', isNeeded: true, hint: 'https://sentinel.example.org' },
    { name: 'api_key', word: 'channel.api_key', kind: 'secret' },
  ],
  syslog: [
    { name: 'server', word: 'channel.server', isNeeded: true, hint: 'logs.example.org' },
    { name: 'port', word: 'channel.port', kind: 'number', usual: '514' },
    { name: 'transport', word: 'channel.transport', kind: 'choice', choices: ['udp', 'tcp', 'tls'] },
    FORMAT,
  ],
  stdout: [FORMAT],
  stderr: [FORMAT],
};

/** What the list adds to a channel beside the members that set it up. */
const SHOWN_ONLY = ['name', 'secrets', 'made_by', 'made_at', 'failing_since', 'waiting', 'given_up', 'without_effect'];

/**
 * The members to send for what stands in a form. What the form does not show stays as it is; secrets that are left empty are
 * left out, which keeps those that are set.
 * @param {string} type
 * @param {(name: string) => string} value what stands in a field
 * @param {Record<string, any>} [before] the channel that is changed
 */
export function members(type, value, before) {
  /** @type {Record<string, any>} */
  const all = {};
  if (before?.type === type) {
    for (const [name, held] of Object.entries(before)) if (!SHOWN_ONLY.includes(name)) all[name] = held;
  }
  all.type = type;
  for (const { name, kind } of TYPES[type]) {
    const text = value(name).trim();
    delete all[name];
    if (!text) continue;
    if (kind === 'number') all[name] = Number(text);
    else if (kind === 'list') all[name] = text.split(/[\s,;]+/).filter(Boolean);
    else all[name] = text;
  }
  const fallback = value('fallback');
  if (fallback) all.fallback = fallback;
  else delete all.fallback;
  return all;
}
