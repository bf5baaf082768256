// Anomalies: what was strange, when and at which source; and what people said of it.
import { may, useAsk } from '../../api.js';
import { html } from '../../html.js';
import { Empty, Failed, Loading } from '../../parts/feedback.js';
import { Time } from '../../parts/marks.js';
import { plain } from '../../parts/text.js';
import { go, place, turn } from '../../route.js';
import { moment } from '../../time.js';
import { number, several, t } from '../../words.js';
import { line } from '../logs/events.js';
import { withdraw } from './judge.js';
import { Lanes } from './lanes.js';
import { Anomaly } from './one.js';

/** @typedef {import('../../api.js').Schemas['Feedback']} Feedback */

const PERIODS = /** @type {const} */ (['1h', '24h', '7d', '30d']);
/** More are not drawn. */
const MOST = 500;

/** @param {{ given: Feedback[], changed: () => void }} props */
function Given({ given, changed }) {
  if (!given.length) return null;
  return html`<section class="card"><h2>${t('anomalies.given')}</h2><div class="table-frame" tabindex="0" role="region" aria-label=${t('anomalies.given')}><table class="given">
    <thead><tr><th>${t('alerts.at')}</th><th>${t('anomalies.label')}</th><th>${t('logs.message')}</th><th>${t('anomalies.holds')}</th><th><span class="unseen">${t('patterns.take_back')}</span></th></tr></thead>
    <tbody>${[...given].reverse().map(
      (one) => html`<tr key=${one.id}><td class="tight"><${Time} at=${one.given_at} /></td><td>${t(one.label === 'normal' ? 'label.expected' : 'label.real')}</td><td class="log-text">${plain(one.event.message ?? '', 300)}</td><td>${t(one.holds_for === 'template' ? 'anomalies.holds_template' : 'anomalies.holds_similar')}</td>
        <td>${may('admin') && html`<button type="button" class="small" onClick=${() => withdraw(one.id, changed)}>${t('patterns.take_back')}</button>`}</td></tr>`,
    )}</tbody>
  </table></div></section>`;
}

export default function Anomalies() {
  const { part, params } = place.value;
  const period = PERIODS.find((one) => one === params.period) ?? '24h';
  const found = useAsk('/api/v1/search', { q: 'sentinel.anomaly.is_anomaly:true', from: `now-${period}`, limit: MOST }, 30_000);
  const model = useAsk('/api/v1/anomaly/model');
  const feedback = useAsk('/api/v1/anomaly/feedback');
  const given = /** @type {{ feedback: Feedback[] } | undefined} */ (feedback.data)?.feedback ?? [];
  const data = /** @type {{ total: number, hits: any[] } | undefined} */ (found.data);
  const lines = (data?.hits ?? []).map(line);
  const range = /** @type {[number, number]} */ ([moment(`now-${period}`) ?? 0, Date.now()]);
  const open = (/** @type {string} */ id) => go(`anomalies/${encodeURIComponent(id)}`, params);
  const card = /** @type {import('../../api.js').Schemas['Model'] | undefined} */ (model.data);
  const shown = () => {
    if (found.error && !data) return html`<${Failed} error=${found.error} again=${found.reload} />`;
    if (!data) return html`<${Loading} lines=${8} />`;
    if (!lines.length) return html`<${Empty} title=${t('anomalies.none')}>${card && card.state !== 'trained' ? t('models.too_few', { n: number(card.needed ?? 0) }) : t('anomalies.none_more')}<//>`;
    return html`<p class="soft">${several('overview.anomalies', data.total)}${data.total > lines.length ? ` · ${t('logs.most', { n: number(lines.length) })}` : ''}</p>
      <${Lanes} lines=${lines} range=${range} threshold=${card?.threshold} onOpen=${open} />
      <section class="card"><div class="table-frame" tabindex="0" role="region" aria-label=${t('screen.anomalies')}><table class="strange-list">
        <thead><tr><th>${t('alerts.at')}</th><th class="number">${t('anomalies.score')}</th><th>${t('anomalies.source')}</th><th>${t('logs.message')}</th></tr></thead>
        <tbody>${lines.slice(0, 100).map((one) => html`<tr key=${one.id}><td class="tight"><${Time} at=${one.at} /></td><td class="number">${number(one.score ?? 0)}</td><td class="mono tight">${plain(one.service, 40)}</td><td><button type="button" class="quiet pattern" onClick=${() => open(one.id)}><span class="log-text">${plain(one.message, 300)}</span></button></td></tr>`)}</tbody>
      </table></div></section>`;
  };
  return html`<div class="page">
    <header><h1>${t('screen.anomalies')}</h1>
      <span class="bar" role="group" aria-label=${t('times.title')}>${PERIODS.map((one) => html`<button key=${one} type="button" class="small" aria-pressed=${one === period} onClick=${() => turn({ period: one })}>${one.replace(/(\d+)(\w)/, '$1 $2')}</button>`)}</span></header>
    ${shown()}
    <${Given} given=${given} changed=${feedback.reload} />
    ${part && html`<${Anomaly} key=${part} id=${part} threshold=${card?.threshold} onClose=${() => go('anomalies', params)} changed=${feedback.reload} />`}
  </div>`;
}
