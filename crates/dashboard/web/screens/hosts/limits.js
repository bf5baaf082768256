// Thresholds: what each is of, and where it comes from.
import { html } from '../../html.js';
import { plain } from '../../parts/text.js';
import { address } from '../../route.js';
import { t } from '../../words.js';

/** @typedef {Record<string, any>} Monitoring */

/** Each field: its section, its members, and in what it is said. */
export const FIELDS = /** @type {const} */ ([
  ['cpu', 'hosts.cpu', [''], '%'],
  ['ram', 'hosts.ram', [''], '%'],
  ['disk', 'hosts.disk', [''], '%'],
  ['network', 'hosts.network', ['in', 'out'], 'KB/s'],
  ['ssh', 'watched.ssh', [''], ''],
]);

/** @param {Monitoring} monitoring @param {string} section @param {string} way @returns {number | undefined} */
export function limit(monitoring, section, way) {
  const threshold = monitoring[section]?.threshold;
  return way ? threshold?.[way] : threshold;
}

/** A threshold in the form of a part of `monitoring`, added to others. @param {Monitoring} part @param {string} section @param {string} way @param {number | null} value */
export function put(part, section, way, value) {
  const held = part[section] ?? {};
  part[section] = { ...held, threshold: way ? { ...held.threshold, [way]: value } : value };
}

/** Each threshold by itself: of its section, and which way. */
export const EACH = FIELDS.flatMap(([section, word, ways, unit]) => ways.map((way) => ({ section, word, way, unit })));

/** @param {string} section @param {string} way */
const path = (section, way) => `${section}.threshold${way && `.${way}`}`;

/** @param {import('../../api.js').Schemas['Host']} host @param {string} section @param {string} way */
export const originOf = (host, section, way) => host.threshold_origins?.[path(section, way)];

/** @param {{ origin: { from: 'default' | 'group' | 'file' | 'host', group?: string } | undefined }} props */
export function From({ origin }) {
  if (!origin) return null;
  return origin.group
    ? html`<a class="soft" href=${address('hosts', { labels: origin.group })}>${t('watched.by_group')} <bdi>${plain(origin.group, 80)}</bdi></a>`
    : html`<span class="soft">${t(`watched.by_${origin.from === 'group' ? 'default' : origin.from}`)}</span>`;
}
