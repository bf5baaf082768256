// Times as the reader's clock shows them, and ranges of time as the API takes them.
import { several, t } from './words.js';

/** The reader's zone, a name of the IANA database. */
export const zone = /** @type {any} */ (globalThis).Temporal?.Now.timeZoneId() ?? (Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC');

/** How long charts of a host reach back. */
export const WIDTHS = /** @type {const} */ (['1h', '6h', '24h', '7d', '30d', '365d']);

const UNITS = /** @type {const} */ ({ s: 1e3, m: 6e4, h: 36e5, d: 864e5, w: 6048e5 });

const two = (/** @type {number} */ n) => String(n).padStart(2, '0');

/** @param {Date} date */
const clock = (date) => `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;

/** @param {Date} date */
function day(date) {
  return t('time.day', { day: date.getDate(), month: t('time.months').split(' ')[date.getMonth()] });
}

/** 14:03:22 today, else with the day, and with the year where it is another. @param {string | number} at */
export function stamp(at) {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return String(at);
  const now = new Date();
  if (date.toDateString() === now.toDateString()) return clock(date);
  const days = date.getFullYear() === now.getFullYear() ? day(date) : t('time.year', { day: day(date), year: date.getFullYear() });
  return `${days}, ${clock(date)}`;
}

/** From one moment to another, the day said twice where there are two. @param {number} from @param {number} to */
export function span(from, to) {
  const [begin, end] = [new Date(from), new Date(to)];
  if (begin.toDateString() === end.toDateString()) return `${stamp(from)} – ${clock(end)}`;
  return `${day(begin)}, ${clock(begin)} – ${day(end)}, ${clock(end)}`;
}

/** As a list of lines has it: 2017-04-20 14:03:22.123. @param {string} at */
export function exact(at) {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return at;
  const days = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${days} ${clock(date)}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

/** @param {string | number} at */
export function utc(at) {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? String(at) : date.toISOString().replace('T', ' ').replace('Z', ' UTC');
}

/** @type {[string, number][]} */
const STEPS = [['year', 31536e6], ['month', 2592e6], ['day', 864e5], ['hour', 36e5], ['minute', 6e4], ['second', 1e3]];

/** How long ago, in words; when, where it has not been yet. @param {string | number} at */
export function ago(at) {
  const past = Date.now() - new Date(at).getTime();
  if (!(past > -1000)) return stamp(at);
  const [unit, width] = STEPS.find(([, width]) => past >= width) ?? ['second', 1e3];
  return several(`ago.${unit}`, Math.max(Math.round(past / width), 0));
}

/** How long, such as 3 h. @param {number} ms */
export function lasting(ms) {
  const entries = /** @type {[string, number][]} */ (Object.entries(UNITS)).reverse().slice(1);
  const [unit, width] = entries.find(([, width]) => ms >= width) ?? ['s', 1e3];
  return `${Math.round(ms / width)} ${unit === 'm' ? 'min' : unit}`;
}

/** The moment that a bound of a range means, in ms; undefined where it is none. @param {string} text */
export function moment(text, now = Date.now()) {
  if (!text) return undefined;
  if (/^now(?:[-+]\d+[smhdw])*$/.test(text)) {
    return [...text.matchAll(/([-+])(\d+)([smhdw])/g)].reduce(
      (at, [, sign, n, unit]) =>
        at + (sign === '-' ? -1 : 1) * Number(n) * UNITS[/** @type {keyof typeof UNITS} */ (unit)],
      now,
    );
  }
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : at;
}

/** A bound as a fixed time: what `now` was is said once for all. @param {string} text */
export function fixed(text, now = Date.now()) {
  const at = moment(text, now);
  return at === undefined ? '' : new Date(at).toISOString();
}

/** For an input of date and time, in the reader's zone. @param {number} at */
export function local(at) {
  const date = new Date(at);
  return new Date(at - date.getTimezoneOffset() * 6e4).toISOString().slice(0, 19);
}
