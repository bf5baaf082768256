// What the page says, in the reader's language. All words stand in `words/`, one file a language with the same keys.
import { signal } from '@preact/signals';
import { remember, remembered } from './memory.js';

/** @typedef {keyof typeof import('./words/en.js').default} Word */

export const LANGUAGES = /** @type {const} */ ({ en: 'English', pt: 'Português' });

/** The language that is spoken: `en` or `pt`. */
export const language = signal(/** @type {keyof typeof LANGUAGES} */ ('en'));

/** @type {Record<string, string>} */
let table = {};

/** The language that was chosen here, else the first of the browser's that is known. */
export function wanted() {
  const chosen = remembered('language', '');
  const codes = [chosen, ...navigator.languages].map((code) => code.slice(0, 2).toLowerCase());
  return /** @type {keyof typeof LANGUAGES} */ (codes.find((code) => code in LANGUAGES) ?? 'en');
}

/** @param {keyof typeof LANGUAGES} code */
export async function speak(code) {
  table = (await import(`./words/${code}.js`)).default;
  document.documentElement.lang = code;
  language.value = code;
}

/** @param {keyof typeof LANGUAGES} code */
export function choose(code) {
  remember('language', code);
  return speak(code);
}

/**
 * A text, with `{name}` replaced by the values given.
 * @param {Word} word
 * @param {Record<string, string | number>} [values]
 */
export function t(word, values) {
  void language.value;
  return fill(table[word] ?? word, values);
}

/**
 * A text about so many: `WORD.one` or `WORD.many`, with `{n}` in it.
 * @param {string} word
 * @param {number} n
 */
export function several(word, n) {
  void language.value;
  return fill(table[`${word}.${n === 1 ? 'one' : 'many'}`] ?? word, { n: number(n) });
}

/**
 * A text whose key is made of a name that the API gives; the name itself where there is no such text.
 * @param {string} group
 * @param {string} name
 */
export function named(group, name) {
  void language.value;
  return table[`${group}.${name}`] ?? name.replaceAll('_', ' ');
}

/** @param {string} text @param {Record<string, string | number>} [values] */
function fill(text, values) {
  return values ? text.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? '')) : text;
}

// Numbers are put into words by hand: a browser's first use of its own tables of all the world's ways takes longer than the rest of a
// screen, and of them the page needs two.

/** Between thousands, and before the fraction. */
const MARKS = { en: [',', '.'], pt: ['.', ','] };
const SCALES = { en: ['', 'K', 'M', 'B', 'T'], pt: ['', ' mil', ' mi', ' bi', ' tri'] };

/** @param {number} n @param {number} [digits] of the fraction, at most */
export function number(n, digits = 3) {
  if (!Number.isFinite(n) || Math.abs(n) >= 1e21) return String(n);
  const [thousands, point] = MARKS[language.value];
  const [whole, part = ''] = n.toFixed(digits).split('.');
  const fraction = part.replace(/0+$/, '');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, thousands);
  return `${/^-0?$/.test(grouped) && !fraction ? '0' : grouped}${fraction && point + fraction}`;
}

/** A number in few signs, such as 1.2M. @param {number} n */
export function short(n) {
  const scales = SCALES[language.value];
  let power = 0;
  // What would be rounded to a thousand is one of the next.
  while (power < scales.length - 1 && Math.abs(n) / 1000 ** power >= 999.95) power += 1;
  return `${number(n / 1000 ** power, 1)}${scales[power]}`;
}

/** @param {number} bytes */
export function bytes(bytes) {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), units.length - 1);
  return `${number(bytes / 1000 ** power, power ? 1 : 0)} ${units[power]}`;
}
