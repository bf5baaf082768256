// Patterns of a period, and what became of them since the period before.
import { useState } from 'preact/hooks';
import { may, useAsk } from '../../api.js';
import { html } from '../../html.js';
import { Empty, Failed, Loading } from '../../parts/feedback.js';
import { Time } from '../../parts/marks.js';
import { plain } from '../../parts/text.js';
import { address, place, turn } from '../../route.js';
import { moment } from '../../time.js';
import { named, number, several, t } from '../../words.js';
import { text } from '../logs/events.js';
import { width } from '../logs/histogram.js';
import { act, useAgain } from './acts.js';
import { Sparkline } from './sparkline.js';

/** @typedef {{ id: string, text: string, count: number, first: string, last: string, level?: string, anomalies?: number, count_before?: number, change?: string }} Row */

/** Periods, each with how wide a bar of it is. */
const PERIODS = /** @type {Record<string, string>} */ ({ '1h': '2m', '24h': '1h', '7d': '6h', '30d': '1d' });
const CHANGES = /** @type {const} */ (['new', 'gone', 'changed']);
const ORDERS = /** @type {const} */ (['frequent', 'rare', 'newest']);
/** As many as a question for counts over time tells apart. */
const PAGE = 20;

/** Twice as long: where the period before begins. @param {string} period */
const before = (period) => `now-${Number.parseInt(period, 10) * 2}${period.slice(-1)}`;

/** Counts over time of the patterns that are shown. @param {Row[]} rows @param {string} period */
function useCounts(rows, period) {
  const ids = rows.map(({ id }) => id);
  const interval = PERIODS[period];
  const params = { q: `sentinel.template.id:(${ids.join(' OR ')})`, from: `now-${period}`, by: 'sentinel.template.id', interval };
  const { data } = useAsk(ids.length ? '/api/v1/histogram' : null, params);
  const buckets = /** @type {{ t: string, by?: Record<string, number> }[]} */ (/** @type {any} */ (data)?.buckets ?? []);
  const step = width(interval);
  const start = Math.floor((moment(`now-${period}`) ?? 0) / step) * step;
  const many = Math.ceil((Date.now() - start) / step);
  return (/** @type {string} */ id) => {
    if (!data) return undefined;
    const counts = /** @type {number[]} */ (Array(Math.max(many, 1)).fill(0));
    for (const bucket of buckets) {
      const at = Math.floor((Date.parse(bucket.t) - start) / step);
      if (at >= 0 && at < counts.length) counts[at] += bucket.by?.[id] ?? 0;
    }
    return counts;
  };
}

/** @param {{ row: Row, name?: string, isPinned: boolean, counts: number[] | undefined, isPicked: boolean, onPick?: () => void }} props */
function One({ row, name, isPinned, counts, isPicked, onPick }) {
  const said = plain(text(row.text), 300);
  return html`<tr>
    ${onPick && html`<td><input type="checkbox" aria-label=${t('signals.pick', { title: plain(name ?? said, 80) })} checked=${isPicked} onChange=${onPick} /></td>`}
    <td><a href=${address(`patterns/${row.id}`, place.value.params)}>${name ? html`<b>${plain(name, 120)}</b> ` : ''}<span class="log-text">${said}</span></a>
      <span class="bar">${row.change && html`<span class=${`chip change ${row.change}`}>${named('change', row.change)}</span>`}${isPinned && html`<span class="chip soft">${t('patterns.pinned')}</span>`}${row.level && html`<span class=${`level ${row.level}`}>${plain(row.level, 8)}</span>`}</span></td>
    <td class="number">${number(row.count)}${row.count_before !== undefined && html`<br /><span class="soft">${t('patterns.before', { n: number(row.count_before) })}</span>`}</td>
    <td><${Sparkline} counts=${counts} /></td>
    <td class="tight">${row.first && html`<${Time} at=${row.first} />`}</td>
    <td class="tight">${row.last && html`<${Time} at=${row.last} />`}</td>
    <td class="number">${row.anomalies ? number(row.anomalies) : ''}</td>
  </tr>`;
}

/** @param {{ rows: Row[], period: string, round: number, changed: () => void }} props */
function Table({ rows, period, round, changed }) {
  const [picked, setPicked] = useState(/** @type {string[]} */ ([]));
  const [page, setPage] = useState(0);
  const last = Math.max(0, Math.ceil(rows.length / PAGE) - 1);
  const shown = rows.slice(Math.min(page, last) * PAGE, (Math.min(page, last) + 1) * PAGE);
  const counts = useCounts(shown, period);
  const { data } = useAgain('/api/v1/anomaly/templates', { limit: 1000 }, round);
  const known = /** @type {import('../../api.js').Schemas['KnownTemplate'][]} */ (/** @type {any} */ (data)?.templates ?? []);
  const of = (/** @type {string} */ id) => known.find((one) => one.id === id);
  const canChange = may('admin');
  /** @param {string} id */
  const pick = (id) => setPicked(picked.includes(id) ? picked.filter((one) => one !== id) : [...picked, id]);
  const merge = async () => {
    if (await act('merge', { templates: picked }, changed)) setPicked([]);
  };
  return html`${
      picked.length > 0 &&
      html`<div class="bulk bar" role="toolbar" aria-label=${t('patterns.change')}><span>${several('signals.picked', picked.length)}</span>
        <button type="button" class="small" disabled=${picked.length < 2} onClick=${merge}>${t('patterns.merge')}</button>
        <button type="button" class="small quiet" onClick=${() => setPicked([])}>${t('signals.pick_none')}</button></div>`
    }
    <section class="card"><div class="table-frame" tabindex="0" role="region" aria-label=${t('screen.patterns')}><table class="known">
      <thead><tr>${canChange && html`<th><span class="unseen">${t('patterns.merge')}</span></th>`}<th>${t('patterns.text')}</th><th class="number">${t('patterns.events')}</th><th>${t('patterns.when')}</th><th>${t('patterns.first_then')}</th><th>${t('patterns.last')}</th><th class="number">${t('patterns.anomalies')}</th></tr></thead>
      <tbody>${shown.map((row) => html`<${One} key=${row.id} row=${row} name=${of(row.id)?.name} isPinned=${Boolean(of(row.id)?.pinned)} counts=${counts(row.id)} isPicked=${picked.includes(row.id)} onPick=${canChange ? () => pick(row.id) : undefined} />`)}</tbody>
    </table></div>
    ${last > 0 && html`<p class="bar"><button type="button" class="small" disabled=${page === 0} onClick=${() => setPage(page - 1)}>${t('patterns.page_before')}</button><span>${page + 1} / ${last + 1}</span><button type="button" class="small" disabled=${page >= last} onClick=${() => setPage(page + 1)}>${t('patterns.page_next')}</button></p>`}
    </section>`;
}

/** @param {{ round: number, changed: () => void }} props */
export function Patterns({ round, changed }) {
  const { params } = place.value;
  const period = params.period in PERIODS ? params.period : '24h';
  const change = CHANGES.find((one) => one === params.change);
  const order = ORDERS.find((one) => one === params.order) ?? 'frequent';
  const asked = { q: params.q, from: `now-${period}`, limit: 200 };
  const compared = { ...asked, compare_from: before(period) };
  const plainly = useAgain('/api/v1/patterns', { ...asked, order }, round);
  const changes = useAgain('/api/v1/patterns', compared, round);
  const { data, error, reload } = change ? changes : plainly;
  const found = /** @type {any} */ (data);
  const counted = /** @type {any} */ (changes.data);
  const byId = new Map(/** @type {Row[]} */ (counted?.patterns ?? []).map((row) => [row.id, row]));
  const rows = /** @type {Row[]} */ (found?.patterns ?? []).filter((row) => !change || row.change === change).map((row) => ({ ...row, change: byId.get(row.id)?.change, count_before: byId.get(row.id)?.count_before }));
  /** @param {any} event */
  const onSubmit = (event) => {
    event.preventDefault();
    turn({ q: String(new FormData(event.currentTarget).get('q') ?? '').trim() });
  };
  return html`<form class="bar make" role="search" key=${params.q ?? ''} onSubmit=${onSubmit}>
      <label>${t('logs.query')}<input name="q" type="search" value=${params.q ?? ''} placeholder="source:shop" /></label>
      <label>${t('times.title')}<select onChange=${(/** @type {any} */ event) => turn({ period: event.currentTarget.value })}>${Object.keys(PERIODS).map((one) => html`<option value=${one} selected=${one === period}>${t('times.last', { width: one.replace(/(\d+)(\w)/, '$1 $2') })}</option>`)}</select></label>
      ${!change && html`<label>${t('patterns.order')}<select onChange=${(/** @type {any} */ event) => turn({ order: event.currentTarget.value })}>${ORDERS.map((one) => html`<option value=${one} selected=${one === order}>${t(`patterns.${one}`)}</option>`)}</select></label>`}
      <button type="submit">${t('logs.ask')}</button>
    </form>
    <div class="bar" role="group" aria-label=${t('patterns.compared')}>
      <button type="button" class="small" aria-pressed=${!change} onClick=${() => turn({ change: '' })}>${t('view.all')}</button>
      ${CHANGES.map((one) => html`<button key=${one} type="button" class="small" aria-pressed=${one === change} onClick=${() => turn({ change: one })}>${named('change', one)}${counted && ` ${number(counted[one] ?? 0)}`}</button>`)}
      <span class="soft">${t('patterns.compared')}</span>
    </div>
    ${Boolean(error) && html`<${Failed} error=${error} again=${reload} />`}
    ${!found ? !error && html`<${Loading} lines=${8} />` : rows.length ? html`<p class="soft">${t('patterns.found', { n: number(change ? rows.length : (found.distinct ?? rows.length)), events: number(found.total) })}</p><${Table} key=${`${period} ${change} ${order} ${params.q}`} rows=${rows} period=${period} round=${round} changed=${changed} />` : html`<${Empty} title=${t('logs.nothing')} />`}`;
}
