// Logs: what is asked, when, how much of it there is, and every line.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { url, useAsk } from '../../api.js';
import { html } from '../../html.js';
import { useKeys } from '../../keys.js';
import { remember, remembered } from '../../memory.js';
import { Empty, Failed, Loading } from '../../parts/feedback.js';
import { Icon } from '../../parts/icons.js';
import { quoted } from '../../parts/marks.js';
import { Menu } from '../../parts/menu.js';
import { plain } from '../../parts/text.js';
import { place, turn } from '../../route.js';
import { zone } from '../../time.js';
import { number, several, t } from '../../words.js';
import { copy, curl, link } from './copy.js';
import { Event } from './event.js';
import { MOST, useEvents, useLive, useQuestion } from './events.js';
import { Fields } from './fields.js';
import { Histogram } from './histogram.js';
import { Patterns } from './patterns.js';
import { Head } from './line.js';
import { QueryBar } from './query_bar.js';
import { Rows } from './rows.js';
import { SavedSearches } from './saved.js';
import { Times, between, shift } from './times.js';

/** @typedef {import('./events.js').Question} Question */

const COLUMNS = ['service.name', 'host.name'];

/** The query with a condition more. @param {string} q @param {string} name @param {string} value @param {boolean} isOut */
export function filtered(q, name, value, isOut) {
  const field = /^[\w.@-]+$/.test(name) ? name : `"${name.replace(/["\\]/g, '\\$&')}"`;
  const condition = `${isOut ? 'NOT ' : ''}${field}:${quoted(value)}`;
  const before = q.trim();
  if (!before || before === '*') return condition;
  if (before.split(' AND ').includes(condition)) return before;
  return `${/\bOR\b|\|\|/.test(before) && !/^\(.*\)$/.test(before) ? `(${before})` : before} AND ${condition}`;
}

/** @param {{ question: Question, params: Record<string, string>, isLive: boolean }} props */
function Counts({ question, params, isLive }) {
  // What comes in is counted up to now.
  const range = { from: question.from, to: isLive ? '' : question.to };
  const { data, error } = useAsk('/api/v1/histogram', { q: question.q, ...range, by: 'level', zone }, isLive ? 5_000 : undefined);
  const found = /** @type {any} */ (data);
  if (!found) return error ? null : html`<div class="histogram waiting"></div>`;
  const { buckets, interval } = found;
  const begin = question.from ? Date.parse(question.from) : Date.parse(buckets[0]?.t ?? new Date().toISOString());
  const end = isLive ? Date.now() : question.to ? Date.parse(question.to) : Math.max(begin + 1, Date.parse(buckets[buckets.length - 1]?.t ?? new Date().toISOString()) + 1);
  return html`<${Histogram} buckets=${buckets} interval=${interval} range=${[begin, end]} onRange=${between} onLevel=${(/** @type {string} */ level) => turn({ q: filtered(params.q ?? '', 'level', level, false) })} />`;
}

/** Nothing was found: why that may be, and where there is something. @param {{ params: Record<string, string>, hints: string[] }} props */
function Nothing({ params, hints }) {
  const { data } = useAsk(params.from === 'all' ? null : '/api/v1/search', { q: params.q, limit: 1 });
  const found = /** @type {any} */ (data);
  const newest = found?.hits?.[0]?.['@timestamp'];
  const onNewest = () => {
    const at = Date.parse(newest);
    between(at - 3_600_000, at + 60_000);
  };
  return html`<${Empty} title=${t(found?.total === 0 && !params.q ? 'logs.no_events' : 'logs.nothing')}>
    ${hints.map((hint) => html`<span class="hint">${plain(hint, 400)}</span>`)}
    ${found?.total > 0 && html`<span class="hint">${several('logs.elsewhere', found.total)} <button type="button" onClick=${onNewest}>${t('logs.newest')}</button></span>`}
    ${found?.total === 0 && !params.q && html`<span class="hint">${t('logs.send')} <code>curl -X POST ${location.origin}/logs -H 'Content-Type: application/json' -d '{"level":"ERROR","message":"disk sda1 is failing"}'</code></span>`}
  <//>`;
}

/** @param {{ question: Question, columns: string[] }} props */
function Take({ question, columns }) {
  const named = columns.length ? ['@timestamp', 'log.level', ...columns, 'message'].join(',') : undefined;
  const file = (/** @type {string} */ format) => url('/api/v1/search', { ...question, format, zone, fields: format === 'csv' ? named : undefined });
  return html`<${Menu} label=${html`<${Icon} name="download" /><span class="label">${t('logs.take')}</span>`} kind="small" align="right">
    ${(/** @type {() => void} */ close) => html`<a class="button" download="logs.ndjson" href=${file('ndjson')} onClick=${close}>${t('take.ndjson')}</a>
      <a class="button" download="logs.csv" href=${file('csv')} onClick=${close}>${t('take.csv')}</a>
      <button type="button" onClick=${() => { close(); copy(curl(question)); }}>${t('copy.curl')}</button>
      <button type="button" onClick=${() => { close(); copy(link(question, { cols: columns.join(',') })); }}>${t('copy.link')}</button>`}
  <//>`;
}

/** What is chosen of how lines are shown; kept for the next time. @param {Record<string, string>} params */
function useForm(params) {
  const columns = (params.cols ?? remembered('columns', COLUMNS.join(','))).split(',').filter(Boolean);
  const [isWrapped, setWrapped] = useState(remembered('wrap', '') === 'yes');
  /** @param {string} name */
  const onColumn = (name) => {
    const now = (columns.includes(name) ? columns.filter((one) => one !== name) : [...columns, name]).join(',');
    remember('columns', now);
    turn({ cols: now || ',' }, { inPlace: true });
  };
  const wrap = () => {
    remember('wrap', isWrapped ? '' : 'yes');
    setWrapped(!isWrapped);
  };
  return { columns, isWrapped, onColumn, wrap };
}

export default function Logs() {
  const { params } = place.value;
  const { q = '', event = '', live = '', tab = '', view = '', order = '' } = params;
  const isLive = live === '1';
  const [round, setRound] = useState(0);
  const question = useQuestion(params, round);
  const found = useEvents(question);
  const [isTop, setTop] = useState(true);
  const tail = useLive(isLive ? q : null, !isTop || Boolean(event));
  const { columns, isWrapped, onColumn, wrap } = useForm(params);
  const [hasFields, setFields] = useState(false);
  const [selected, select] = useState(event);
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  const list = useRef(/** @type {HTMLDivElement | null} */ (null));
  const isJson = params.form === 'json';
  useEffect(() => {
    if (event) select(event);
  }, [event]);
  // A new question begins at its top.
  useEffect(() => {
    if (list.current) list.current.scrollTop = 0;
  }, [question, isLive]);
  const lines = useMemo(() => {
    if (!isLive) return found.lines;
    const fresh = new Set(tail.lines.map(({ id }) => id));
    return [...tail.lines, ...found.lines.filter(({ id }) => !fresh.has(id))];
  }, [isLive, tail.lines, found.lines]);
  /** @type {import('./event.js').OnFilter} */
  const onFilter = (name, value, isOut) => turn({ q: filtered(q, name, value, isOut), event: '', view: '' });
  /** @param {string} text */
  const onAsk = (text) => {
    if (text === q) setRound((n) => n + 1);
    turn({ q: text, event: '' });
  };
  /** @param {string} id */
  const open = (id) => turn({ event: id }, { inPlace: Boolean(event) });
  /** @param {number} by */
  const step = (by) => {
    const at = lines.findIndex(({ id }) => id === selected);
    const to = lines[Math.min(Math.max(at + by, 0), lines.length - 1)];
    if (!to) return;
    select(to.id);
    if (event) open(to.id);
  };
  const toggleLive = () => {
    // What came in meanwhile is asked for, so that it stays when the tail is stopped, and none is missing when it goes on.
    setRound((n) => n + 1);
    turn(isLive ? { live: '' } : { live: '1', from: 'now-15m', to: '', event: '', view: '' });
  };
  useKeys({
    j: () => step(1),
    k: () => step(-1),
    '/': () => input.current?.focus(),
    e: () => selected && open(selected),
    a: () => selected && turn({ event: selected, tab: 'around' }),
    l: toggleLive,
    w: wrap,
    '[': () => shift(params, -1),
    ']': () => shift(params, 1),
    Escape: () => (event ? turn({ event: '', tab: '' }) : setFields(false)),
  });
  const known = event ? lines.find(({ id }) => id === event)?.document : undefined;
  const shownError = found.error;
  return html`<div class=${`logs ${event ? 'has-event' : ''} ${hasFields ? 'has-fields' : ''}`}>
    <h1 class="unseen">${t('screen.logs')}</h1>
    <div class="logs-top">
      <${QueryBar} question=${{ ...question, q }} error=${isBadQuery(shownError) ? shownError : undefined} onAsk=${onAsk} input=${input} />
      <div class="bar controls">
        <${Times} params=${params} />
        <button type="button" class=${`live ${isLive ? 'on' : ''}`} aria-pressed=${isLive} onClick=${toggleLive}><${Icon} name=${isLive ? 'pause' : 'play'} />${t('logs.live')}</button>
      </div>
    </div>
    <aside class="fields" aria-label=${t('fields.title')}>
      <button type="button" class="icon-only close-fields" aria-label=${t('do.close')} onClick=${() => setFields(false)}><${Icon} name="close" /></button>
      <${Fields} question=${question} columns=${columns} onColumn=${onColumn} onFilter=${onFilter} />
    </aside>
    <section class="lines" aria-label=${t('logs.lines')}>
      <${Counts} question=${question} params=${params} isLive=${isLive} />
      <div class="bar tools">
        <button type="button" class="small show-fields" aria-expanded=${hasFields} onClick=${() => setFields(!hasFields)}><${Icon} name="filter" />${t('fields.title')}</button>
        <span class="found">${found.total !== undefined && several('logs.found', found.total + lines.length - found.lines.length)}${found.isLoading && html`<span class="soft"> ${t('state.loading')}</span>`}</span>
        ${found.lines.length >= MOST && html`<span class="soft">${t('logs.most', { n: number(MOST) })}</span>`}
        <span class="bar push">
          <button type="button" class="small" aria-pressed=${view === 'patterns'} onClick=${() => turn({ view: view === 'patterns' ? '' : 'patterns', live: '', event: '' })}><${Icon} name="pattern" /><span class="label">${t('logs.patterns')}</span></button>
          <button type="button" class="small" aria-pressed=${isWrapped} onClick=${wrap}><${Icon} name="wrap" /><span class="label">${t('logs.wrap')}</span></button>
          <button type="button" class="small" aria-pressed=${isJson} onClick=${() => turn({ form: isJson ? '' : 'json' }, { inPlace: true })}>JSON</button>
          <${SavedSearches} params=${params} />
          <${Take} question=${question} columns=${columns} />
        </span>
      </div>
      ${found.partial && html`<p class="partial" role="status">${t('logs.partial')} ${plain(found.partial, 400)}</p>`}
      ${shownError && !isBadQuery(shownError) && html`<${Failed} error=${shownError} again=${() => setRound((n) => n + 1)} />`}
      ${isLive && html`<${LiveState} tail=${tail} isHeld=${!isTop || Boolean(event)} onTop=${() => { if (list.current) list.current.scrollTop = 0; tail.flush(); }} />`}
      ${
        view === 'patterns'
          ? html`<${Patterns} question=${question} order=${order} onFilter=${onFilter} />`
          : !lines.length && found.isLoading
            ? html`<div class="pad"><${Loading} lines=${10} /></div>`
            : !lines.length && !shownError
              ? html`<${Nothing} params=${params} hints=${found.hints} />`
              : html`${lines.length > 0 && html`<${Head} columns=${columns} onColumn=${onColumn} />`}
                  <${Rows} lines=${lines} columns=${columns} isWrapped=${isWrapped} isJson=${isJson} selected=${selected} label=${t('logs.lines')} onSelect=${(/** @type {string} */ id) => { select(id); if (event) open(id); }} onOpen=${open} onEnd=${found.more} onTop=${setTop} list=${list} />`
      }
    </section>
    ${event && html`<${Event} id=${event} known=${known} question=${question} tab=${tab} columns=${columns} onColumn=${onColumn} onFilter=${onFilter} onClose=${() => turn({ event: '', tab: '' })} onTab=${(/** @type {string} */ one) => turn({ tab: one }, { inPlace: true })} />`}
  </div>`;
}

/** @param {unknown} error */
function isBadQuery(error) {
  return /** @type {any} */ (error)?.problem?.field === 'q';
}

/** @param {{ tail: ReturnType<typeof useLive>, isHeld: boolean, onTop: () => void }} props */
function LiveState({ tail, isHeld, onTop }) {
  return html`<div class="live-state" role="status">
    <span class=${`live-mark ${tail.isOpen ? 'on' : ''}`}>${t(tail.isOpen ? (isHeld ? 'live.held' : 'live.on') : 'live.off')}</span>
    ${isHeld && tail.waiting > 0 && html`<button type="button" class="fresh small" onClick=${onTop}>${several('live.waiting', tail.waiting)}</button>`}
    ${tail.skipped > 0 && html`<span class="soft">${several('live.skipped', tail.skipped)}</span>`}
  </div>`;
}
