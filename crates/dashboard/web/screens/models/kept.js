// The models that are kept: which serves, which would, and what another one would say.
import { useState } from 'preact/hooks';
import { ask, may, post } from '../../api.js';
import { html } from '../../html.js';
import { Dialog } from '../../parts/dialog.js';
import { tell, tellRefused } from '../../parts/feedback.js';
import { State, Time } from '../../parts/marks.js';
import { plain } from '../../parts/text.js';
import { named, number, t } from '../../words.js';

const BASE = '/api/v1/anomaly';

/** @typedef {import('../../api.js').Schemas['Model']} Model */
/** @typedef {import('../../api.js').Schemas['Comparison']} Comparison */

const percent = (/** @type {number | undefined} */ share) => `${number(Math.round((share ?? 0) * 10_000) / 100)} %`;

/** @param {{ found: Comparison, onClose: () => void }} props */
function Compared({ found, onClose }) {
  const { a, b } = found;
  const row = (/** @type {Comparison['a']} */ one) => html`<tr><td class="mono">${one?.version}</td><td class="number">${number(one?.threshold ?? 0)}</td><td class="number">${number(one?.flagged ?? 0)}</td><td class="number">${percent(one?.share_flagged)}</td></tr>`;
  return html`<${Dialog} title=${t('models.compare')} kind="wide" onClose=${onClose}><div class="stack">
    <p>${t('models.compared', { n: number(found.events ?? 0) })}</p>
    <div class="table-frame"><table><thead><tr><th>${t('models.version')}</th><th class="number">${t('models.threshold')}</th><th class="number">${t('models.strange')}</th><th class="number">%</th></tr></thead><tbody>${row(a)}${row(b)}</tbody></table></div>
    <dl class="facts"><div><dt>${t('models.differ')}</dt><dd>${number(found.flags_differ ?? 0)} · ${percent(found.share_flags_differ)}</dd></div><div><dt>${t('models.correlation')}</dt><dd>${number(Math.round((found.rank_correlation ?? 0) * 1000) / 1000)}</dd></div></dl>
    ${
      (found.disagreements ?? []).length > 0 &&
      html`<section><h3>${t('models.disagree')}</h3><ul class="brief">${found.disagreements?.map((one) => html`<li><b>${number(Math.round((one.a ?? 0) * 1000) / 1000)} → ${number(Math.round((one.b ?? 0) * 1000) / 1000)}</b> <span class="soft">${(one.features ?? []).map(({ name }) => plain(name ?? '', 80)).join(', ')}</span></li>`)}</ul></section>`
    }
  </div><//>`;
}

/** @param {{ models: Model[], changed: () => void }} props */
export function Kept({ models, changed }) {
  const [found, setFound] = useState(/** @type {Comparison | undefined} */ (undefined));
  const serving = models.find(({ active }) => active)?.version;
  /** @param {string} version */
  const activate = (version) => post(`${BASE}/models/${encodeURIComponent(version)}/activate`);
  /** @param {() => Promise<any>} work @param {string} text */
  const change = async (work, text) => {
    try {
      await work();
      tell(text, { undo: serving ? () => activate(serving).then(() => { tell(t('told.undone')); changed(); }, tellRefused) : undefined });
    } catch (error) {
      tellRefused(error);
    }
    changed();
  };
  /** @param {string} version */
  const compare = async (version) => {
    try {
      setFound(await ask(`${BASE}/models/compare`, { a: serving, b: version }));
    } catch (error) {
      tellRefused(error);
    }
  };
  return html`<section class="card"><header><h2>${t('models.kept')}</h2>
      ${may('admin') && models.length > 1 && html`<button type="button" class="push" onClick=${() => change(() => post(`${BASE}/models/rollback`), t('models.rolled_back'))}>${t('models.roll_back')}</button>`}</header>
    <div class="table-frame" tabindex="0" role="region" aria-label=${t('models.kept')}><table>
      <thead><tr><th>${t('models.version')}</th><th>${t('alerts.state')}</th><th>${t('models.trained_at')}</th><th>${t('models.for')}</th><th class="number">${t('patterns.events')}</th><th class="number">${t('models.threshold')}</th><th><span class="unseen">${t('models.activate')}</span></th></tr></thead>
      <tbody>${models.map(
        (one) => html`<tr key=${one.version}>
          <td class="mono">${plain(one.version, 60)}</td>
          <td><${State} state=${one.standing ?? one.state} />${one.why && html`<p class="soft">${plain(one.why, 300)}</p>`}</td>
          <td class="tight">${one.trained_at && html`<${Time} at=${one.trained_at} />`}</td>
          <td>${one.trained_for ? named('trained_for', one.trained_for) : ''}</td>
          <td class="number">${number(one.events ?? 0)}</td>
          <td class="number">${one.threshold === undefined ? '' : number(one.threshold)}</td>
          <td><span class="bar">
            ${!one.active && may('admin') && html`<button type="button" class="small" onClick=${() => change(() => activate(one.version), t('models.activated'))}>${t('models.activate')}</button>`}
            ${!one.active && serving && html`<button type="button" class="small" onClick=${() => compare(one.version)}>${t('models.compare')}</button>`}
            <a class="button small" download=${`${one.version}.model`} href=${`${BASE}/models/${encodeURIComponent(one.version)}/export`}>${t('models.export')}</a>
          </span></td>
        </tr>`,
      )}</tbody>
    </table></div>
    ${found && html`<${Compared} found=${found} onClose=${() => setFound(undefined)} />`}
  </section>`;
}
