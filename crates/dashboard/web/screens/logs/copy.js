// Ways to take something along: as text, as a command, as an address.
import { tell } from '../../parts/feedback.js';
import { url } from '../../api.js';
import { address } from '../../route.js';
import { t } from '../../words.js';
import { text } from './events.js';

/** @typedef {import('./events.js').Question} Question */

/** @param {string} content */
export async function copy(content) {
  try {
    await navigator.clipboard.writeText(content);
    tell(t('told.copied'));
  } catch {
    tell(t('told.not_copied'), { tone: 'bad' });
  }
}

/** A word that a shell takes as it is, whatever stands in it. @param {string} word */
function shell(word) {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** The same question from a command line, with fixed times. @param {Question} question */
export function curl(question) {
  return `curl ${shell(new URL(url('/api/v1/search', { ...question, limit: 100 }), location.href).href)}`;
}

/** The command that gives one event. @param {string} id */
export function curlOf(id) {
  return `curl ${shell(new URL(`/api/v1/events/${encodeURIComponent(id)}`, location.href).href)}`;
}

/** An address that shows the same to others, later too. @param {Question} question @param {Record<string, string | undefined>} [more] */
export function link({ q, from, to }, more = {}) {
  return new URL(address('logs', { ...more, q, from: from || 'all', to }), location.href).href;
}

/** The line as it came in, else what it is made of. @param {any} document */
export function original(document) {
  const kept = document.event?.original;
  if (kept !== undefined) return text(kept);
  return [document['@timestamp'], document.host?.name, document.service?.name, document.log?.level, text(document.message)].filter(Boolean).join(' ');
}
