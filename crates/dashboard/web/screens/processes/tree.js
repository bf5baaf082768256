// Processes as the tree of who started whom.

/**
 * @typedef {{ pid: number, ppid: number, started_at: string, name: string, command: string, user: string, executable: string | null,
 *   executable_deleted: number, container: string | null, kernel_thread: number, set_uid: number, tracer_pid: number | null,
 *   cpu_seconds: number, rss_bytes: number, is_new: number }} Process
 * @typedef {{ process: Process, depth: number, children: number, isFolded: boolean, parent: number | undefined }} Row
 */

/** What names a process for good: numbers are used again. @param {{ pid: number, started_at: string }} process */
export const identity = ({ pid, started_at }) => `${pid} ${started_at}`;

/** Its children, by the number of the parent; 0 has those whose parent is not there. @param {Process[]} processes */
function families(processes) {
  const known = new Map(processes.map((one) => [one.pid, one]));
  /** @type {Map<number, Process[]>} */
  const children = new Map();
  for (const one of processes) {
    const parent = known.get(one.ppid);
    // A number that was given out anew is no parent of what was there before it.
    const of = parent && parent !== one && parent.started_at <= one.started_at ? parent.pid : 0;
    children.set(of, [...(children.get(of) ?? []), one]);
  }
  return children;
}

/**
 * The rows of the tree from the top down. Only `shown` and those above them are in it, where it is given.
 * @param {Process[]} processes in order of their numbers
 * @param {Set<number>} folded numbers of those whose children are not shown
 * @param {Set<number>} [shown]
 * @returns {Row[]}
 */
export function tree(processes, folded, shown) {
  const children = families(processes);
  const kept = shown && withAncestors(processes, children, shown);
  /** @type {Row[]} */
  const rows = [];
  /** @type {{ process: Process, depth: number, parent: number | undefined }[]} */
  const waiting = [];
  const add = (/** @type {number} */ of, /** @type {number} */ depth) => {
    const own = (children.get(of) ?? []).filter((one) => !kept || kept.has(one.pid));
    for (const process of [...own].reverse()) waiting.push({ process, depth, parent: of || undefined });
    return own.length;
  };
  add(0, 0);
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { process } = next;
    const isFolded = folded.has(process.pid);
    const row = { ...next, isFolded, children: (children.get(process.pid) ?? []).filter((one) => !kept || kept.has(one.pid)).length };
    rows.push(row);
    if (!isFolded) add(process.pid, next.depth + 1);
  }
  return rows;
}

/** @param {Process[]} processes @param {Map<number, Process[]>} children @param {Set<number>} shown */
function withAncestors(processes, children, shown) {
  /** @type {Map<number, number>} */
  const parents = new Map();
  for (const [of, own] of children) for (const one of own) parents.set(one.pid, of);
  const kept = new Set(shown);
  for (const { pid } of processes) {
    if (!shown.has(pid)) continue;
    for (let of = parents.get(pid); of && !kept.has(of); of = parents.get(of)) kept.add(of);
  }
  return kept;
}
