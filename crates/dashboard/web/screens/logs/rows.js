// The list of lines: only those in sight are drawn, however many there are.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { html } from '../../html.js';
import { SIGNS, row, said, title, whole } from './line.js';

/** @typedef {import('./events.js').Line} Line */

const LINE = 20;
const PAD = 4;
/** Lines of a wrapped message in the list; the rest is in the event. */
const WRAPPED_MOST = 12;
const OVERSCAN = 4;
/** Lines that are drawn, and go, together: a browser lays out and paints a block at a time. */
const BLOCK = 8;
/** Drawn blocks that are kept for when they come into sight again. */
const KEPT_MOST = 250;
/** What a line is, and what of it says more when it is rested on. */
const [ONE, TOLD] = ['.line', '.before, .score'];
const PROBE = '0'.repeat(100);
/** What stands at the sides of a line, in px. */
const SIDES = 28;

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

/** How large the list is, and how wide a sign of it; nothing until that is known. @param {{ current: HTMLElement | null }} box */
function useSize(box) {
  const [size, set] = useState({ width: 0, height: 0, sign: 7.5 });
  useLayoutEffect(() => {
    const element = box.current;
    const probe = /** @type {HTMLElement} */ (element?.querySelector('.probe'));
    if (!element) return undefined;
    // Told after the browser has laid out, not asked for in between.
    const observer = new ResizeObserver(() => set({ width: element.clientWidth, height: element.clientHeight, sign: probe.getBoundingClientRect().width / 100 || 7.5 }));
    observer.observe(element);
    observer.observe(probe);
    return () => observer.disconnect();
  }, []);
  return size;
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
  const before = isNarrow ? 0 : SIGNS.time + SIGNS.level + shown.length * SIGNS.column;
  const signs = Math.max(Math.floor((width - SIDES) / sign) - before, 12);
  const tops = useMemo(() => {
    const base = (isNarrow ? LINE * 2 : LINE) + PAD;
    if (!isWrapped) return places(lines, () => base);
    return places(lines, (line) => base + (linesOf(said(line, isJson), signs) - 1) * LINE);
  }, [lines, signs, isNarrow, isWrapped, isJson]);
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
  // A block that stands as it stood is not looked at again while the list is scrolled.
  const kept = useMemo(() => /** @type {Map<number, any>} */ (new Map()), [tops, selected, shown.join(), isJson]);
  /** @param {number} n */
  const block = (n) => {
    const known = kept.get(n);
    if (known) return known;
    const [begin, end] = [n * BLOCK, Math.min((n + 1) * BLOCK, lines.length)];
    const drawn = html`<div key=${n} class="block" role="presentation" style=${{ top: `${tops[begin]}px`, height: `${tops[end] - tops[begin]}px` }}>
      ${lines.slice(begin, end).map((line, of) =>
        row({ line, columns: shown, isJson, isNarrow, room: isWrapped ? 0 : signs, at: begin + of, all: lines.length, isSelected: line.id === selected, height: isWrapped ? tops[begin + of + 1] - tops[begin + of] : undefined }),
      )}
    </div>`;
    if (kept.size > KEPT_MOST) kept.clear();
    kept.set(n, drawn);
    return drawn;
  };
  const blocks = lines.length && height ? Math.floor(last / BLOCK) - Math.floor(first / BLOCK) + 1 : 0;
  const lineOf = (/** @type {any} */ element) => lines[Number(element.closest(ONE)?.getAttribute('aria-posinset')) - 1];
  /** @param {MouseEvent} event */
  const onClick = (event) => {
    const line = lineOf(event.target);
    if (line && !getSelection()?.toString()) onOpen(line.id);
  };
  // Said of the part that is rested on alone: of all of them it would be work for each line that is scrolled past.
  const onPointerOver = (/** @type {any} */ { target }) => {
    const part = target.closest(TOLD);
    if (part && !part.title) part.title = title(lineOf(part), part.matches('.score'));
  };
  // What is copied is all of a line, however much of it had room.
  const onCopy = (/** @type {ClipboardEvent} */ event) => {
    const chosen = getSelection();
    const touched = [.../** @type {HTMLElement} */ (list.current).querySelectorAll('.line')].filter((one) => chosen?.containsNode(one, true));
    if (!chosen || chosen.isCollapsed || !touched.some((one) => one.matches('.cut')) || !/…|\n/.test(chosen.toString())) return;
    event.clipboardData?.setData('text/plain', touched.map((one) => whole(lineOf(one), shown, isJson)).join('\n'));
    event.preventDefault();
  };
  return html`<div
    class=${`rows ${isWrapped ? 'wrapped' : ''} ${isNarrow ? 'narrow' : ''}`}
    ref=${list}
    role="listbox"
    tabindex="0"
    aria-label=${label}
    aria-activedescendant=${at >= first && at <= last ? `line-${selected}` : undefined}
    onKeyDown=${onKeyDown}
    onClick=${onClick}
    onPointerOver=${onPointerOver}
    onCopy=${onCopy}
    onScroll=${(/** @type {any} */ event) => {
      setTop(event.currentTarget.scrollTop);
      onTop(event.currentTarget.scrollTop < 8);
    }}
  >
    <span class="probe" aria-hidden="true">${PROBE}</span>
    <div class="all" role="presentation" style=${{ height: `${tops[lines.length] ?? 0}px` }}>
      ${Array.from({ length: blocks }, (_, n) => block(Math.floor(first / BLOCK) + n))}
    </div>
  </div>`;
}
