// How grave a rule is, and what it costs.
import { html } from '../../html.js';
import { Severity } from '../../parts/marks.js';
import { plain } from '../../parts/text.js';
import { lasting } from '../../time.js';
import { number, t } from '../../words.js';

/** How long it takes to hold it against an event. @param {number | null | undefined} ns */
export function cost(ns) {
  if (ns === null || ns === undefined) return '';
  return ns < 1000 ? `${number(ns)} ns` : `${number(Math.round(ns / 100) / 10)} µs`;
}

/** When a rule in SQL is asked: of new rows of a table, or every so often. @param {import('../../api.js').Schemas['Rule']} rule */
export function asked({ on, every_s: every }) {
  if (on) return t('rules.on_rows', { table: plain(on, 40) });
  return every ? t('rules.on_time', { time: lasting(every * 1000) }) : '';
}

/** @param {{ level: string | null | undefined }} props */
export function Level({ level }) {
  if (!level) return null;
  return html`<${Severity} level=${level === 'informational' ? 'info' : level} />`;
}
