// One event: its text, its fields, why it is strange, and what stood around it.
import { useAsk } from '../../api.js';
import { html } from '../../html.js';
import { Empty, Failed, Loading } from '../../parts/feedback.js';
import { Icon } from '../../parts/icons.js';
import { Menu } from '../../parts/menu.js';
import { LogText, plain } from '../../parts/text.js';
import { turn } from '../../route.js';
import { exact, utc } from '../../time.js';
import { named, t } from '../../words.js';
import { copy, curlOf, link, original } from './copy.js';
import { fields, line, text } from './events.js';

/** @typedef {import('./events.js').Question} Question */
/** @typedef {(name: string, value: string, isOut: boolean) => void} OnFilter */

const AROUND = 10;

/** @param {{ document: any }} props */
function Strange({ document }) {
  const { anomaly } = document.sentinel ?? {};
  if (anomaly?.score === undefined) return null;
  const reasons = /** @type {unknown[]} */ (anomaly.reasons ?? []);
  return html`<section class=${`strange ${anomaly.is_anomaly ? 'anomaly' : ''}`}>
    <p>
      <b>${t(anomaly.is_anomaly ? 'event.anomaly' : 'event.usual')}</b>
      <span class="soft"> ${t('event.score', { n: Number(anomaly.score).toFixed(3) })}${anomaly.state && anomaly.state !== 'ready' ? ` · ${named('model', anomaly.state)}` : ''}</span>
    </p>
    ${reasons.length > 0 && html`<ul>${reasons.map((one) => html`<li>${plain(text(one), 400)}</li>`)}</ul>`}
  </section>`;
}

/** @param {{ document: any, onFilter: OnFilter, columns: string[], onColumn: (name: string) => void }} props */
function FieldTable({ document, onFilter, columns, onColumn }) {
  const rows = fields(document).filter(([name]) => name !== 'message');
  return html`<dl class="fields-list">
    ${rows.map(([name, value]) => {
      const shown = text(value);
      const isOne = ['string', 'number', 'boolean'].includes(typeof value) && shown.length <= 400;
      return html`<div key=${name}>
        <dt><bdi>${plain(name, 120)}</bdi></dt>
        <dd class="of-field">
          ${
            isOne &&
            html`<button type="button" class="icon-only small" aria-label=${t('fields.only', { value: `${plain(name, 40)} ${plain(shown, 40)}` })} title=${t('fields.only', { value: plain(shown, 40) })} onClick=${() => onFilter(name, shown, false)}><${Icon} name="plus" /></button
              ><button type="button" class="icon-only small" aria-label=${t('fields.without', { value: `${plain(name, 40)} ${plain(shown, 40)}` })} title=${t('fields.without', { value: plain(shown, 40) })} onClick=${() => onFilter(name, shown, true)}><${Icon} name="minus" /></button>`
          }<button type="button" class="icon-only small" aria-pressed=${columns.includes(name)} aria-label=${t('fields.column', { name: plain(name, 40) })} title=${t('fields.column', { name: plain(name, 40) })} onClick=${() => onColumn(name)}><${Icon} name="columns" /></button>
        </dd>
        <dd><${LogText} text=${shown} links /></dd>
      </div>`;
    })}
  </dl>`;
}

/** @param {{ id: string }} props */
function Around({ id }) {
  const { data, error, reload } = useAsk(`/api/v1/events/${encodeURIComponent(id)}`, { before: AROUND, after: AROUND });
  const found = /** @type {any} */ (data);
  if (error) return html`<${Failed} error=${error} again=${reload} />`;
  if (!found) return html`<${Loading} lines=${6} />`;
  const all = [...found.before, found.event, ...found.after].map(line);
  return html`<p class="soft">${t(/** @type {any} */ (`around.${found.neighbours.by}`))} ${Object.values(found.neighbours.in).map((value) => html`<code>${plain(String(value), 120)}</code> `)}
      <button type="button" class="small" onClick=${() => turn({ q: found.neighbours.query, from: new Date(Date.parse(all[0].at) - 60_000).toISOString(), to: new Date(Date.parse(all[all.length - 1].at) + 60_000).toISOString() })}>${t('around.all')}</button></p>
    <ol class="around">
      ${all.map(
        (one) => html`<li key=${one.id} class=${`${one.level} ${one.id === id ? 'this' : ''}`} aria-current=${one.id === id ? 'true' : undefined}>
          <button type="button" class="quiet" title=${utc(one.at)} onClick=${() => turn({ event: one.id }, { inPlace: true })}>${exact(one.at).slice(11)}</button>
          <span class="log-text">${plain(one.message, 600)}</span>
        </li>`,
      )}
    </ol>`;
}

const TABS = /** @type {const} */ (['fields', 'around', 'json']);

/**
 * @param {{ id: string, known: any, question: Question, tab: string, columns: string[], onColumn: (name: string) => void,
 *   onFilter: OnFilter, onClose: () => void, onTab: (tab: string) => void }} props `known`: the document, where the list has it
 */
export function Event({ id, known, question, tab, columns, onColumn, onFilter, onClose, onTab }) {
  const { data, error, reload } = useAsk(known ? null : `/api/v1/events/${encodeURIComponent(id)}`);
  const document = known ?? /** @type {any} */ (data)?.event;
  const current = TABS.includes(/** @type {any} */ (tab)) ? tab : 'fields';
  if (!document) {
    const isGone = [400, 404].includes(/** @type {any} */ (error)?.status);
    return html`<aside class="event" aria-label=${t('event.title')}>
      <header class="bar"><button type="button" class="icon-only push" aria-label=${t('do.close')} onClick=${onClose}><${Icon} name="close" /></button></header>
      ${isGone ? html`<${Empty} title=${t('event.gone')} />` : error ? html`<${Failed} error=${error} again=${reload} />` : html`<${Loading} />`}
    </aside>`;
  }
  const shown = line(document);
  const template = /** @type {any} */ (document).sentinel?.template;
  return html`<aside class="event" aria-label=${t('event.title')}>
    <header class="bar">
      <time datetime=${shown.at} title=${utc(shown.at)} class="mono">${exact(shown.at)}</time>
      <span class=${`level ${shown.level}`}>${plain(shown.level, 8)}</span>
      <span class="push"></span>
      <${Menu} label=${html`<${Icon} name="copy" />${t('do.copy')}`} kind="small" align="right">
        ${(/** @type {() => void} */ close) =>
          /** @type {const} */ ([
            ['copy.line', () => original(document)],
            ['copy.json', () => JSON.stringify(document, null, 2)],
            ['copy.curl', () => curlOf(id)],
            ['copy.link', () => link(question, { event: id })],
          ]).map(([word, what]) => html`<button type="button" onClick=${() => { close(); copy(what()); }}>${t(word)}</button>`)}
      <//>
      <button type="button" class="icon-only" aria-label=${t('do.close')} onClick=${onClose}><${Icon} name="close" /></button>
    </header>
    <div class="event-text"><${LogText} key=${id} text=${shown.message} links /></div>
    ${
      template?.id &&
      html`<p class="bar template"><${Icon} name="pattern" /><code>${plain(text(template.text), 300)}</code><button type="button" class="small" onClick=${() => onFilter('sentinel.template.id', template.id, false)}>${t('event.alike')}</button></p>`
    }
    <${Strange} document=${document} />
    <div class="bar" role="group" aria-label=${t('event.views')}>
      ${TABS.map((one) => html`<button key=${one} type="button" class="small" aria-pressed=${one === current} onClick=${() => onTab(one)}>${t(`event.${one}`)}</button>`)}
    </div>
    ${current === 'fields' && html`<${FieldTable} document=${document} onFilter=${onFilter} columns=${columns} onColumn=${onColumn} />`}
    ${current === 'around' && html`<${Around} id=${id} />`}
    ${current === 'json' && html`<pre class="json" tabindex="0"><${LogText} text=${JSON.stringify(document, null, 2)} /></pre>`}
  </aside>`;
}
