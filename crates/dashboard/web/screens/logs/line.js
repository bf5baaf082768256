// One line of the list. A fixed-width font lets it be two pieces of text, which cost a browser far less than a box for each column.
import { html } from '../../html.js';
import { plain } from '../../parts/text.js';
import { exact, utc } from '../../time.js';
import { t } from '../../words.js';
import { member, text } from './events.js';
import { LEVELS } from './histogram.js';

/** @typedef {import('./events.js').Line} Line */

/** How wide what stands before the message is, in signs of the font. */
export const SIGNS = { time: 25, level: 7, column: 18 };
const GRAVE = ['fatal', 'error', 'warn'];
/** Signs that are one cell wide and stay within their line. */
const EVEN = /^[\x20-\x7e…]*$/;

/** As wide as it is to be: filled up or cut; in a box where the font does not give it that width. @param {string} value @param {number} signs */
function cell(value, signs) {
  const shown = plain(value, 200);
  if (!EVEN.test(shown)) return html`<bdi class="cell" style=${{ width: `${signs}ch` }}>${shown}</bdi>`;
  return cut(shown, signs - 2).padEnd(signs);
}

/** @param {string} value @param {number} signs */
function cut(value, signs) {
  return value.length > signs ? `${value.slice(0, signs - 1)}…` : value;
}

/** @param {Line} line @param {string[]} columns */
function values(line, columns) {
  return columns.map((name) => text(member(line.document, name)));
}

/** What a line says: its message, or all that is known of it. @param {Line} line @param {boolean} isJson */
export function said(line, isJson) {
  return plain(isJson ? JSON.stringify(line.document) : line.message);
}

/** The whole of a line as text. @param {Line} line @param {string[]} columns @param {boolean} isJson */
export function whole(line, columns, isJson) {
  return [exact(line.at), line.level, ...values(line, columns)].map((one) => plain(one)).concat(said(line, isJson)).join('  ');
}

/** What resting on a part of a line says. @param {Line} line @param {boolean} isMark on the mark of how strange it is */
export function title(line, isMark) {
  if (!isMark) return utc(line.at);
  return line.score === undefined ? '' : t(line.isAnomaly ? 'logs.score_anomaly' : 'logs.score', { n: line.score.toFixed(2) });
}

/**
 * @param {{ line: Line, columns: string[], isJson: boolean, isNarrow: boolean, room: number, at: number, all: number, isSelected: boolean, height?: number }} props
 *   `room`: signs that a message has room for, 0 where it is wrapped; `at` of `all`
 */
export function row({ line, columns, isJson, isNarrow, room, at, all, isSelected, height }) {
  const message = said(line, isJson);
  // One that is chosen is read out: it holds all of its text.
  const isText = Boolean(room) && !isSelected && EVEN.test(message);
  const shown = isText ? cut(message, room) : message;
  const level = cell(line.level, SIGNS.level);
  const parts = [exact(line.at).padEnd(SIGNS.time), GRAVE.includes(line.level) ? html`<b class=${`level ${line.level}`}>${level}</b>` : level, ...values(line, columns).map((value) => cell(value, SIGNS.column))];
  if (isNarrow) parts.push(plain(line.service || line.host, 60));
  const mark = line.isAnomaly ? 'anomaly' : (line.score ?? 0) >= 0.6 ? 'odd' : '';
  return html`<div
    id=${`line-${line.id}`}
    role="option"
    class=${`line ${LEVELS.includes(line.level) ? line.level : 'none'} ${isText ? '' : 'uneven'} ${shown === message ? '' : 'cut'} ${mark && 'marked'}`}
    aria-selected=${isSelected}
    aria-posinset=${at + 1}
    aria-setsize=${all}
    style=${height ? { height: `${height}px` } : undefined}
  >${mark && html`<i class=${`score ${mark}`}></i>`}<span class="before">${merged(parts)}</span>${isText ? shown : html`<span class="message">${shown}</span>`}</div>`;
}

/** Neighbouring texts as one. @param {any[]} parts */
function merged(parts) {
  const all = /** @type {any[]} */ ([]);
  for (const part of parts) {
    if (typeof part === 'string' && typeof all.at(-1) === 'string') all.push(all.pop() + part);
    else all.push(part);
  }
  return all;
}

/** What stands above the lines. @param {{ columns: string[], onColumn: (name: string) => void }} props */
export function Head({ columns, onColumn }) {
  const grid = `${SIGNS.time}ch ${SIGNS.level}ch ${columns.map(() => `${SIGNS.column}ch `).join('')}minmax(0, 1fr)`;
  return html`<div class="rows-head" style=${{ gridTemplateColumns: grid }}>
    <span>${t('logs.time')}</span><span>${t('logs.level')}</span>
    ${columns.map(
      (name) => html`<span key=${name} class="column"><bdi>${plain(name, 40)}</bdi><button type="button" class="icon-only" aria-label=${t('fields.column_out', { name: plain(name, 40) })} title=${t('fields.column_out', { name: plain(name, 40) })} onClick=${() => onColumn(name)}>×</button></span>`,
    )}
    <span>${t('logs.message')}</span>
  </div>`;
}
