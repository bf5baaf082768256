// Models: what says how strange an event is, how it fares, and which others there are.
import { may, useAsk } from '../../api.js';
import { html } from '../../html.js';
import { Empty, Failed, Loading } from '../../parts/feedback.js';
import { State, Time } from '../../parts/marks.js';
import { plain } from '../../parts/text.js';
import { number, t } from '../../words.js';
import { Kept } from './kept.js';
import { Scores } from './scores.js';
import { Training } from './training.js';

/** @typedef {import('../../api.js').Schemas['Model']} Model */

const percent = (/** @type {number | undefined} */ share) => `${number(Math.round((share ?? 0) * 10_000) / 100)} %`;

/** @param {{ model: Model }} props */
function Card({ model }) {
  return html`<section class="card stack" aria-label=${t('models.serving')}>
    <div class="bar"><h2>${t('models.serving')}</h2><span class="mono">${plain(model.version, 60)}</span><${State} state=${model.state} /></div>
    ${model.problem && html`<p class="failed">${plain(model.problem, 400)}</p>`}
    <dl class="facts">
      ${model.trained_at && html`<div><dt>${t('models.trained_at')}</dt><dd><${Time} at=${model.trained_at} /></dd></div>`}
      <div><dt>${t('patterns.events')}</dt><dd>${number(model.events ?? 0)}</dd></div>
      <div><dt>${t('screen.patterns')}</dt><dd>${number(model.templates ?? 0)}</dd></div>
      ${model.threshold !== undefined && html`<div><dt>${t('models.threshold')}</dt><dd>${number(model.threshold)}</dd></div>`}
      ${model.false_positive_rate !== undefined && html`<div><dt>${t('models.false_positives')}</dt><dd>${percent(model.false_positive_rate)}</dd></div>`}
      ${model.from && model.to && html`<div class="wide"><dt>${t('models.of')}</dt><dd><${Time} at=${model.from} /> – <${Time} at=${model.to} /></dd></div>`}
    </dl>
  </section>`;
}

/** @param {{ drift: NonNullable<Model['drift']> }} props */
function Drift({ drift }) {
  return html`<section class="card" aria-label=${t('models.drift')}><div class="bar"><h2>${t('models.drift')}</h2><${State} state=${drift.state} />${drift.since && html`<span class="soft">${t('channels.since')} <${Time} at=${drift.since} /></span>`}</div>
    <p class="soft">${t('models.drift_how', { n: number(drift.events), flagged: number(drift.flagged) })}</p>
    ${drift.features.length > 0 && html`<ul class="brief">${drift.features.map((one) => html`<li>${plain(one, 300)}</li>`)}</ul>`}
  </section>`;
}

/** @param {{ features: NonNullable<Model['features']> }} props */
function Features({ features }) {
  return html`<section class="card"><h2>${t('models.features')}</h2><div class="table-frame" tabindex="0" role="region" aria-label=${t('models.features')}><table>
    <thead><tr><th>${t('models.feature')}</th><th class="number">${t('models.weight')}</th><th class="number">${t('models.splits')}</th><th class="number">${t('models.surprising')}</th></tr></thead>
    <tbody>${features.map((one) => html`<tr key=${one.name}><td>${plain(one.name ?? '', 80)}</td><td class="number">${number(one.weight ?? 0)}</td><td class="number">${percent(one.share_of_splits)}</td><td class="number">${percent(one.share_of_events)}</td></tr>`)}</tbody>
  </table></div></section>`;
}

function Lately() {
  const { data } = useAsk('/api/v1/anomaly/model/rules');
  const found = /** @type {{ anomalies: number, rules: { rule: string, anomalies: number, share_of_ordinary: number }[] } | undefined} */ (data);
  if (!found?.rules?.length) return null;
  return html`<section class="card"><h2>${t('models.lately')}</h2><ul class="brief">${found.rules.map((one) => html`<li><span>${plain(one.rule, 300)}</span><span class="soft push">${number(one.anomalies)} / ${number(found.anomalies)} · ${t('models.ordinary', { share: percent(one.share_of_ordinary) })}</span></li>`)}</ul></section>`;
}

export default function Models() {
  const one = useAsk('/api/v1/anomaly/model', {}, 15_000);
  const all = useAsk('/api/v1/anomaly/models', {}, 15_000);
  const model = /** @type {Model | undefined} */ (one.data);
  const models = /** @type {{ models: Model[] } | undefined} */ (all.data)?.models;
  const changed = () => {
    one.reload();
    all.reload();
  };
  const isTrained = model?.state === 'trained';
  const shown = () => {
    if (one.error && !model) return html`<${Failed} error=${one.error} again=${changed} />`;
    if (!model || (!models && !all.error)) return html`<${Loading} lines=${8} />`;
    return html`
      ${isTrained ? html`<${Card} model=${model} />` : html`<${Empty} title=${t('models.learning')}>${t('models.too_few', { n: number(model.needed ?? 0) })}<//>`}
      <${Scores} threshold=${model.threshold} />
      ${model.drift && html`<${Drift} drift=${model.drift} />`}
      ${models && models.length > 0 && html`<${Kept} models=${models} changed=${changed} />`}
      ${may('admin') && html`<${Training} onTrained=${changed} />`}
      ${isTrained && html`<${Lately} />`}
      ${(model.features ?? []).length > 0 && html`<${Features} features=${model.features ?? []} />`}`;
  };
  return html`<div class="page"><header><h1>${t('screen.models')}</h1></header>${shown()}</div>`;
}
