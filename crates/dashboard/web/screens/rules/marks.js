// How grave a rule is, and what it costs.
import { html } from '../../html.js';
import { Severity } from '../../parts/marks.js';
import { number } from '../../words.js';

/** How long it takes to hold it against an event. @param {number | null | undefined} ns */
export function cost(ns) {
  if (ns === null || ns === undefined) return '';
  return ns < 1000 ? `${number(ns)} ns` : `${number(Math.round(ns / 100) / 10)} µs`;
}

/** @param {{ level: string | null | undefined }} props */
export function Level({ level }) {
  if (!level) return null;
  return html`<${Severity} level=${level === 'informational' ? 'info' : level} />`;
}
