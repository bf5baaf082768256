// How many signals are open, and every change of a signal as it happens: one stream for the whole page.
import { signal } from '@preact/signals';
import { ask } from './api.js';
import { listen } from './stream.js';
import { zone } from './time.js';
import { language } from './words.js';

/** How many ask for attention. */
export const open = signal(0);

/** Whether changes are heard as they happen. */
export const isLive = signal(false);

/** @typedef {{ what: string, at: string, by: string | null, signal: import('./api.js').Schemas['Signal'] }} Change */

/** @type {Set<(change: Change | null) => void>} */
const listeners = new Set();

/**
 * Hears every change; null where some were missed, and all is to be asked for again.
 * @param {(change: Change | null) => void} listener
 */
export function hear(listener) {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** @param {Change | null} change */
function tellAll(change) {
  for (const listener of listeners) listener(change);
}

/** Follows the changes until it is ended. */
export function watch() {
  const stop = new AbortController();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const count = () => {
    // Many changes at once are one question.
    timer ??= setTimeout(() => {
      timer = undefined;
      ask('/api/v1/signals', { state: 'open', limit: 0 }, stop.signal).then(
        ({ total }) => {
          open.value = total;
        },
        () => {},
      );
    }, 250);
  };
  count();
  let wasOpen = false;
  const end = listen('/api/v1/signals/stream', { lang: language.peek(), zone }, 'signal', {
    event: (change) => {
      count();
      tellAll(change);
    },
    lagged: () => tellAll(null),
    state: (isOpen) => {
      isLive.value = isOpen;
      // What happened while there was no connection and no number to go on behind is not told.
      if (isOpen && wasOpen) {
        count();
        tellAll(null);
      }
      wasOpen ||= isOpen;
    },
  });
  return () => {
    stop.abort();
    clearTimeout(timer);
    end();
    isLive.value = false;
  };
}
