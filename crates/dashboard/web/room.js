// How long the room on the disk lasts.
import { useAsk } from './api.js';
import { lasting } from './time.js';
import { bytes, number, t } from './words.js';

/** @typedef {import('./api.js').Schemas['Storage']} Storage */

const DAY = 86_400;
/** Sooner is trouble. */
const SOON = 7 * DAY;
/** Later is not worth a number. */
const LATE = 5 * 365 * DAY;

/** @param {number} every */
export function useRoom(every) {
  const { data, ...state } = useAsk('/api/v1/storage', {}, every);
  return { ...state, storage: /** @type {Storage | undefined} */ (data) };
}

/** Whether it is full so soon that somebody has to do something. @param {Storage | undefined} storage */
export function isShort(storage) {
  const seconds = storage?.forecast?.full_in_s;
  return typeof seconds === 'number' && seconds < SOON;
}

/** How long it lasts, in words; empty where nothing can be said. @param {Storage | undefined} storage */
export function lasts(storage) {
  const forecast = storage?.forecast;
  if (!forecast) return '';
  const seconds = forecast.full_in_s;
  if (seconds === null || seconds === undefined) return forecast.bytes_a_day ? t('room.enough') : t('room.still');
  if (seconds === 0) return t('room.full');
  return seconds > LATE ? t('room.years') : t('room.lasts', { n: lasting(seconds * 1000) });
}

/** What grows, in words. @param {Storage} storage */
export function grows(storage) {
  const { events_a_day: events, bytes_a_day: each } = storage.forecast ?? { events_a_day: 0, bytes_a_day: 0 };
  return t('room.grows', { n: bytes(each), events: number(events) });
}
