// What runs on one host, or ran at a moment: the tree, what is new in it, and what rules found.
import { useMemo, useRef, useState } from 'preact/hooks';
import { html } from '../../html.js';
import { useKeys } from '../../keys.js';
import { Empty, Failed, Loading } from '../../parts/feedback.js';
import { Icon } from '../../parts/icons.js';
import { plain } from '../../parts/text.js';
import { address, place, turn } from '../../route.js';
import { number, several, t } from '../../words.js';
import { Changed } from './changed.js';
import { Hits, useHits } from './hits.js';
import { Moment } from './moment.js';
import { Process } from './process.js';
import { Rows } from './rows.js';
import { literal, useRecords } from './sql.js';
import { identity, tree } from './tree.js';

/** @typedef {import('./tree.js').Process} One */

const WIDTHS = /** @type {const} */ (['15m', '1h', '24h', '7d']);
const ORDERS = /** @type {const} */ (['tree', 'memory', 'cpu', 'newest']);
/** Of a command line; the whole is shown of one process. */
const COMMAND = 400;
const EVERY = 15_000;

/** @param {string} host @param {string} width empty where nothing is to be told apart */
function asked(host, width) {
  const isNew = width ? `started_at >= ago('${width}')` : '0';
  return `SELECT pid, ppid, started_at, name, substr(command, 1, ${COMMAND}) AS command, user, executable, executable_deleted, container, kernel_thread, set_uid, tracer_pid, cpu_seconds, rss_bytes, ${isNew} AS is_new FROM processes WHERE host = ${literal(host)} ORDER BY pid`;
}

/** What changed and what ended, the changes first. @param {string} host @param {string} width */
function changes(host, width) {
  return `SELECT timestamp, event, pid, started_at, name, substr(command, 1, ${COMMAND}) AS command, user FROM process_events WHERE host = ${literal(host)} AND timestamp >= ago('${width}') AND event NOT IN ('present', 'started') ORDER BY event = 'ended', timestamp DESC LIMIT 500`;
}

/** @type {Record<string, (one: One, other: One) => number>} */
const COMPARED = {
  memory: (one, other) => other.rss_bytes - one.rss_bytes,
  cpu: (one, other) => other.cpu_seconds - one.cpu_seconds,
  newest: (one, other) => other.started_at.localeCompare(one.started_at),
};

/** @param {One} one @param {string} words in lower case */
function has(one, words) {
  return `${one.pid} ${one.name} ${one.command} ${one.user} ${one.executable ?? ''} ${one.container ?? ''}`.toLowerCase().includes(words);
}

/** @param {{ width: string, order: string, kernel: boolean, threads: number, isKnown: boolean }} props
 *   `isKnown`: whether the number of threads is; until then its place is kept
 */
function Choice({ width, order, kernel, threads, isKnown }) {
  return html`<label>${t('processes.new_since')}<select onChange=${(/** @type {any} */ event) => turn({ new: event.currentTarget.value })}>
      <option value="">${t('processes.no_matter')}</option>
      ${WIDTHS.map((one) => html`<option value=${one} selected=${one === width}>${t('times.last', { width: one.replace(/(\d+)(\w)/, '$1 $2') })}</option>`)}
    </select></label>
    <label>${t('patterns.order')}<select onChange=${(/** @type {any} */ event) => turn({ order: event.currentTarget.value === 'tree' ? undefined : event.currentTarget.value })}>
      ${ORDERS.map((one) => html`<option value=${one} selected=${one === order}>${t(`processes.by_${one}`)}</option>`)}
    </select></label>
    ${(threads > 0 || !isKnown) && html`<label class="row"><input type="checkbox" checked=${kernel} onChange=${(/** @type {any} */ event) => turn({ kernel: event.currentTarget.checked ? '1' : undefined })} />${several('processes.threads', threads)}</label>`}`;
}

/** @param {{ host: string }} props */
export function Running({ host }) {
  const { at = '', new: width = '', words = '', order = 'tree', kernel = '', pid = '' } = place.value.params;
  const known = WIDTHS.includes(/** @type {any} */ (width)) ? width : '';
  const running = useRecords(asked(host, known), at, EVERY);
  const changed = useRecords(known ? changes(host, known) : null, at, EVERY);
  const hits = useHits(host, at);
  const [folded, setFolded] = useState(/** @type {Set<number>} */ (new Set()));
  const search = useRef(/** @type {HTMLInputElement | null} */ (null));
  useKeys({ '/': () => search.current?.focus() });
  const all = /** @type {One[] | undefined} */ (running.rows);
  const events = known ? (changed.rows ?? []) : [];
  const altered = useMemo(() => new Set(events.filter((one) => one.event !== 'ended').map((one) => identity(/** @type {any} */ (one)))), [changed.rows, known]);
  const threads = (all ?? []).filter((one) => one.kernel_thread).length;
  const wanted = words.trim().toLowerCase();
  const chosen = (all ?? []).filter((one) => (kernel || !one.kernel_thread) && (!wanted || has(one, wanted)) && (!known || one.is_new || altered.has(identity(one))));
  const isTree = order === 'tree';
  const rows = isTree
    ? tree((all ?? []).filter((one) => kernel || !one.kernel_thread), folded, wanted || known ? new Set(chosen.map((one) => one.pid)) : undefined)
    : [...chosen].sort(COMPARED[order] ?? COMPARED.memory).map((process) => ({ process, depth: 0, children: 0, isFolded: false, parent: undefined }));
  const onFold = (/** @type {number} */ of) => {
    const next = new Set(folded);
    if (!next.delete(of)) next.add(of);
    setFolded(next);
  };
  const shown = () => {
    if (running.error && !all) return html`<${Failed} error=${running.error} again=${running.reload} />`;
    if (!all) return html`<${Loading} lines=${10} />`;
    if (!all.length) return html`<${Empty} title=${t(at ? 'processes.none_then' : 'processes.none')}><a href=${address('processes', { at })}>${t('hosts.all')}</a><//>`;
    if (!rows.length) return html`<${Empty} title=${t(known && !wanted ? 'processes.nothing_new' : 'processes.no_match')} />`;
    return html`<${Rows} rows=${rows} hits=${hits} altered=${altered} isTree=${isTree} chosen=${new Set(chosen.map((one) => one.pid))} onFold=${onFold} onOpen=${(/** @type {One} */ one) => turn({ pid: String(one.pid) })} />`;
  };
  return html`<div class="bar"><a class="button" href=${address('processes', { at })}><${Icon} name="back" />${t('hosts.all')}</a>
      <h2><bdi>${plain(host, 120)}</bdi></h2>
      <span class="soft">${all ? several('processes.count', all.length - threads) : '…'}${all && known ? ` · ${t('processes.new_and_changed', { n: number(all.filter((one) => one.is_new).length), m: number(altered.size) })}` : ''}</span>
      <a class="button push" href=${address(`hosts/${encodeURIComponent(host)}`)}><${Icon} name="hosts" />${t('processes.host')}</a></div>
    <div class="bar make">
      <${Moment} at=${at} />
      <${Choice} width=${known} order=${order} kernel=${Boolean(kernel)} threads=${threads} isKnown=${Boolean(all)} />
      <label class="grow">${t('processes.words')}<input type="search" ref=${search} value=${words} onInput=${(/** @type {any} */ event) => turn({ words: event.currentTarget.value }, { inPlace: true })} /></label>
    </div>
    ${running.answer?.partial && html`<p class="notice">${plain(running.answer.reason ?? '', 300)}</p>`}
    ${known && changed.answer?.partial && html`<p class="notice">${plain(changed.answer.reason ?? '', 300)}</p>`}
    ${shown()}
    <${Hits} hits=${hits} />
    ${known && html`<${Changed} events=${events} width=${known} />`}
    ${pid && html`<${Process} key=${`${pid} ${at}`} host=${host} pid=${Number(pid)} at=${at} hits=${hits} family=${all ?? []} onClose=${() => turn({ pid: undefined })} />`}`;
}
