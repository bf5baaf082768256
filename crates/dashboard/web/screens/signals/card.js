// One signal: what happened, why it matters, what to do next; then what it rests on and what was done with it.
import { useEffect, useRef } from 'preact/hooks';
import { may, useAsk } from '../../api.js';
import { html } from '../../html.js';
import { Empty, Failed, Loading } from '../../parts/feedback.js';
import { Icon } from '../../parts/icons.js';
import { Entity, Severity, State, Time, queryOf } from '../../parts/marks.js';
import { LogText, plain } from '../../parts/text.js';
import { address } from '../../route.js';
import { WIDTHS, moment, stamp, zone } from '../../time.js';
import { language, named, number, t } from '../../words.js';
import { Actions } from './actions.js';
import { confidence } from './acts.js';

/** @typedef {import('../../api.js').Schemas['Signal']} Signal */

/** A while before and after what happened. @param {Signal} signal */
export function times(signal) {
  const around = 10 * 60_000;
  return {
    from: new Date(Date.parse(signal.first) - around).toISOString(),
    to: new Date(Date.parse(signal.last) + around).toISOString(),
  };
}

/** @param {{ signal: Signal }} props */
function Evidence({ signal }) {
  const lines = signal.evidence ?? [];
  if (!lines.length) return null;
  return html`<section>
    <h3>${t('signal.evidence')}</h3>
    <ol class="evidence">
      ${lines.map(
        (line, at) => html`${
          at > 0 && at === 4 && signal.count > lines.length && html`<li class="gap soft">${t('signal.between', { n: number(signal.count - lines.length) })}</li>`
        }<li>
          <a href=${address('logs', { ...times(signal), event: line.id })} title=${t('signal.open_line')}><${Time} at=${line['@timestamp'] ?? ''} /></a>
          <${LogText} text=${line.message ?? ''} />
        </li>`,
      )}
    </ol>
  </section>`;
}

/** @param {{ entries: any[] }} props */
function Timeline({ entries }) {
  return html`<section>
    <h3>${t('signal.timeline')}</h3>
    <ol class="timeline">
      ${entries.map(
        (entry) => html`<li class=${entry.what}>
          <span><b>${named('happening', entry.what)}</b>${entry.by && html` · ${plain(entry.by, 60)}`} <span class="soft"><${Time} at=${entry.at} /></span></span>
          ${entry.note && html`<p class="note">${plain(entry.note, 4000)}</p>`}
        </li>`,
      )}
    </ol>
  </section>`;
}

/** @param {{ id: string, self: string, params: Record<string, string> }} props */
function Incident({ id, self, params }) {
  const { data } = useAsk(`/api/v1/incidents/${id}`, { zone, lang: language.value });
  const others = (/** @type {any} */ (data)?.signals ?? []).filter((/** @type {Signal} */ one) => one.id !== self);
  if (!others.length) return null;
  return html`<section class="incident">
    <h3>${t('signal.incident')}</h3>
    <ul>
      ${others.map(
        (/** @type {Signal} */ one) => html`<li key=${one.id}>
          <${Severity} level=${one.severity} /> <a href=${address(`signals/${one.id}`, params)}>${plain(one.title, 160)}</a>
          <span class="soft"> <${Time} at=${one.first} /></span>
        </li>`,
      )}
    </ul>
  </section>`;
}

/** The way to the process that it is about, as it ran then. @param {{ signal: Signal }} props */
function OfProcess({ signal }) {
  const pids = /** @type {any} */ (signal.facts)?.['process.pid'];
  const host = signal.entities.find(({ type }) => type === 'host')?.value;
  if (!Array.isArray(pids) || !pids.length || !host) return null;
  return html`<a class="button" href=${address('processes', { host, pid: String(pids[0]), at: signal.last })}><${Icon} name="processes" />${t('signal.process')}</a>`;
}

/** The way to what was measured on its host, at the moment it began. @param {{ signal: Signal }} props */
function OfHost({ signal }) {
  const host = signal.entities.find(({ type }) => type === 'host')?.value;
  if (!host || !/^(host_|service_down|agent_silent)/.test(signal.kind)) return null;
  const began = Date.parse(signal.first);
  const width = WIDTHS.find((one) => (moment(`now-${one}`) ?? 0) < began) ?? '365d';
  return html`<a class="button" href=${address(`hosts/${encodeURIComponent(host)}`, { width, at: signal.first })}><${Icon} name="hosts" />${t('signal.host')}</a>`;
}

/** @param {{ signal: Signal }} props */
function Facts({ signal }) {
  const range = times(signal);
  return html`<dl class="facts">
    <div><dt>${t('signal.first')}</dt><dd><${Time} at=${signal.first} /></dd></div>
    <div><dt>${t('signal.last')}</dt><dd><${Time} at=${signal.last} /></dd></div>
    <div><dt>${t('signal.count')}</dt><dd>${number(signal.count)}</dd></div>
    <div><dt>${t('signal.confidence')}</dt><dd>${confidence(signal)} %</dd></div>
    <div><dt>${t('signal.kind')}</dt><dd class="mono">${plain(signal.rule || signal.kind, 80)}</dd></div>
    ${
      (signal.technique ?? []).length > 0 &&
      html`<div><dt>ATT&CK</dt><dd class="mono">${(signal.technique ?? []).map((one) => plain(one, 20)).join(', ')}</dd></div>`
    }
    ${signal.assignee && html`<div><dt>${t('signal.assignee')}</dt><dd>${plain(signal.assignee, 60)}</dd></div>`}
    ${signal.snoozed_until && html`<div><dt>${t('signal.snoozed')}</dt><dd>${stamp(signal.snoozed_until)}</dd></div>`}
    <div class="wide"><dt>${t('signal.about')}</dt><dd class="bar">${signal.entities.map((entity) => html`<${Entity} entity=${entity} ...${range} />`)}</dd></div>
  </dl>`;
}

/**
 * @param {{ id: string, round: number, params: Record<string, string>, onAct: import('./screen.js').OnAct, hasNote: boolean,
 *   setNote: (has: boolean) => void }} props `round` changes when it is to be asked for again
 */
export function Card({ id, round, params, onAct, hasNote, setNote }) {
  const { data, error, reload } = useAsk(`/api/v1/signals/${id}`, { zone, lang: language.value });
  const seen = useRef(round);
  useEffect(() => {
    if (seen.current !== round) reload();
    seen.current = round;
  }, [round]);
  const signal = /** @type {Signal | undefined} */ (data);
  if (error && !signal) {
    const isGone = /** @type {any} */ (error).status === 404 || /** @type {any} */ (error).status === 400;
    return isGone ? html`<${Empty} title=${t('signal.gone')} />` : html`<${Failed} error=${error} again=${reload} />`;
  }
  if (!signal) return html`<${Loading} lines=${8} />`;
  return html`<article class="signal" aria-labelledby="signal-title">
    <header>
      <div class="marks"><${Severity} level=${signal.severity} /><${State} state=${signal.state} />${
        signal.label && html`<span class="chip soft">${t(signal.label === 'expected' ? 'label.expected' : 'label.real')}</span>`
      }</div>
      <h2 id="signal-title">${plain(signal.title, 300)}</h2>
      ${may('admin') && html`<${Actions} signal=${signal} onAct=${onAct} hasNote=${hasNote} setNote=${setNote} />`}
    </header>
    <section><h3>${t('signal.what')}</h3><p><${LogText} text=${signal.what} /></p></section>
    <section><h3>${t('signal.why')}</h3><p><${LogText} text=${signal.why} /></p></section>
    ${
      signal.next.length > 0 &&
      html`<section><h3>${t('signal.next')}</h3><ol class="next">${signal.next.map((step) => html`<li><${LogText} text=${step} /></li>`)}</ol></section>`
    }
    <${Facts} signal=${signal} />
    <p class="bar"><a class="button" href=${address('logs', { q: queryOf(signal.entities[0]), ...times(signal) })}><${Icon} name="logs" />${t('signal.logs')}</a><${OfHost} signal=${signal} /><${OfProcess} signal=${signal} />${may('admin') && signal.rule && html`<a class="button" href=${address('alerts/silences', { rule: signal.rule, host: signal.entities.find(({ type }) => type === 'host')?.value })}><${Icon} name="snooze" />${t('silences.like_this')}</a>`}</p>
    ${signal.incident && html`<${Incident} key=${signal.incident} id=${signal.incident} self=${signal.id} params=${params} />`}
    <${Evidence} signal=${signal} />
    <${Timeline} entries=${signal.timeline ?? []} />
  </article>`;
}
