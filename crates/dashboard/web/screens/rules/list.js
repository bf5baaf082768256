// Rules: those that come along and one's own, with hits, cost and noise.
import { useState } from 'preact/hooks';
import { useAsk } from '../../api.js';
import { html } from '../../html.js';
import { Empty, Failed, Loading } from '../../parts/feedback.js';
import { State, Time } from '../../parts/marks.js';
import { plain } from '../../parts/text.js';
import { address, place, turn } from '../../route.js';
import { number, several, short, t } from '../../words.js';
import { Level, asked, cost } from './marks.js';

/** @typedef {import('../../api.js').Schemas['Rule']} Rule_ */

const ORDERS = /** @type {const} */ (['noise', 'hits', 'cost', 'name']);
const STATES = /** @type {const} */ (['on', 'off', 'suspended', 'broken']);
const LEVELS = ['critical', 'high', 'medium', 'low', 'informational'];
/** More are not drawn at once. */
const SHOWN = 100;

/** @type {Record<string, (one: Rule_) => number>} */
const AMOUNTS = { noise: (one) => one.findings_a_day ?? 0, hits: (one) => one.matches ?? 0, cost: (one) => one.cost_ns ?? 0, name: () => 0 };

/** @param {Rule_[]} rules @param {Record<string, string>} params */
function chosen(rules, { words = '', state = '', origin = '', order = 'noise' }) {
  const wanted = words.toLowerCase();
  const amount = AMOUNTS[order] ?? AMOUNTS.noise;
  const rank = (/** @type {Rule_} */ one) => (LEVELS.indexOf(one.level ?? '') + LEVELS.length) % LEVELS.length;
  return rules
    .filter((one) => (!state || one.state === state) && (!origin || one.origin === origin))
    .filter((one) => !wanted || [one.title, one.id, one.file, one.description, ...(one.technique ?? [])].join(' ').toLowerCase().includes(wanted))
    .sort((one, other) => amount(other) - amount(one) || (order === 'name' ? 0 : rank(one) - rank(other)) || (one.title ?? '').localeCompare(other.title ?? ''));
}

/** @param {{ rules: Rule_[] }} props */
function Table({ rules }) {
  const [most, setMost] = useState(SHOWN);
  const { params } = place.value;
  return html`<section class="card"><div class="table-frame" tabindex="0" role="region" aria-label=${t('screen.rules')}><table class="rules">
      <thead><tr><th>${t('rules.title')}</th><th>${t('alerts.state')}</th><th class="number">${t('rules.hits')}</th><th class="number">${t('rules.told')}</th><th class="number">${t('rules.cost')}</th><th>${t('rules.file')}</th></tr></thead>
      <tbody>${rules.slice(0, most).map(
        (one) => html`<tr key=${`${one.file} ${one.line} ${one.id}`}>
          <td><span class="bar"><${Level} level=${one.level} />${one.id ? html`<a href=${address('rules', { ...params, rule: one.id })}>${plain(one.title ?? one.id, 160)}</a>` : plain(one.title ?? '?', 160)}${asked(one) && html`<span class="chip soft">${asked(one)}</span>`}</span>${one.reason && html`<p class="soft">${plain(one.reason, 300)}</p>`}</td>
          <td><${State} state=${one.state ?? ''} /></td>
          <td class="number">${short(one.matches ?? 0)}</td>
          <td class="number">${number(one.findings_a_day ?? 0)}</td>
          <td class="number">${cost(one.cost_ns)}${one.is_held_against_all && html` <span title=${t('rules.against_all')}>∀</span>`}</td>
          <td class="mono">${one.origin === 'own' ? html`<a href=${address('rules/files', { file: one.file, line: String(one.line ?? 1) })}>${plain(one.file ?? '', 80)}:${one.line}</a>` : html`<span class="soft">${t('rules.shipped')}</span>`}</td>
        </tr>`,
      )}</tbody>
    </table></div>
    ${rules.length > most && html`<p><button type="button" onClick=${() => setMost(most + SHOWN)}>${t('do.more')}</button></p>`}
  </section>`;
}

export function Rules() {
  const { params } = place.value;
  const { data, error, reload } = useAsk('/api/v1/rules', {}, 30_000);
  const found = /** @type {{ rules: Rule_[], since: string, kept_back?: string | null } | undefined} */ (data);
  if (error && !found) return html`<${Failed} error=${error} again=${reload} />`;
  if (!found) return html`<${Loading} lines=${8} />`;
  const rules = chosen([...found.rules], params);
  const select = (/** @type {string} */ name) => (/** @type {any} */ event) => turn({ [name]: event.currentTarget.value }, { inPlace: true });
  return html`<form class="bar make" role="search" onSubmit=${(/** @type {Event} */ event) => event.preventDefault()}>
      <label>${t('rules.words')}<input type="search" value=${params.words ?? ''} onInput=${select('words')} /></label>
      <label>${t('alerts.state')}<select onChange=${select('state')}><option value="">${t('view.all')}</option>${STATES.map((one) => html`<option value=${one} selected=${one === params.state}>${t(`state.${one}`)}</option>`)}</select></label>
      <label>${t('rules.origin')}<select onChange=${select('origin')}><option value="">${t('view.all')}</option><option value="shipped" selected=${params.origin === 'shipped'}>${t('rules.shipped')}</option><option value="own" selected=${params.origin === 'own'}>${t('rules.own')}</option></select></label>
      <label>${t('patterns.order')}<select onChange=${select('order')}>${ORDERS.map((one) => html`<option value=${one} selected=${one === (params.order ?? 'noise')}>${t(`rules.by_${one}`)}</option>`)}</select></label>
    </form>
    <p class="soft">${several('rules.count', rules.length)} · ${t('rules.since')} <${Time} at=${found.since} /></p>
    ${found.kept_back && html`<p class="failed">${plain(found.kept_back, 400)}</p>`}
    ${rules.length ? html`<${Table} rules=${rules} />` : html`<${Empty} title=${t('rules.none')}>${t('rules.none_more')} <a class="button" href="#/alerts/silences">${t('rules.by_kind')}</a><//>`}`;
}
