// What a host measured, as far as it did: every part of a sample may be missing.

/** @typedef {import('../../api.js').Schemas['Host']} Host */

/** @param {any} value @returns {number | undefined} */
export function finite(value) {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** Members that are objects. @param {any} group @returns {[string, any][]} */
export function members(group) {
  return Object.entries(group ?? {}).filter(([, value]) => value && typeof value === 'object');
}

/** @param {Host} host */
export function brief(host) {
  const metrics = /** @type {any} */ (host.metrics ?? {});
  const disks = members(metrics.disk).map(([mount, { percent }]) => ({ mount, percent: finite(percent) ?? 0 }));
  const fullest = disks.sort((one, other) => other.percent - one.percent)[0];
  const sum = (/** @type {string} */ name) => members(metrics.network).reduce((all, [, one]) => all + (finite(one[name]) ?? 0), 0);
  const down = Object.entries(metrics.services ?? {}).filter(([, state]) => state !== 'running' && state !== 'unknown');
  return {
    cpu: finite(metrics.cpu?.percent),
    ram: finite(metrics.ram?.percent),
    fullest,
    hasNetwork: members(metrics.network).length > 0,
    received: sum('in_kb_s') * 1000,
    sent: sum('out_kb_s') * 1000,
    down: down.map(([name]) => name),
  };
}

/** The charts that a host has: a title, a unit, and the series drawn in each. @param {Host} host */
export function charts(host) {
  const metrics = /** @type {any} */ (host.metrics ?? {});
  /** @type {{ name: string, word: string, of: string, unit: 'percent' | 'bytes' | 'number', series: { metric: string, name: string, times?: number }[] }[]} */
  const all = [];
  const add = (/** @type {string} */ word, /** @type {string} */ of, /** @type {'percent' | 'bytes' | 'number'} */ unit, /** @type {{ metric: string, name: string, times?: number }[]} */ series) =>
    all.push({ name: `${word} ${of}`, word, of, unit, series });
  if (finite(metrics.cpu?.percent) !== undefined) add('cpu', '', 'percent', [{ metric: 'cpu.percent', name: '' }]);
  if (finite(metrics.ram?.percent) !== undefined) add('ram', '', 'percent', [{ metric: 'ram.percent', name: '' }]);
  for (const [mount] of members(metrics.disk)) add('disk', mount, 'percent', [{ metric: `disk.${mount}.percent`, name: '' }]);
  for (const [name] of members(metrics.network)) {
    add('network', name, 'bytes', [
      { metric: `network.${name}.in_kb_s`, name: 'in', times: 1000 },
      { metric: `network.${name}.out_kb_s`, name: 'out', times: 1000 },
    ]);
  }
  return all;
}
