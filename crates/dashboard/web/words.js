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

/** @param {number} n */
export function number(n) {
  return new Intl.NumberFormat(language.value).format(n);
}

/** A number in few signs, such as 1.2M. @param {number} n */
export function short(n) {
  const form = { notation: /** @type {const} */ ('compact'), maximumFractionDigits: 1 };
  return new Intl.NumberFormat(language.value, form).format(n);
}

/** @param {number} bytes */
export function bytes(bytes) {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), units.length - 1);
  const form = { maximumFractionDigits: power ? 1 : 0 };
  return `${new Intl.NumberFormat(language.value, form).format(bytes / 1000 ** power)} ${units[power]}`;
}
