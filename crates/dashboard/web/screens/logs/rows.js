// The list of lines: only those in sight are drawn, however many there are.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { html } from '../../html.js';
import { plain } from '../../parts/text.js';
import { exact, utc } from '../../time.js';
import { t } from '../../words.js';
import { member, text } from './events.js';

/** @typedef {import('./events.js').Line} Line */

const LINE = 20;
const PAD = 4;
/** Lines of a wrapped message in the list; the rest is in the event. */
const WRAPPED_MOST = 12;
const OVERSCAN = 8;
/** Drawn lines that are kept for when they come into sight again. */
const KEPT_MOST = 2_000;
/** Widths of what stands before the message, in px. */
const WIDTHS = { gutter: 16, time: 192, level: 50, column: 140 };

/** Cells of a fixed-width font: signs of the far east and pictures take two. @param {string} message */
function cells(message) {
  let count = 0;
  for (const sign of message) count += (sign.codePointAt(0) ?? 0) > 0x10ff ? 2 : 1;
  return count;
}

/** @param {string} message @param {number} columns */
function linesOf(message, columns) {
  let lines = 0;
  for (const part of message.split('\n', WRAPPED_MOST)) lines += Math.max(Math.ceil(cells(part.slice(0, columns * WRAPPED_MOST)) / columns), 1);
  return Math.min(lines, WRAPPED_MOST);
}

/** Where each line begins, and where the last ends. @param {Line[]} lines @param {(line: Line) => number} height */
function places(lines, height) {
  const tops = new Float64Array(lines.length + 1);
  for (let at = 0; at < lines.length; at += 1) tops[at + 1] = tops[at] + height(lines[at]);
  return tops;
}

/** The last that begins at or before a place. @param {Float64Array} tops @param {number} place */
function lineAt(tops, place) {
  let [low, high] = [0, Math.max(tops.length - 2, 0)];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (tops[middle] <= place) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** @param {{ current: HTMLElement | null }} box */
function useSize(box) {
  const [size, set] = useState({ width: 800, height: 600, sign: 7.2 });
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    const measure = () => {
      const probe = document.createElement('span');
      probe.className = 'probe mono';
      probe.textContent = '0'.repeat(100);
      element.append(probe);
      const sign = probe.getBoundingClientRect().width / 100 || 7.2;
      probe.remove();
      set({ width: element.clientWidth, height: element.clientHeight, sign });
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return size;
}

/** How strange, of four steps. @param {Line} line */
function strangeness({ score, isAnomaly }) {
  if (score === undefined) return 'unscored';
  return isAnomaly ? 'anomaly' : score >= 0.6 ? 'odd' : 'usual';
}

/** @param {{ line: Line, columns: string[], isJson: boolean, isNarrow: boolean }} props */
function Cells({ line, columns, isJson, isNarrow }) {
  const scored = line.score === undefined ? '' : t(line.isAnomaly ? 'logs.score_anomaly' : 'logs.score', { n: line.score.toFixed(2) });
  return html`<i class=${`gutter ${line.level || 'none'}`}></i>
    <i class=${`score ${strangeness(line)}`} title=${scored}></i>
    <span class="at" title=${utc(line.at)}>${exact(line.at)}</span>
    <span class=${`level ${line.level}`}>${plain(line.level, 8)}</span>
    ${isNarrow && html`<span class="of">${plain(line.service || line.host, 60)}</span>`}
    ${columns.map((name) => html`<span class="column" key=${name}><bdi>${plain(text(member(line.document, name)), 200)}</bdi></span>`)}
    <span class="message">${plain(isJson ? JSON.stringify(line.document) : line.message)}</span>`;
}

/**
 * @param {{ lines: Line[], columns: string[], isWrapped: boolean, isJson: boolean, selected: string, label: string,
 *   onSelect: (id: string) => void, onOpen: (id: string) => void, onEnd: () => void, onTop: (isTop: boolean) => void,
 *   list: { current: HTMLDivElement | null } }} props
 */
export function Rows({ lines, columns, isWrapped, isJson, selected, label, onSelect, onOpen, onEnd, onTop, list }) {
  const { width, height, sign } = useSize(list);
  const [top, setTop] = useState(0);
  const isNarrow = width < 640;
  const shown = isNarrow ? [] : columns;
  const tops = useMemo(() => {
    const before = isNarrow ? 24 : WIDTHS.gutter + WIDTHS.time + WIDTHS.level + shown.length * WIDTHS.column + 24;
    const signs = Math.max(Math.floor((width - before - 12) / sign), 12);
    const base = (isNarrow ? LINE * 2 : LINE) + PAD;
    if (!isWrapped) return places(lines, () => base);
    return places(lines, (line) => base + (linesOf(isJson ? JSON.stringify(line.document) : line.message, signs) - 1) * LINE);
  }, [lines, width, sign, isWrapped, isJson, shown.length]);
  const first = Math.max(lineAt(tops, top) - OVERSCAN, 0);
  const last = Math.min(lineAt(tops, top + height) + OVERSCAN, lines.length - 1);
  useEffect(() => {
    if (lines.length && last >= lines.length - 40) onEnd();
  }, [last, lines.length]);
  const at = useMemo(() => (selected ? lines.findIndex(({ id }) => id === selected) : -1), [lines, selected]);
  useEffect(() => {
    const element = list.current;
    if (at < 0 || !element) return;
    if (tops[at] < element.scrollTop) element.scrollTop = tops[at];
    else if (tops[at + 1] > element.scrollTop + element.clientHeight) element.scrollTop = tops[at + 1] - element.clientHeight;
  }, [selected]);
  /** @param {KeyboardEvent} event */
  const onKeyDown = (event) => {
    const steps = /** @type {Record<string, number>} */ ({ ArrowDown: 1, ArrowUp: -1, PageDown: 20, PageUp: -20, Home: -Infinity, End: Infinity });
    if (event.key in steps) {
      event.preventDefault();
      const to = lines[Math.min(Math.max((at < 0 ? -1 : at) + steps[event.key], 0), lines.length - 1)];
      if (to) onSelect(to.id);
    } else if (event.key === 'Enter' && at >= 0) {
      event.preventDefault();
      onOpen(selected);
    }
  };
  const grid = isNarrow ? undefined : `${WIDTHS.gutter}px ${WIDTHS.time}px ${WIDTHS.level}px ${shown.map(() => `${WIDTHS.column}px `).join('')}minmax(0, 1fr)`;
  const opener = useRef(onOpen);
  opener.current = onOpen;
  // A line that stands as it stood is not looked at again while the list is scrolled.
  const kept = useMemo(() => /** @type {Map<number, any>} */ (new Map()), [tops, selected, shown.join(), isJson, isNarrow]);
  /** @param {number} n */
  const lineOf = (n) => {
    const line = lines[n];
    const known = kept.get(n);
    if (known) return known;
    const drawn = html`<div
      key=${line.id}
      id=${`line-${line.id}`}
      role="option"
      class="line"
      aria-selected=${line.id === selected}
      aria-posinset=${n + 1}
      aria-setsize=${lines.length}
      style=${{ top: `${tops[n]}px`, height: `${tops[n + 1] - tops[n]}px`, gridTemplateColumns: grid }}
      onClick=${() => {
        if (!getSelection()?.toString()) opener.current(line.id);
      }}
    >
      <${Cells} line=${line} columns=${shown} isJson=${isJson} isNarrow=${isNarrow} />
    </div>`;
    if (kept.size > KEPT_MOST) kept.clear();
    kept.set(n, drawn);
    return drawn;
  };
  return html`<div
    class=${`rows ${isWrapped ? 'wrapped' : ''} ${isNarrow ? 'narrow' : ''}`}
    ref=${list}
    role="listbox"
    tabindex="0"
    aria-label=${label}
    aria-activedescendant=${at >= first && at <= last ? `line-${selected}` : undefined}
    onKeyDown=${onKeyDown}
    onScroll=${(/** @type {any} */ event) => {
      setTop(event.currentTarget.scrollTop);
      onTop(event.currentTarget.scrollTop < 8);
    }}
  >
    <div class="all" role="presentation" style=${{ height: `${tops[lines.length] ?? 0}px` }}>
      ${Array.from({ length: Math.max(last - first + 1, 0) }, (_, n) => lineOf(first + n))}
    </div>
  </div>`;
}

/** What stands above the lines. @param {{ columns: string[], onColumn: (name: string) => void }} props */
export function Head({ columns, onColumn }) {
  const grid = `${WIDTHS.gutter}px ${WIDTHS.time}px ${WIDTHS.level}px ${columns.map(() => `${WIDTHS.column}px `).join('')}minmax(0, 1fr)`;
  return html`<div class="rows-head" style=${{ gridTemplateColumns: grid }}>
    <span></span><span>${t('logs.time')}</span><span>${t('logs.level')}</span>
    ${columns.map(
      (name) => html`<span key=${name} class="column"><bdi>${plain(name, 40)}</bdi><button type="button" class="icon-only" aria-label=${t('fields.column_out', { name: plain(name, 40) })} title=${t('fields.column_out', { name: plain(name, 40) })} onClick=${() => onColumn(name)}>×</button></span>`,
    )}
    <span>${t('logs.message')}</span>
  </div>`;
}
