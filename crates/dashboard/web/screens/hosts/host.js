// One host: what is wrong with it, how it was, and what runs on it.
import { useMemo, useState } from 'preact/hooks';
import { useAsk } from '../../api.js';
import { html } from '../../html.js';
import { Empty, Loading } from '../../parts/feedback.js';
import { Icon } from '../../parts/icons.js';
import { Severity, State, Time, quoted } from '../../parts/marks.js';
import { plain } from '../../parts/text.js';
import { address, place, turn } from '../../route.js';
import { WIDTHS, fixed, stamp, zone } from '../../time.js';
import { bytes, language, number, t } from '../../words.js';
import { Chart, crossHair } from './chart.js';
import { Moment } from '../processes/moment.js';
import { Labels } from './labels.js';
import { charts, finite } from './measured.js';
import { Watched } from './watched.js';

/** @typedef {import('../../api.js').Schemas['Host']} Host */
/** @typedef {import('../../api.js').Schemas['Signal']} Signal */

/** Older samples than this before a moment say nothing of it. */
const NEAR = 10 * 60_000;

/** What processes are ordered by: the member of a sample, and its word. */
const AMOUNTS = /** @type {const} */ ([['cpu_percent', 'hosts.cpu'], ['rss_bytes', 'hosts.ram']]);

/** The processes that used most, now or at a moment that was clicked at in a chart. @param {{ host: string, now: any[], at: string }} props */
function Processes({ host, now, at }) {
  // The end of a range is not in it, but a sample of that very moment is what was asked for.
  const until = at && fixed(at) && new Date(Date.parse(at) + 1).toISOString();
  const { data } = useAsk(until ? `/history/${encodeURIComponent(host)}` : null, { to: until, limit: 1 });
  const [sample] = /** @type {any[]} */ (data ?? []);
  const isNear = sample && Date.parse(at) - Date.parse(sample.timestamp) < NEAR;
  const then = isNear && Array.isArray(sample.metrics?.top) ? sample.metrics.top : [];
  const [by, setBy] = useState(/** @type {'cpu_percent' | 'rss_bytes'} */ ('cpu_percent'));
  const top = [.../** @type {any[]} */ (at ? then : now)].sort((one, other) => (finite(other[by]) ?? 0) - (finite(one[by]) ?? 0));
  if (!at && !top.length) return null;
  return html`<section class="card" aria-labelledby="processes">
    <header><h2 id="processes">${t('hosts.processes')}</h2><a class="push" href=${address('processes', { host, at })}>${t('hosts.all_processes')}</a></header>
    <div class="bar make"><${Moment} at=${at} />${at && data && html`<span class="soft">${then.length ? html`${t('hosts.measured')} <${Time} at=${sample.timestamp} />` : t('hosts.unmeasured')}</span>`}</div>
    <div class="table-frame" tabindex="0" role="region" aria-label=${t('hosts.processes')}><table>
      <thead><tr><th class="number">PID</th><th>${t('hosts.name')}</th><th>${t('about.user')}</th>${AMOUNTS.map(([member, word]) => html`<th class="number" aria-sort=${member === by ? 'descending' : undefined}><button type="button" class="quiet small" onClick=${() => setBy(member)}>${t(word)}${member === by && html`<${Icon} name="down" />`}</button></th>`)}</tr></thead>
      <tbody>${top.map(
        (one) => html`<tr key=${one.pid}>
          <td class="number">${one.pid ?? ''}</td>
          <td class="mono" title=${plain(String(one.command ?? ''), 400)}>${plain(String(one.name ?? ''), 80)}</td>
          <td>${plain(String(one.user ?? ''), 40)}</td>
          <td class="number">${finite(one.cpu_percent) !== undefined ? `${number(Math.round(one.cpu_percent * 10) / 10)} %` : ''}</td>
          <td class="number">${finite(one.rss_bytes) !== undefined ? bytes(one.rss_bytes) : ''}</td>
        </tr>`,
      )}</tbody>
    </table></div>
  </section>`;
}

/** @param {{ services: [string, unknown][] }} props */
function Services({ services }) {
  if (!services.length) return null;
  return html`<section class="card" aria-labelledby="units"><h2 id="units">${t('hosts.services')}</h2>
    <ul class="parts">${services.map(([name, state]) => html`<li key=${name}><span class="mono">${plain(name, 80)}</span><${State} state=${plain(String(state), 20)} /></li>`)}</ul>
  </section>`;
}

/** @param {{ host: Host, round: number, changed: () => void }} props `round` changes when the charts are to be drawn anew */
export function HostDetail({ host, round, changed }) {
  const name = host.name ?? '';
  const { width = '1h', at = '' } = place.value.params;
  const [begun] = useState(() => Date.now());
  const { from, to } = useMemo(() => {
    const now = Date.now();
    return { from: fixed(`now-${width}`, now), to: fixed('now', now) };
  }, [width, Math.floor(round / 6), begun]);
  const found = useAsk('/api/v1/signals', { entity: `host:${name}`, from, limit: 50, zone, lang: language.value });
  const isKnown = Boolean(found.data || found.error);
  const signals = /** @type {Signal[]} */ (/** @type {any} */ (found.data)?.signals ?? []);
  const marks = signals.filter((one) => Date.parse(one.first) >= Date.parse(from)).map((one) => ({ at: Date.parse(one.first), id: one.id, title: one.title, severity: one.severity }));
  const metrics = /** @type {any} */ (host.metrics ?? {});
  const all = charts(host);
  return html`<header>
      <a class="button" href="#/hosts"><${Icon} name="back" />${t('hosts.all')}</a>
      <h1><bdi>${plain(name, 120)}</bdi></h1>
      <${State} state=${host.state ?? ''} />
      <${Labels} host=${host} />
      <span class="soft">${host.last_seen && html`<${Time} at=${host.last_seen} isAgo />`} ${plain([host.os, host.version].filter(Boolean).join(' · '), 120)}</span>
      <a class="button push" href=${address('processes', { host: name })}><${Icon} name="processes" />${t('screen.processes')}</a>
      <a class="button" href=${address('logs', { q: `host.name:${quoted(name)}`, from: `now-${width}` })}><${Icon} name="logs" />${t('hosts.logs')}</a>
    </header>
    ${!isKnown ? html`<${Loading} lines=${12} />` : html`${signals.length > 0 && html`<section class="card"><h2>${t('screen.signals')}</h2><ul class="brief">${signals.slice(0, 5).map((one) => html`<li key=${one.id}><${Severity} level=${one.severity} /><a href=${address(`signals/${one.id}`)}>${plain(one.title, 200)}</a><span class="push soft"><${State} state=${one.state} /> <${Time} at=${one.last} isAgo /></span></li>`)}</ul></section>`}
    <div class="bar">
      <span class="bar" role="group" aria-label=${t('times.title')}>${WIDTHS.map((one) => html`<button key=${one} type="button" class="small" aria-pressed=${one === width} onClick=${() => turn({ width: one })}>${one.replace(/(\w)$/, ' $1')}</button>`)}</span>
      <span class="soft push">${crossHair.value === undefined ? t('hosts.click') : stamp(crossHair.value)}</span>
    </div>
    ${
      all.length
        ? html`<div class="charts">${all.map((chart) => html`<${Chart} key=${chart.name} host=${name} ...${{ word: chart.word, of: chart.of, unit: chart.unit, series: chart.series }} from=${from} to=${to} marks=${marks} pinned=${at ? Date.parse(at) : undefined} />`)}</div>`
        : html`<${Empty} title=${t('hosts.nothing')} />`
    }
    <div class="grid"><${Processes} host=${name} now=${Array.isArray(metrics.top) ? metrics.top : []} at=${at} /><${Services} services=${Object.entries(metrics.services ?? {})} /></div>
    <${Watched} host=${host} changed=${changed} />`}`;
}
