// The settings in force, with where each comes from.
import { useState } from 'preact/hooks';
import { useAsk } from '../../api.js';
import { html } from '../../html.js';
import { Empty, Failed, Loading } from '../../parts/feedback.js';
import { plain } from '../../parts/text.js';
import { named, several, t } from '../../words.js';

/** @typedef {import('../../api.js').Schemas['Setting']} Setting */

/** @param {{ one: Setting }} props */
function Row({ one }) {
  const isSet = one.origin !== 'default';
  return html`<tr class=${isSet ? 'is-set' : undefined}>
    <td><code>${one.name}</code><p class="soft help">${one.help}</p></td>
    <td class="mono">${one.value === null || one.value === '' ? html`<span class="soft">${t('effective.unset')}</span>` : plain(one.value, 400)}
      ${isSet && !one.secret && one.default && html`<p class="soft">${t('effective.default')} ${plain(one.default, 200)}</p>`}</td>
    <td><span class=${isSet ? 'chip change new' : 'soft'}>${named('origin', one.origin)}</span>${one.file && html`<p class="soft mono">${plain(one.file, 200)}</p>`}</td>
  </tr>`;
}

export function Effective() {
  const [words, setWords] = useState('');
  const [isOwn, setOwn] = useState(false);
  const { data, error, reload } = useAsk('/api/v1/settings');
  const all = /** @type {{ settings: Setting[] } | undefined} */ (data)?.settings;
  if (error && !all) return html`<${Failed} error=${error} again=${reload} />`;
  if (!all) return html`<${Loading} lines=${10} />`;
  const wanted = words.trim().toLowerCase();
  const shown = all.filter((one) => (!isOwn || one.origin !== 'default') && (!wanted || `${one.name} ${one.value ?? ''} ${one.help}`.toLowerCase().includes(wanted)));
  return html`<div class="bar make">
      <label class="grow">${t('effective.words')}<input type="search" value=${words} onInput=${(/** @type {any} */ event) => setWords(event.currentTarget.value)} /></label>
      <label class="row"><input type="checkbox" checked=${isOwn} onChange=${(/** @type {any} */ event) => setOwn(event.currentTarget.checked)} />${t('effective.only_set')}</label>
      <span class="soft">${several('effective.count', shown.length)}</span>
    </div>
    <p class="soft">${t('effective.how')}</p>
    ${
      shown.length
        ? html`<section class="card"><div class="table-frame" tabindex="0" role="region" aria-label=${t('settings.effective')}><table class="effective">
            <thead><tr><th>${t('effective.name')}</th><th>${t('effective.value')}</th><th>${t('effective.origin')}</th></tr></thead>
            <tbody>${shown.map((one) => html`<${Row} key=${one.name} one=${one} />`)}</tbody>
          </table></div></section>`
        : html`<${Empty} title=${t('effective.none')} />`
    }`;
}
