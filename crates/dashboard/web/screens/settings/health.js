// How the service is: its parts, its ledger, its disk.
import { html } from '../../html.js';
import { losses, useOwnState } from '../../own.js';
import { Failed, Loading } from '../../parts/feedback.js';
import { State, Time } from '../../parts/marks.js';
import { plain } from '../../parts/text.js';
import { grows, isShort, lasts, useRoom } from '../../room.js';
import { lasting } from '../../time.js';
import { bytes, number, t } from '../../words.js';

/** What is kept, and how long there is room for it. */
function Room() {
  const { storage, error, reload } = useRoom(60_000);
  if (error && !storage) return html`<${Failed} error=${error} again=${reload} />`;
  if (!storage) return html`<${Loading} lines=${4} />`;
  const { forecast, retention_s: retention } = storage;
  return html`<section class="card stack" aria-labelledby="retention"><h2 id="retention">${t('room.title')}</h2>
    <p class=${`own ${isShort(storage) ? 'troubled' : 'well'}`}>${storage.index.elsewhere ? t('room.elsewhere') : html`<b>${lasts(storage) || t('room.unknown')}</b>${forecast?.full_at && html` <span><${Time} at=${forecast.full_at} /></span>`}`}</p>
    <dl class="pairs">
      <div><dt>${t('room.retention')}</dt><dd>${retention ? lasting(retention * 1000) : t('room.forever')}</dd></div>
      ${forecast && html`<div><dt>${t('room.pace')}</dt><dd>${grows(storage)}</dd></div>`}
      ${typeof forecast?.bytes_at_retention === 'number' && html`<div><dt>${t('room.at_retention')}</dt><dd>${bytes(forecast.bytes_at_retention)}</dd></div>`}
      ${typeof storage.disk.free_bytes === 'number' && html`<div><dt>${t('health.free')}</dt><dd>${bytes(storage.disk.free_bytes)}</dd></div>`}
      <div><dt>${t('room.reserve')}</dt><dd>${bytes(storage.disk.reserve_bytes)}</dd></div>
    </dl>
    <p class="soft">${t('room.how')} <code>LOG_SENTINEL_RETENTION</code></p>
  </section>`;
}

export function Health() {
  const { ready, metric, error, reload } = useOwnState(5_000);
  if (error && !(ready && metric)) return html`<${Failed} error=${error} again=${reload} />`;
  if (!ready || !metric) return html`<${Loading} lines=${8} />`;
  const of = (/** @type {string} */ name) => metric(name) ?? 0;
  const [received, stored, dead, dropped, queued] = ['received_events_total', 'stored_events_total', 'dead_letter_events_total', 'dropped_events_total', 'queued_events'].map(of);
  const lost = losses(metric);
  const started = of('process_start_time_seconds') * 1000;
  return html`
    <section class="card">
      <h2>${t('health.ledger')}</h2>
      <p class="ledger">${[[received, 'ledger.received'], [stored, 'ledger.stored'], [queued, 'ledger.queued'], [dead, 'ledger.dead'], [dropped, 'ledger.dropped']].map(
        ([n, word], at) => html`${at > 0 && html`<span class="soft">${at === 1 ? '=' : '+'}</span>`}<span><b>${number(Number(n))}</b><span class="soft">${t(/** @type {any} */ (word))}</span></span>`,
      )}</p>
      <p class="soft">${t('health.since')} <${Time} at=${started} />. ${t('health.rejected', { n: number(of('rejected_events_total')) })}</p>
      ${lost.length > 0 && html`<div class="own lost" role="alert"><b>${t('own.lost')}</b>${lost.map(([name, n]) => html`<span class="mono">${name} ${number(n)}</span>`)}</div>`}
    </section>
    <div class="grid">
      <section class="card">
        <header><h2>${t('health.parts')}</h2><span class="push"><${State} state=${ready.status ?? ''} /></span></header>
        <ul class="parts">${Object.entries(ready.components ?? {}).map(
          ([name, part]) => html`<li key=${name}><span class="mono">${name}</span><${State} state=${part.status ?? ''} />${part.reason && html`<p>${plain(part.reason, 600)}</p>`}</li>`,
        )}</ul>
      </section>
      <section class="card">
        <h2>${t('health.room')}</h2>
        <dl class="pairs">
          <div><dt>${t('health.index')}</dt><dd>${number(of('index_events'))} · ${bytes(of('index_bytes'))}</dd></div>
          <div><dt>${t('health.each')}</dt><dd>${of('index_events') ? bytes(of('index_bytes') / of('index_events')) : '–'}</dd></div>
          <div><dt>${t('health.journal')}</dt><dd>${bytes(of('journal_bytes'))}${metric('journal_budget_bytes') !== undefined && ` / ${bytes(of('journal_budget_bytes'))}`}</dd></div>
          <div><dt>${t('health.memory')}</dt><dd>${bytes(of('process_resident_memory_bytes'))}</dd></div>
          <div><dt>${t('health.templates')}</dt><dd>${number(of('templates'))}</dd></div>
          <div><dt>${t('health.rules')}</dt><dd>${number(of('rules'))}${of('rules_refused') > 0 ? ` · ${t('health.refused', { n: number(of('rules_refused')) })}` : ''}</dd></div>
        </dl>
      </section>
      <${Room} />
    </div>`;
}
