// What an alert must be like: the part of a route or a silence that says of what it holds.
import { useAsk } from '../../api.js';
import { html } from '../../html.js';
import { plain } from '../../parts/text.js';
import { t } from '../../words.js';

/** @typedef {Record<string, any>} Condition */

/** A value as a map of the file has it, in one line. @param {any} value @returns {string} */
function said(value) {
  if (Array.isArray(value)) return value.map(said).join(', ');
  if (value && typeof value === 'object') {
    return Object.entries(value)
      .map(([name, held]) => `${name} ${said(held)}`)
      .join(', ');
  }
  return String(value);
}

/** @param {{ condition: Condition | undefined }} props */
export function Match({ condition }) {
  const members = Object.entries(condition ?? {});
  if (!members.length) return html`<span class="soft">${t('routes.every')}</span>`;
  return html`${members.map(([name, value]) => html`<span class="entity" key=${name}><span class="entity-type">${name}</span> <bdi>${plain(said(value), 160)}</bdi></span>`)}`;
}

/** Kinds that there were alerts of: what one may want to name. @param {{ id: string }} props */
export function Kinds({ id }) {
  const { data } = useAsk('/alerts', { limit: 200 });
  const alerts = /** @type {import('../../api.js').Schemas['Alert'][]} */ (data ?? []);
  const kinds = [...new Set(alerts.map(({ type }) => type ?? ''))].filter(Boolean).sort();
  return html`<datalist id=${id}>${kinds.map((kind) => html`<option value=${kind}></option>`)}</datalist>`;
}
