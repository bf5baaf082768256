// One pattern: what people call it, when it came, and what can be done to it.
import { may, useAsk } from '../../api.js';
import { html } from '../../html.js';
import { Empty, Failed, Loading } from '../../parts/feedback.js';
import { Icon } from '../../parts/icons.js';
import { Time } from '../../parts/marks.js';
import { LogText, plain } from '../../parts/text.js';
import { address, place } from '../../route.js';
import { named, number, t } from '../../words.js';
import { act, takeBack, useAgain } from './acts.js';

/** @typedef {import('../../api.js').Schemas['KnownTemplate']} Known */
/** @typedef {import('../../api.js').Schemas['TemplateOperation']} Operation */

/** @param {{ known: Known, changed: () => void }} props */
function Change({ known, changed }) {
  /** @param {any} event @param {string} path @param {(value: string) => Record<string, unknown>} body */
  const submit = (event, path, body) => {
    event.preventDefault();
    const form = event.currentTarget;
    const value = String(new FormData(form).get('value') ?? '').trim();
    if (value) act(`${known.id}/${path}`, body(value), changed).then((done) => done && form.reset());
  };
  return html`<section class="card stack" aria-label=${t('patterns.change')}>
    <form class="bar make" onSubmit=${(/** @type {any} */ event) => submit(event, 'name', (name) => ({ name }))}>
      <label>${t('patterns.name')}<input name="value" required maxlength="120" value=${known.name ?? ''} /></label><button type="submit">${t('patterns.do_name')}</button>
    </form>
    <div class="bar"><button type="button" disabled=${known.pinned} onClick=${() => act(`${known.id}/pin`, {}, changed)}>${t(known.pinned ? 'patterns.pinned' : 'patterns.pin')}</button><span class="soft">${t('patterns.pin_how')}</span></div>
    ${
      known.variables.length > 0 &&
      html`<form class="bar make" onSubmit=${(/** @type {any} */ event) => submit(event, 'split', (value) => ({ variable: Number(value) }))}>
        <label>${t('patterns.variable')}<select name="value">${known.variables.map((text, at) => html`<option value=${at + 1}>${at + 1}: ${plain(text, 40)}</option>`)}</select></label><button type="submit">${t('patterns.split')}</button>
      </form>`
    }
    <form class="bar make" onSubmit=${(/** @type {any} */ event) => submit(event, 'split', (example) => ({ example }))}>
      <label class="grow">${t('patterns.example')}<input name="value" required maxlength="4096" class="mono" /></label><button type="submit">${t('patterns.split')}</button>
    </form>
  </section>`;
}

/** @param {{ id: string, round: number, changed: () => void }} props */
function Operations({ id, round, changed }) {
  const { data } = useAgain('/api/v1/anomaly/templates/operations', {}, round);
  const all = /** @type {{ operations: Operation[] } | undefined} */ (data)?.operations ?? [];
  const own = all.filter((one) => one.result?.id === id || (one.templates ?? []).some((template) => template.id === id));
  if (!own.length) return null;
  return html`<section class="card"><h2>${t('patterns.operations')}</h2><ul class="brief">${[...own].reverse().map(
    (one) => html`<li key=${one.id}><b>${named('operation', one.operation)}</b> <span class="mono">${plain(one.name ?? one.example ?? (one.variable ? String(one.variable) : (one.templates ?? []).map(({ text }) => text).join(' · ')), 200)}</span>
      <span class="soft"><${Time} at=${one.given_at} /></span>${may('admin') && html`<button type="button" class="small push" onClick=${() => takeBack(one.id, changed)}>${t('patterns.take_back')}</button>`}</li>`,
  )}</ul></section>`;
}

/** @param {{ id: string, round: number, changed: () => void }} props */
export function Pattern({ id, round, changed }) {
  const { data, error, reload } = useAgain(`/api/v1/anomaly/templates/${encodeURIComponent(id)}`, {}, round);
  const seen = useAsk('/api/v1/patterns', { q: `sentinel.template.id:${id}`, limit: 1 });
  const known = /** @type {Known | undefined} */ (data);
  const stored = /** @type {any} */ (seen.data)?.patterns?.[0];
  const back = html`<p><a class="button" href=${address('patterns', place.value.params)}><${Icon} name="back" />${t('patterns.all')}</a></p>`;
  if (error && !known && !stored) return html`${back}${/** @type {any} */ (error).status === 404 ? html`<${Empty} title=${t('patterns.gone_for_good')} />` : html`<${Failed} error=${error} again=${reload} />`}`;
  if (!known && !stored) return html`<${Loading} lines=${6} />`;
  return html`${back}<article class="signal">
      <header><h2>${plain(known?.name ?? t('patterns.one'), 200)}</h2>
        <p class="card"><${LogText} text=${known?.text ?? stored?.text ?? ''} /></p></header>
      <dl class="facts">
        ${stored && html`<div><dt>${t('patterns.events')}</dt><dd>${number(stored.count)}</dd></div><div><dt>${t('patterns.first')}</dt><dd><${Time} at=${stored.first} /></dd></div><div><dt>${t('patterns.last')}</dt><dd><${Time} at=${stored.last} /></dd></div><div><dt>${t('patterns.anomalies')}</dt><dd>${number(stored.anomalies ?? 0)}</dd></div>`}
        ${known?.pinned && html`<div><dt>${t('alerts.state')}</dt><dd>${t('patterns.pinned')}</dd></div>`}
        ${known && known.aliases.length > 0 && html`<div class="wide"><dt>${t('patterns.aliases')}</dt><dd class="mono">${known.aliases.join(', ')}</dd></div>`}
      </dl>
      <p><a class="button" href=${address('logs', { q: `sentinel.template.id:${id}`, from: 'all' })}><${Icon} name="logs" />${t('patterns.logs')}</a></p>
    </article>
    ${known && may('admin') && html`<${Change} key=${known.name ?? ''} known=${known} changed=${changed} />`}
    <${Operations} id=${id} round=${round} changed=${changed} />`;
}
