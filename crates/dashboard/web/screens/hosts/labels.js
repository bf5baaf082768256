// Labels of hosts: shown, and chosen by.
import { html } from '../../html.js';
import { plain } from '../../parts/text.js';
import { address, turn } from '../../route.js';
import { t } from '../../words.js';

/** @typedef {import('../../api.js').Schemas['Host']} Host */

/** @param {Host} host each as `name=value` */
const pairs = (host) => Object.entries(host.labels ?? {}).map(([name, value]) => `${name}=${value}`);

/** The hosts that carry all of these. @param {Host[]} hosts @param {string | undefined} wanted such as `env=prod,role=web` */
export function carrying(hosts, wanted) {
  const all = (wanted ?? '').split(',').filter(Boolean);
  return hosts.filter((host) => all.every((one) => pairs(host).includes(one)));
}

/** @param {{ host: Host }} props */
export function Labels({ host }) {
  const all = pairs(host);
  if (!all.length) return null;
  return html`<span class="labels">${all.map((one) => html`<a key=${one} class="chip soft" href=${address('hosts', { labels: one })}><bdi>${plain(one, 80)}</bdi></a>`)}</span>`;
}

/** Chooses hosts by a label, or by those that an address names. @param {{ hosts: Host[], wanted: string }} props */
export function Choice({ hosts, wanted }) {
  const all = [...new Set([...hosts.flatMap(pairs), ...(wanted ? [wanted] : [])])].sort();
  if (!all.length) return null;
  return html`<select aria-label=${t('hosts.label')} onChange=${(/** @type {any} */ event) => turn({ labels: event.currentTarget.value })}>
    <option value="">${t('hosts.every_label')}</option>${all.map((one) => html`<option key=${one} value=${one} selected=${one === wanted}>${plain(one, 80)}</option>`)}
  </select>`;
}
