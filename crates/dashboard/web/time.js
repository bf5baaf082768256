// Times as the reader's clock shows them, and ranges of time as the API takes them.
import { language } from './words.js';

/** The reader's zone, a name of the IANA database. */
export const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';

/** How long charts of a host reach back. */
export const WIDTHS = /** @type {const} */ (['1h', '6h', '24h', '7d', '30d', '365d']);

const UNITS = /** @type {const} */ ({ s: 1e3, m: 6e4, h: 36e5, d: 864e5, w: 6048e5 });

/** @type {Map<string, Intl.DateTimeFormat>} */
const forms = new Map();

/** @param {string} name @param {Intl.DateTimeFormatOptions} form */
function format(name, form) {
  const key = `${language.value} ${name}`;
  const known = forms.get(key) ?? new Intl.DateTimeFormat(language.value === 'en' ? 'en-GB' : 'pt-BR', form);
  forms.set(key, known);
  return known;
}

const clock = /** @type {const} */ ({ hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false });
const day = /** @type {const} */ ({ day: 'numeric', month: 'short' });

/** 14:03:22 today, else with the day, and with the year where it is another. @param {string | number} at */
export function stamp(at) {
  const date = new Date(at);
  const now = new Date();
  if (date.toDateString() === now.toDateString()) return format('clock', clock).format(date);
  const year = date.getFullYear() === now.getFullYear() ? {} : { year: /** @type {const} */ ('numeric') };
  return format(`stamp${Object.keys(year)}`, { ...day, ...year, ...clock }).format(date);
}

/** From one moment to another, the day said twice where there are two. @param {number} from @param {number} to */
export function span(from, to) {
  if (new Date(from).toDateString() === new Date(to).toDateString()) return `${stamp(from)} – ${format('clock', clock).format(to)}`;
  const full = format('full', { ...day, ...clock });
  return `${full.format(from)} – ${full.format(to)}`;
}

/** As a list of lines has it: 2017-04-20 14:03:22.123. @param {string} at */
export function exact(at) {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return at;
  const two = (/** @type {number} */ n) => String(n).padStart(2, '0');
  const days = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const hours = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return `${days} ${hours}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

/** @param {string | number} at */
export function utc(at) {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? String(at) : date.toISOString().replace('T', ' ').replace('Z', ' UTC');
}

/** How long ago, in words. @param {string | number} at */
export function ago(at) {
  const past = Date.now() - new Date(at).getTime();
  const words = new Intl.RelativeTimeFormat(language.value, { numeric: 'auto', style: 'short' });
  /** @type {[number, Intl.RelativeTimeFormatUnit][]} */
  const steps = [[31536e6, 'year'], [2592e6, 'month'], [864e5, 'day'], [36e5, 'hour'], [6e4, 'minute']];
  const [width, unit] = steps.find(([width]) => Math.abs(past) >= width) ?? [1e3, 'second'];
  return words.format(-Math.round(past / width), unit);
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
