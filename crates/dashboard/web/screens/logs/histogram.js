// How many events there are over time, by level. A range that is drawn over it becomes the time that is looked at.
import { useRef, useState } from 'preact/hooks';
import { html } from '../../html.js';
import { lasting, span as said, stamp, utc } from '../../time.js';
import { number, short, t } from '../../words.js';

/** From the gravest on, which stands lowest. */
export const LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'none'];
const HEIGHT = 84;

/** @typedef {{ t: string, count: number, by?: Record<string, number> }} Bucket */

/** Widths of calendars are taken as they mostly are. @param {string} interval in ms */
export function width(interval) {
  const units = /** @type {Record<string, number>} */ ({ ms: 1, s: 1e3, m: 6e4, h: 36e5, d: 864e5, w: 6048e5, M: 2592e6, q: 7776e6, y: 31536e6 });
  const [, n = '1', unit = 's'] = /^(\d+)(\w+)$/.exec(interval) ?? [];
  return Number(n) * (units[unit] ?? 1e3);
}

/** How many of each level; what has none is `none`. @param {Bucket} bucket @returns {[string, number][]} */
function parts(bucket) {
  const by = bucket.by ?? {};
  const known = Object.values(by).reduce((sum, n) => sum + n, 0);
  const all = { ...by, none: (by.none ?? 0) + Math.max(bucket.count - known, 0) };
  return LEVELS.map((level) => [level, all[/** @type {keyof typeof all} */ (level)] ?? 0]);
}

/** @param {{ buckets: Bucket[], onLevel?: (level: string) => void }} props */
function Legend({ buckets, onLevel }) {
  const all = buckets.map(parts);
  const sums = LEVELS.map((level, at) => /** @type {[string, number]} */ ([level, all.reduce((sum, one) => sum + one[at][1], 0)]));
  return html`<ul class="legend">
    ${sums
      .filter(([, n]) => n)
      .map(([level, n]) => {
        const shown = html`<i class=${level}></i>${t(/** @type {any} */ (`level.${level}`))} <span class="soft">${short(n)}</span>`;
        return html`<li key=${level}>${
          onLevel && level !== 'none' ? html`<button type="button" class="quiet small" title=${t('logs.only', { value: level })} onClick=${() => onLevel(level)}>${shown}</button>` : html`<span>${shown}</span>`
        }</li>`;
      })}
  </ul>`;
}

/**
 * @param {{ buckets: Bucket[], interval: string, range: [number, number], onRange?: (from: number, to: number) => void,
 *   onLevel?: (level: string) => void }} props
 */
export function Histogram({ buckets, interval, range, onRange, onLevel }) {
  const svg = useRef(/** @type {SVGSVGElement | null} */ (null));
  const [drawn, setDrawn] = useState(/** @type {[number, number] | undefined} */ (undefined));
  const [hovered, setHovered] = useState(/** @type {Bucket | undefined} */ (undefined));
  const step = width(interval);
  const [begin, end] = range;
  const span = Math.max(end - begin, step);
  const highest = Math.max(1, ...buckets.map(({ count }) => count));
  const total = buckets.reduce((sum, { count }) => sum + count, 0);
  /** @param {number} at ms @returns {number} of 1000 */
  const x = (at) => ((at - begin) / span) * 1000;
  /** @param {PointerEvent} event @returns {number} ms */
  const at = (event) => {
    const box = /** @type {SVGSVGElement} */ (svg.current).getBoundingClientRect();
    return begin + (Math.min(Math.max(event.clientX - box.left, 0), box.width) / box.width) * span;
  };
  /** @param {PointerEvent} event */
  const onPointerDown = (event) => {
    if (!onRange || event.button) return;
    svg.current?.setPointerCapture(event.pointerId);
    setDrawn([at(event), at(event)]);
  };
  /** @param {PointerEvent} event */
  const onPointerMove = (event) => {
    const now = at(event);
    if (drawn) setDrawn([drawn[0], now]);
    setHovered(buckets.find((bucket) => Date.parse(bucket.t) <= now && now < Date.parse(bucket.t) + step));
  };
  const onPointerUp = () => {
    if (!drawn) return;
    const [from, to] = [Math.min(...drawn), Math.max(...drawn)];
    setDrawn(undefined);
    // A click is the bucket; what is drawn is a range.
    if (to - from > span / 200) onRange?.(from, to);
    else if (hovered) onRange?.(Date.parse(hovered.t), Date.parse(hovered.t) + step);
  };
  return html`<figure class="histogram">
    <div class="plot">
      <span class="scale soft" aria-hidden="true">${short(highest)}</span>
      <svg
        ref=${svg}
        viewBox=${`0 0 1000 ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label=${t('logs.histogram', { n: number(total), from: stamp(begin), to: stamp(end), width: interval })}
        onPointerDown=${onPointerDown}
        onPointerMove=${onPointerMove}
        onPointerUp=${onPointerUp}
        onPointerCancel=${() => setDrawn(undefined)}
        onPointerLeave=${() => setHovered(undefined)}
      >
        ${buckets.map((bucket) => {
          const left = x(Date.parse(bucket.t));
          const wide = Math.max((step / span) * 1000 - 1, 1.2);
          let top = HEIGHT;
          return html`<g key=${bucket.t} class=${bucket === hovered ? 'hovered' : ''}>${parts(bucket).map(([level, n]) => {
            if (!n) return null;
            const high = Math.max((n / highest) * (HEIGHT - 4), 1);
            top -= high;
            return html`<rect class=${level} x=${left} y=${top} width=${wide} height=${high} />`;
          })}</g>`;
        })}
        ${drawn && html`<rect class="drawn" x=${x(Math.min(...drawn))} y="0" width=${Math.abs(x(drawn[1]) - x(drawn[0]))} height=${HEIGHT} />`}
      </svg>
    </div>
    <figcaption>
      ${
        drawn
          ? html`<span>${said(Math.min(...drawn), Math.max(...drawn))} · ${lasting(Math.abs(drawn[1] - drawn[0]))}</span>`
          : hovered
            ? html`<span title=${utc(hovered.t)}>${stamp(hovered.t)} · <b>${number(hovered.count)}</b> ${parts(hovered).filter(([, n]) => n).map(([level, n]) => html`<span class="part"><i class=${level}></i>${number(n)}</span>`)}</span>`
            : html`<span class="soft">${said(begin, end)} · ${t('logs.bucket', { width: interval })}</span>`
      }
      <${Legend} buckets=${buckets} onLevel=${onLevel} />
    </figcaption>
  </figure>`;
}
