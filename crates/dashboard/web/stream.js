// Streams of server-sent events that are taken up again where they broke off.
import { url } from './api.js';

/**
 * @typedef {object} Heard
 * @property {(data: any, id: string) => void} event
 * @property {(missed: number | null) => void} [lagged] what followed is gone: so many, or nobody knows how many
 * @property {(isOpen: boolean) => void} [state]
 */

/**
 * @param {string} path
 * @param {import('./api.js').Params} params
 * @param {string} name the name of its events
 * @param {Heard} heard
 * @returns {() => void} ends it
 */
export function listen(path, params, name, heard) {
  let last = '';
  let tries = 0;
  /** @type {EventSource | undefined} */
  let source;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const open = () => {
    source = new EventSource(url(path, { ...params, after: last || undefined }));
    source.onopen = () => {
      tries = 0;
      heard.state?.(true);
    };
    source.onerror = () => {
      heard.state?.(false);
      // A browser tries again by itself, but not after a refusal.
      if (source?.readyState !== EventSource.CLOSED) return;
      tries += 1;
      timer = setTimeout(open, Math.min(1000 * 2 ** tries, 30_000) * (0.75 + Math.random() / 2));
    };
    source.addEventListener(name, (message) => {
      last = message.lastEventId || last;
      heard.event(JSON.parse(message.data), last);
    });
    source.addEventListener('lagged', (message) => heard.lagged?.(JSON.parse(message.data).missed));
  };
  open();
  return () => {
    clearTimeout(timer);
    source?.close();
  };
}
