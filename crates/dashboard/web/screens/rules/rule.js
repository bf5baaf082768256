// One rule: what it looks for, how it does, its text, and what it would have told.
import { may, useAsk } from '../../api.js';
import { html } from '../../html.js';
import { Empty, Failed, Loading } from '../../parts/feedback.js';
import { Icon } from '../../parts/icons.js';
import { State } from '../../parts/marks.js';
import { LogText, plain } from '../../parts/text.js';
import { address, place } from '../../route.js';
import { number, t } from '../../words.js';
import { Level, asked, cost } from './marks.js';
import { Trial } from './trial.js';

/** @typedef {import('../../api.js').Schemas['Rule']} Rule_ */

/** @param {{ id: string }} props */
export function Rule({ id }) {
  const { data, error, reload } = useAsk(`/api/v1/rules/${encodeURIComponent(id)}`);
  const rule = /** @type {Rule_ | undefined} */ (data);
  const { rule: _rule, ...params } = place.value.params;
  const back = html`<p><a class="button" href=${address('rules', params)}><${Icon} name="back" />${t('rules.all')}</a></p>`;
  if (error && !rule) return html`${back}${/** @type {any} */ (error).status === 404 ? html`<${Empty} title=${t('rules.gone')} />` : html`<${Failed} error=${error} again=${reload} />`}`;
  if (!rule) return html`<${Loading} lines=${8} />`;
  return html`${back}<article class="signal">
    <header><div class="marks"><${Level} level=${rule.level} /><${State} state=${rule.state ?? ''} />${(rule.technique ?? []).map((one) => html`<span class="chip soft mono">${plain(one, 20)}</span>`)}</div>
      <h2>${plain(rule.title ?? id, 200)}</h2></header>
    ${rule.reason && html`<p class="failed">${plain(rule.reason, 400)}</p>`}
    ${rule.description && html`<p>${plain(rule.description, 2000)}</p>`}
    <dl class="facts">
      <div><dt>${t('rules.hits')}</dt><dd>${number(rule.matches ?? 0)}</dd></div>
      <div><dt>${t('rules.told')}</dt><dd>${number(rule.findings_a_day ?? 0)}</dd></div>
      <div><dt>${t('rules.cost')}</dt><dd>${cost(rule.cost_ns) || '–'}</dd></div>
      ${asked(rule) && html`<div><dt>${t('rules.on')}</dt><dd>${asked(rule)}</dd></div>`}
      <div class="wide"><dt>${t('rules.file')}</dt><dd class="mono">${rule.origin === 'own' ? html`<a href=${address('rules/files', { file: rule.file, line: String(rule.line ?? 1) })}>${plain(rule.file ?? '', 120)}:${rule.line}</a>` : `${plain(rule.file ?? '', 120)} · ${t('rules.shipped')}`}</dd></div>
      ${(rule.false_positives ?? []).length > 0 && html`<div class="wide"><dt>${t('rules.false_positives')}</dt><dd>${rule.false_positives?.map((one) => plain(one, 200)).join(' · ')}</dd></div>`}
    </dl>
    ${may('admin') && html`<p><a class="button" href=${address('alerts/silences', { rule: id })}><${Icon} name="snooze" />${t('silences.like_this')}</a></p>`}
    ${rule.state === 'on' && html`<${Trial} what=${() => ({ rule: id })} />`}
    <section><h3>${t('rules.text')}</h3><pre class="json" tabindex="0"><${LogText} text=${rule.source ?? ''} /></pre></section>
    ${rule.origin !== 'own' && html`<p><a class="button" href=${address('rules/files', { copy: id })}>${t('rules.copy')}</a></p>`}
  </article>`;
}
