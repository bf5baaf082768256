// What needs a person now, how the day went, and whether the service itself is well.
import { useEffect, useMemo, useState } from 'preact/hooks';
import { useAsk } from '../api.js';
import { html } from '../html.js';
import { hear } from '../open.js';
import { losses, useOwnState } from '../own.js';
import { isShort, lasts, useRoom } from '../room.js';
import { Empty, Failed, Loading } from '../parts/feedback.js';
import { Severity, State, Time, quoted } from '../parts/marks.js';
import { plain } from '../parts/text.js';
import { address, go } from '../route.js';
import { zone } from '../time.js';
import { bytes, language, number, several, short, t } from '../words.js';
import { Histogram } from './logs/histogram.js';

/** @typedef {import('../api.js').Schemas['Signal']} Signal */

const MINUTE = 60_000;
const SHOWN = 8;
/** Parts that are waited for, so that nothing moves under the reader as they come, and how long in ms. */
const PARTS = 6;
const PATIENCE = 1_500;

/** Says once that a part has what it shows. @param {boolean} is @param {() => void} onThere */
function useThere(is, onThere) {
  useEffect(() => {
    if (is) onThere();
  }, [is]);
}

/** @param {{ onThere: () => void }} props */
function Attention({ onThere }) {
  const { data, error, reload } = useAsk('/api/v1/signals', { state: 'open', limit: 100, zone, lang: language.value });
  useEffect(() => hear(() => reload()), []);
  useThere(Boolean(data || error), onThere);
  const found = /** @type {{ total: number, signals: Signal[] } | undefined} */ (data);
  const order = ['critical', 'high', 'medium', 'low', 'info'];
  const gravest = [...(found?.signals ?? [])].sort((one, other) => order.indexOf(one.severity) - order.indexOf(other.severity)).slice(0, SHOWN);
  return html`<section class="card" aria-labelledby="attention">
    <header>
      <h2 id="attention">${t('overview.attention')}</h2>
      ${found && found.total > 0 && html`<a class="push" href="#/signals">${several('overview.all', found.total)}</a>`}
    </header>
    ${
      error && !found
        ? html`<${Failed} error=${error} again=${reload} />`
        : !found
          ? html`<${Loading} />`
          : !gravest.length
            ? html`<${Empty} title=${t('signals.clear')}>${t('signals.clear_more')}<//>`
            : html`<ul class="brief">
                ${gravest.map(
                  (signal) => html`<li key=${signal.id}>
                    <${Severity} level=${signal.severity} />
                    <a href=${address(`signals/${signal.id}`)}>${plain(signal.title, 200)}</a>
                    <span class="push soft"><${State} state=${signal.state} /> <${Time} at=${signal.last} isAgo /></span>
                  </li>`,
                )}
              </ul>`
    }
  </section>`;
}

/** @param {{ onThere: () => void }} props */
function Day({ onThere }) {
  const { data, error, reload } = useAsk('/api/v1/histogram', { from: 'now-24h', by: 'level', zone }, MINUTE);
  // It looks at every event of the day: what is quick comes first.
  const strange = useAsk(data ? '/api/v1/search' : null, { q: 'sentinel.anomaly.is_anomaly:true', from: 'now-24h', limit: 0 }, MINUTE);
  useThere(Boolean(data || error), onThere);
  const found = /** @type {any} */ (data);
  const now = Date.now();
  const total = (found?.buckets ?? []).reduce((/** @type {number} */ sum, /** @type {any} */ one) => sum + one.count, 0);
  const anomalies = /** @type {any} */ (strange.data)?.total;
  /** @param {number} from @param {number} to */
  const onRange = (from, to) => go('logs', { from: new Date(from).toISOString(), to: new Date(to).toISOString() });
  return html`<section class="card" aria-labelledby="day">
    <header>
      <h2 id="day">${t('overview.day')}</h2>
      ${found && html`<span class="push bar"><a href=${address('logs', { from: 'now-24h' })}>${several('logs.found', total)}</a>
        ${anomalies > 0 && html`<a href=${address('logs', { q: 'sentinel.anomaly.is_anomaly:true', from: 'now-24h' })}>${several('overview.anomalies', anomalies)}</a>`}</span>`}
    </header>
    ${
      error && !found
        ? html`<${Failed} error=${error} again=${reload} />`
        : !found
          ? html`<${Loading} />`
          : !total
            ? html`<${Empty} title=${t('overview.quiet')}><a href=${address('logs', { from: 'all' })}>${t('overview.older')}</a><//>`
            : html`<${Histogram} buckets=${found.buckets} interval=${found.interval} range=${[now - 24 * 60 * MINUTE, now]} onRange=${onRange}
                onLevel=${(/** @type {string} */ level) => go('logs', { q: `level:${level}`, from: 'now-24h' })} />`
    }
  </section>`;
}

/** @param {{ name: string, field: string, title: string, onThere: () => void }} props */
function Top({ name, field, title, onThere }) {
  const { data, error, reload } = useAsk('/api/v1/fields', { field, from: 'now-24h', limit: 8 }, MINUTE);
  useThere(Boolean(data || error), onThere);
  const found = /** @type {any} */ (data);
  return html`<section class="card" aria-labelledby=${name}>
    <h2 id=${name}>${title}</h2>
    ${
      error && !found
        ? html`<${Failed} error=${error} again=${reload} />`
        : !found
          ? html`<${Loading} lines=${3} />`
          : !found.values.length
            ? html`<p class="soft">${t('fields.none')}</p>`
            : html`<ul class="shares">
                ${found.values.map(
                  (/** @type {{ value: string, count: number }} */ { value, count }) => html`<li key=${value}>
                    <a href=${address('logs', { q: `${field}:${quoted(value)}`, from: 'now-24h' })}><bdi>${plain(value, 80) || '""'}</bdi></a>
                    <span class="soft" title=${number(count)}>${short(count)}</span>
                    <i style=${{ width: `${(count / found.total) * 100}%` }}></i>
                  </li>`,
                )}
              </ul>`
    }
  </section>`;
}

/** Sources from which nothing comes any more. @param {{ onThere: () => void }} props */
function Stopped({ onThere }) {
  const { data, error, reload } = useAsk('/api/v1/signals', { state: 'open', kind: 'source_silent,agent_silent', limit: 20, zone, lang: language.value });
  useEffect(() => hear(() => reload()), []);
  useThere(Boolean(data || error), onThere);
  const found = /** @type {{ signals: Signal[] } | undefined} */ (data);
  if (!found?.signals.length) return null;
  return html`<section class="card" aria-labelledby="stopped">
    <h2 id="stopped">${t('overview.stopped')}</h2>
    <ul class="brief">${found.signals.map((signal) => html`<li key=${signal.id}><a href=${address(`signals/${signal.id}`)}>${plain(signal.title, 200)}</a><span class="push soft"><${Time} at=${signal.last} isAgo /></span></li>`)}</ul>
  </section>`;
}

/** The service itself, in one line; red where anything is lost. @param {{ onThere: () => void }} props */
function Own({ onThere }) {
  const { ready, metric, error } = useOwnState(10_000);
  const { storage, error: noRoom } = useRoom(MINUTE);
  useThere(Boolean((ready && metric && (storage || noRoom)) || error), onThere);
  if (!ready || !metric) return null;
  const lost = losses(metric);
  const troubled = [...(ready.failed ?? []), ...(ready.degraded ?? [])];
  const isTroubled = troubled.length > 0 || isShort(storage);
  const reasons = troubled.map((name) => `${name}: ${ready.components?.[name]?.reason ?? ''}`);
  return html`<p class=${`own ${lost.length ? 'lost' : isTroubled ? 'troubled' : 'well'}`} role="status">
    <b>${t(lost.length ? 'own.lost' : isTroubled ? 'own.troubled' : 'own.well')}</b>
    ${lost.map(([name, n]) => html`<span class="mono">${name} ${number(n)}</span>`)}
    ${reasons.map((one) => html`<span>${plain(one, 200)}</span>`)}
    <span>${t('own.queue', { n: number(metric('queued_events') ?? 0) })}</span>
    ${metric('disk_free_bytes') !== undefined && html`<span>${t('own.disk', { n: bytes(metric('disk_free_bytes') ?? 0) })}</span>`}
    ${storage && lasts(storage) && html`<span>${lasts(storage)}</span>`}
    <a class="push" href="#/settings/health">${t('own.more')}</a>
  </p>`;
}

export default function Overview() {
  const [there, setThere] = useState(0);
  useEffect(() => {
    const timer = setTimeout(() => setThere(PARTS), PATIENCE);
    return () => clearTimeout(timer);
  }, []);
  // Made once: a part that comes draws itself, not the others.
  const parts = useMemo(() => {
    const onThere = () => setThere((n) => n + 1);
    return html`<${Own} onThere=${onThere} />
      <${Attention} onThere=${onThere} />
      <${Stopped} onThere=${onThere} />
      <${Day} onThere=${onThere} />
      <div class="grid">
        <${Top} name="services" field="service.name" title=${t('overview.services')} onThere=${onThere} />
        <${Top} name="hosts" field="host.name" title=${t('overview.hosts')} onThere=${onThere} />
      </div>`;
  }, [language.value]);
  return html`<div class=${`page overview ${there < PARTS ? 'gathers' : ''}`}>
    <header><h1>${t('screen.overview')}</h1></header>
    ${there < PARTS && html`<${Loading} lines=${12} />`}
    ${parts}
  </div>`;
}
