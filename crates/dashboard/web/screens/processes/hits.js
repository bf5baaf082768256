// What rules found in processes: the signals of these kinds.
import { useAsk } from '../../api.js';
import { html } from '../../html.js';
import { Severity, State, Time } from '../../parts/marks.js';
import { plain } from '../../parts/text.js';
import { address } from '../../route.js';
import { moment, zone } from '../../time.js';
import { language, t } from '../../words.js';

/** @typedef {import('../../api.js').Schemas['Signal']} Signal */

const KINDS = [
  'process_no_executable', 'process_changed_executable', 'process_duplicate_name', 'process_unusual_parent', 'process_resources', 'process_new_listener',
  'process_masquerade', 'process_from_temp', 'process_traced', 'reverse_shell', 'suid_executed', 'persistence_added',
];
/** How far back before the moment that is looked at. */
const BACK = 7 * 86_400_000;
const ORDER = ['critical', 'high', 'medium', 'low', 'info'];

/** Those that are about a host, or about any; seen up to a moment. @param {string} host empty for all @param {string} at empty for now */
export function useHits(host, at) {
  const until = moment(at);
  const { data } = useAsk(
    '/api/v1/signals',
    { kind: KINDS.join(','), entity: host && `host:${host}`, from: until ? new Date(until - BACK).toISOString() : 'now-7d', to: at, limit: 100, zone, lang: language.value },
    at ? undefined : 30_000,
  );
  const signals = /** @type {Signal[]} */ (/** @type {any} */ (data)?.signals ?? []);
  return [...signals].sort((one, other) => ORDER.indexOf(one.severity) - ORDER.indexOf(other.severity));
}

/** The host that a signal is about. @param {Signal} signal */
export function hostOf(signal) {
  return signal.entities.find(({ type }) => type === 'host')?.value ?? '';
}

/** Numbers of the processes that it was found in; a signal keeps the first of many. @param {Signal} signal @returns {string[]} */
export function pidsOf(signal) {
  const pids = /** @type {any} */ (signal.facts)?.['process.pid'];
  return Array.isArray(pids) ? pids.map(String) : [];
}

/** Those that were found in a process: of its number, while it ran. @param {Signal[]} hits @param {{ pid: number, started_at: string }} process */
export function hitsOf(hits, { pid, started_at }) {
  return hits.filter((one) => pidsOf(one).includes(String(pid)) && Date.parse(one.last) >= Date.parse(started_at));
}

/** @param {{ hits: Signal[], isOfAll?: boolean }} props */
export function Hits({ hits, isOfAll = false }) {
  if (!hits.length) return null;
  return html`<section class="card" aria-labelledby="hits"><h2 id="hits">${t('processes.hits')}</h2>
    <ul class="brief">${hits.slice(0, 8).map((one) => {
      const [pid] = pidsOf(one);
      const host = hostOf(one);
      return html`<li key=${one.id}><${Severity} level=${one.severity} /><a href=${address(`signals/${one.id}`)}>${plain(one.title, 200)}</a>
        <span class="push soft bar">${pid && host && html`<a class="mono" href=${address('processes', { host, pid, at: one.last })}>${isOfAll ? '' : 'pid '}${isOfAll ? `${plain(host, 60)} · ${pid}` : pid}</a>`}<${State} state=${one.state} /><${Time} at=${one.last} isAgo /></span></li>`;
    })}</ul></section>`;
}
