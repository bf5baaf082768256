// Small marks that stand in many places: how grave, where it stands, about what, when.
import { html } from '../html.js';
import { address } from '../route.js';
import { ago, stamp, utc } from '../time.js';
import { named } from '../words.js';
import { plain } from './text.js';

/** @param {{ level: string }} props */
export function Severity({ level }) {
  return html`<span class=${`severity ${level}`}>${named('severity', level)}</span>`;
}

/** @param {{ state: string }} props */
export function State({ state }) {
  return html`<span class=${`state ${state}`}>${named('state', state)}</span>`;
}

/** @param {{ at: string | number, isAgo?: boolean }} props */
export function Time({ at, isAgo = false }) {
  const date = new Date(at);
  const machine = Number.isNaN(date.getTime()) ? undefined : date.toISOString();
  return html`<time datetime=${machine} title=${isAgo ? `${stamp(at)} · ${utc(at)}` : utc(at)}>${
    isAgo ? ago(at) : stamp(at)
  }</time>`;
}

/** The field that holds such an entity. */
const FIELDS = /** @type {Record<string, string>} */ ({
  'source.ip': 'source.ip',
  user: 'user.name',
  host: 'host.name',
  service: 'service.name',
  process: 'process.name',
  template: 'sentinel.template.id',
});

/** A value as a query takes it. @param {string} value */
export function quoted(value) {
  return /^[\w.@-]+$/.test(value) && !/^(AND|OR|NOT|TO)$/.test(value) && !/^[-.@]/.test(value)
    ? value
    : `"${value.replace(/["\\]/g, '\\$&')}"`;
}

/** What finds the lines about an entity; empty where no field holds it. @param {{ type?: string, value?: string } | undefined} entity */
export function queryOf(entity) {
  const field = FIELDS[entity?.type ?? ''];
  return field && entity?.value ? `${field}:${quoted(entity.value)}` : '';
}

/** @param {{ entity: { type?: string, value?: string }, from?: string, to?: string }} props */
export function Entity({ entity, from, to }) {
  const { type = '', value = '' } = entity;
  const shown = html`<span class="entity-type">${named('entity', type)}</span> <bdi>${plain(value, 80)}</bdi>`;
  const q = queryOf(entity);
  if (!q || from === undefined) return html`<span class="entity">${shown}</span>`;
  return html`<a class="entity" href=${address('logs', { q, from, to })}>${shown}</a>`;
}
