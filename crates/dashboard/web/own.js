// The state of the service itself: what it counts, and whether anything is lost.
import { useAsk } from './api.js';

/** @typedef {(name: string, label?: string) => number | undefined} Metric */

/** The sum of a metric's values in Prometheus' text format. @param {string} text @returns {Metric} */
export function metrics(text) {
  /** @type {Map<string, number>} */
  const sums = new Map();
  for (const line of text.split('\n')) {
    const found = /^log_sentinel_(\w+)(?:\{(.*)\})? ([-+\w.]+)$/.exec(line);
    if (!found) continue;
    const value = Number(found[3]);
    sums.set(found[1], (sums.get(found[1]) ?? 0) + value);
    if (found[2]) sums.set(`${found[1]}{${found[2]}}`, value);
  }
  return (name, label) => sums.get(label ? `${name}{${label}}` : name);
}

/** What is gone for good, by the metric that counts it. */
const LOST = /** @type {const} */ ([
  'dropped_events_total',
  'index_lost_events',
  'tail_lost_bytes_total',
  'journal_damaged_records_total',
  'audit_given_up_records_total',
]);

/** @param {Metric} metric @returns {[string, number][]} */
export function losses(metric) {
  return LOST.map((name) => /** @type {[string, number]} */ ([name, metric(name) ?? 0])).filter(([, n]) => n > 0);
}

/** Asks for its state, and again every so many ms. @param {number} every */
export function useOwnState(every) {
  const ready = useAsk('/readyz', {}, every);
  const counted = useAsk('/metrics', {}, every);
  return {
    ready: /** @type {import('./api.js').Schemas['Ready'] | undefined} */ (ready.data),
    metric: typeof counted.data === 'string' ? metrics(counted.data) : undefined,
    error: ready.error ?? counted.error,
    reload: () => {
      ready.reload();
      counted.reload();
    },
  };
}
