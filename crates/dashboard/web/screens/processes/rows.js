// The table of processes: a tree that is walked with the arrows, or a plain order.
import { useRef, useState } from 'preact/hooks';
import { html } from '../../html.js';
import { useKeys } from '../../keys.js';
import { Icon } from '../../parts/icons.js';
import { Severity, Time } from '../../parts/marks.js';
import { plain } from '../../parts/text.js';
import { address } from '../../route.js';
import { bytes, number, t } from '../../words.js';
import { hitsOf } from './hits.js';
import { lasted } from './process.js';
import { identity } from './tree.js';

/** @typedef {import('./tree.js').Process} Process */
/** @typedef {import('./tree.js').Row} Row */
/** @typedef {import('./hits.js').Signal} Signal */

/** More are not drawn at once. */
const SHOWN = 400;
/** Deeper ones are not moved further in. */
const DEPTH = 14;

/** What is to be noticed of a process. @param {{ process: Process, hits: Signal[], isAltered: boolean }} props */
export function Marks({ process, hits, isAltered }) {
  const found = hitsOf(hits, process);
  // The gravest stands for all; which they are stands in the process itself.
  return html`${found.length > 0 && html`<a tabindex="-1" class="hit" href=${address(`signals/${found[0].id}`)} title=${found.map((one) => plain(one.title, 200)).join('\n')}><${Severity} level=${found[0].severity} />${found.length > 1 && html` <span class="soft">+${found.length - 1}</span>`}</a>`}
    ${process.is_new ? html`<span class="chip change new">${t('processes.is_new')}</span>` : isAltered && html`<span class="chip change changed">${t('processes.is_changed')}</span>`}
    ${process.executable_deleted && !process.kernel_thread ? html`<span class="chip soft">${t('processes.deleted')}</span>` : null}
    ${process.set_uid ? html`<span class="chip soft">set-uid</span>` : null}
    ${process.tracer_pid ? html`<span class="chip soft">${t('processes.traced', { pid: process.tracer_pid })}</span>` : null}
    ${process.container && html`<span class="chip soft mono">${plain(process.container, 24)}</span>`}`;
}

/**
 * @param {{ rows: Row[], hits: Signal[], altered: Set<string>, chosen: Set<number>, isTree: boolean, onFold: (pid: number) => void,
 *   onOpen: (process: Process) => void }} props `chosen`: those that are asked for; the others stand there as their ancestors
 */
export function Rows({ rows, hits, altered, chosen, isTree, onFold, onOpen }) {
  const [most, setMost] = useState(SHOWN);
  const [current, setCurrent] = useState(0);
  const body = useRef(/** @type {HTMLElement | null} */ (null));
  const drawn = rows.slice(0, most);
  const at = Math.min(current, drawn.length - 1);
  const lines = () => [...(body.current?.querySelectorAll('tr') ?? [])];
  // Where the focus is: keys may come faster than rows are drawn.
  const focused = () => lines().indexOf(/** @type {any} */ (document.activeElement));
  const move = (/** @type {number} */ to) => lines()[Math.max(0, Math.min(to, drawn.length - 1))]?.focus();
  useKeys({ j: () => move(focused() < 0 ? at : focused() + 1), k: () => move(focused() < 0 ? at : focused() - 1), e: () => onOpen(drawn[at].process) });
  /** @param {KeyboardEvent} event */
  const onKeyDown = (event) => {
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return;
    const now = focused();
    const { process, children, isFolded, parent } = drawn[now] ?? drawn[at];
    /** @type {Record<string, () => void>} */
    const acts = {
      ArrowDown: () => move(now + 1),
      ArrowUp: () => move(now - 1),
      Home: () => move(0),
      End: () => move(drawn.length - 1),
      Enter: () => onOpen(process),
      ArrowRight: () => (children && isFolded ? onFold(process.pid) : children && move(now + 1)),
      ArrowLeft: () => (children && !isFolded ? onFold(process.pid) : parent !== undefined && move(drawn.findIndex((row) => row.process.pid === parent))),
    };
    if (!acts[event.key]) return;
    event.preventDefault();
    acts[event.key]();
  };
  return html`<section class="card"><div class="table-frame" tabindex="0" role="region" aria-label=${t('screen.processes')}><table class="processes" role=${isTree ? 'treegrid' : 'grid'} aria-label=${t('screen.processes')}>
      <thead><tr><th>${t('processes.one')}</th><th class="number">PID</th><th>${t('about.user')}</th><th class="number">${t('processes.cpu')}</th><th class="number">${t('hosts.ram')}</th><th>${t('processes.started')}</th></tr></thead>
      <tbody ref=${body}>${drawn.map(
        ({ process, depth, children, isFolded }, place) => html`<tr key=${identity(process)} role="row" class=${chosen.has(process.pid) ? undefined : 'ancestor'} tabindex=${place === at ? 0 : -1}
          aria-level=${isTree ? depth + 1 : undefined} aria-expanded=${isTree && children ? !isFolded : undefined}
          onKeyDown=${onKeyDown} onFocus=${() => setCurrent(place)}>
          <td><div class="node" style=${{ '--depth': Math.min(depth, DEPTH) }}>
            ${isTree && (children ? html`<button type="button" tabindex="-1" class="icon-only fold" aria-label=${t(isFolded ? 'processes.unfold' : 'processes.fold', { n: number(children) })} onClick=${() => onFold(process.pid)}><${Icon} name=${isFolded ? 'forward' : 'down'} /></button>` : html`<span class="fold"></span>`)}
            <div class="what"><span class="bar"><button type="button" tabindex="-1" class="quiet small name mono" onClick=${() => onOpen(process)}>${plain(process.name, 40) || '""'}</button><${Marks} process=${process} hits=${hits} isAltered=${altered.has(identity(process))} /></span>
              ${!process.kernel_thread && html`<span class="command mono soft" title=${plain(process.command, 400)}>${plain(process.command, 300)}</span>`}</div>
          </div></td>
          <td class="number">${process.pid}</td>
          <td class="tight">${plain(process.user, 24)}</td>
          <td class="number">${lasted(process.cpu_seconds)}</td>
          <td class="number">${process.rss_bytes ? bytes(process.rss_bytes) : ''}</td>
          <td class="tight"><${Time} at=${process.started_at} isAgo /></td>
        </tr>`,
      )}</tbody>
    </table></div>
    ${rows.length > drawn.length && html`<p class="bar more"><button type="button" onClick=${() => setMost(most + SHOWN)}>${t('do.more')}</button><span class="soft">${number(drawn.length)} / ${number(rows.length)}</span></p>`}
  </section>`;
}
