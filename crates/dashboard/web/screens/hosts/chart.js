// A chart over time: the mean as a line, the least and the greatest as a band around it, and one cross-hair for all charts.
import { signal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { useAsk } from '../../api.js';
import { html } from '../../html.js';
import { Failed, Loading } from '../../parts/feedback.js';
import { plain } from '../../parts/text.js';
import { go, turn } from '../../route.js';
import { stamp } from '../../time.js';
import { bytes, number, t } from '../../words.js';

/** @typedef {{ t: string, min: number, max: number, mean: number, count: number }} Point */
/** @typedef {{ metric: string, name: string, times?: number }} Series */
/** @typedef {{ at: number, id: string, title: string, severity: string }} Mark */

const HEIGHT = 120;

/** The moment under the pointer, for all charts at once. */
export const crossHair = signal(/** @type {number | undefined} */ (undefined));

/** @param {number} value @param {string} unit */
function inUnit(value, unit) {
  if (unit === 'percent') return `${number(Math.round(value * 10) / 10)} %`;
  return unit === 'bytes' ? `${bytes(value)}/s` : number(value);
}

/** How far apart its points usually are: a host may be sampled less often than the chart has room for. @param {Point[]} points */
function usualStep(points) {
  const steps = points.slice(1).map((point, at) => Date.parse(point.t) - Date.parse(points[at].t)).sort((one, other) => one - other);
  return steps[Math.floor(steps.length / 2)] ?? 0;
}

/** Pieces without a gap in them. @param {Point[]} points @param {number} step ms */
function pieces(points, step) {
  /** @type {Point[][]} */
  const all = [];
  const gap = Math.max(step, usualStep(points)) * 2.5;
  let last = -Infinity;
  for (const point of points) {
    const at = Date.parse(point.t);
    if (at - last > gap) all.push([]);
    all[all.length - 1].push(point);
    last = at;
  }
  return all;
}

/** A round number at or above. @param {number} value */
function ceiling(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1e-9)));
  return ([1, 2, 2.5, 5, 10].find((one) => one * power >= value) ?? 10) * power;
}

/**
 * @param {{ host: string, word: string, of: string, unit: string, series: Series[], from: string, to: string, marks: Mark[], pinned?: number }} props
 *   `pinned`: the moment that was clicked at
 */
export function Chart({ host, word, of, unit, series, from, to, marks, pinned }) {
  const path = `/history/${encodeURIComponent(host)}`;
  const first = useAsk(path, { metric: series[0].metric, from, to, points: 240 });
  const second = useAsk(series[1] ? path : null, { metric: series[1]?.metric, from, to, points: 240 });
  const svg = useRef(/** @type {SVGSVGElement | null} */ (null));
  const kind = `chart ${series[1] ? 'two' : ''}`;
  const title = html`${t(/** @type {any} */ (`hosts.${word}`))} ${of && html`<bdi class="mono">${plain(of, 60)}</bdi>`}`;
  if (first.error && !first.data) return html`<figure class=${kind}><figcaption>${title}</figcaption><${Failed} error=${first.error} again=${first.reload} /></figure>`;
  if (!first.data || (series[1] && !second.data && !second.error)) return html`<figure class=${kind}><figcaption>${title}</figcaption><${Loading} lines=${2} /></figure>`;
  const drawn = [first.data, second.data].filter(Boolean).map((one, at) => {
    const { points, step_s: step } = /** @type {any} */ (one);
    const times = series[at].times ?? 1;
    return { name: series[at].name, step: step * 1000, points: points.map((/** @type {Point} */ point) => ({ ...point, min: point.min * times, max: point.max * times, mean: point.mean * times })) };
  });
  const [begin, end] = [Date.parse(from), Date.parse(to)];
  const greatest = Math.max(...drawn.flatMap(({ points }) => points.map((/** @type {Point} */ { max }) => max)), 0);
  const top = unit === 'percent' ? 100 : ceiling(greatest);
  const x = (/** @type {number} */ at) => ((at - begin) / (end - begin)) * 1000;
  const y = (/** @type {number} */ value) => HEIGHT - (value / top) * (HEIGHT - 6);
  const shape = (/** @type {Point[]} */ piece, /** @type {'min' | 'max' | 'mean'} */ which) => piece.map((point) => `${x(Date.parse(point.t)).toFixed(1)} ${y(point[which]).toFixed(1)}`);
  const at = crossHair.value ?? (pinned !== undefined && pinned >= begin && pinned <= end ? pinned : undefined);
  const near = (/** @type {Point[]} */ points) =>
    at === undefined ? points[points.length - 1] : points.reduce((best, point) => (Math.abs(Date.parse(point.t) - at) < Math.abs(Date.parse(best.t) - at) ? point : best), points[0]);
  /** @param {PointerEvent} event */
  const onPointerMove = (event) => {
    const box = /** @type {SVGSVGElement} */ (svg.current).getBoundingClientRect();
    crossHair.value = begin + ((event.clientX - box.left) / box.width) * (end - begin);
  };
  /** @param {MouseEvent} event */
  const onPin = (event) => {
    const box = /** @type {SVGSVGElement} */ (svg.current).getBoundingClientRect();
    turn({ at: new Date(begin + ((event.clientX - box.left) / box.width) * (end - begin)).toISOString() });
  };
  const said = drawn.filter(({ points }) => points.length).map(({ name, points }) => {
    const point = near(points);
    return html`<span class=${`value ${name}`}>${name && html`<span class="soft">${t(/** @type {any} */ (`hosts.${name}`))} </span>`}<b>${inUnit(point.mean, unit)}</b>${point.count > 1 && html`<span class="soft"> ${inUnit(point.min, unit)} – ${inUnit(point.max, unit)}</span>`}</span>`;
  });
  return html`<figure class=${kind}>
    <figcaption><span>${title}</span><span class="push bar">${said.length ? said : html`<span class="soft">${t('hosts.unmeasured')}</span>`}</span></figcaption>
    <div class="plot">
      <span class="scale soft" aria-hidden="true">${inUnit(top, unit)}</span>
      <svg ref=${svg} viewBox=${`0 0 1000 ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label=${t('hosts.chart', { n: number(drawn[0].points.length), from: stamp(begin), to: stamp(end), top: inUnit(greatest, unit) })}
        onPointerMove=${onPointerMove} onPointerLeave=${() => { crossHair.value = undefined; }} onClick=${onPin}>
        ${drawn.map(({ name, points, step }) => pieces(points, step).map((piece) => html`<g class=${`series ${name}`}>
            <polygon points=${[...shape(piece, 'max'), ...shape(piece, 'min').reverse()].join(' ')} />
            <polyline points=${shape(piece.length > 1 ? piece : [piece[0], piece[0]], 'mean').join(' ')} />
          </g>`))}
        ${marks.map((mark) => html`<line key=${mark.id} class=${`mark ${mark.severity}`} x1=${x(mark.at)} x2=${x(mark.at)} y1="0" y2=${HEIGHT} onClick=${(/** @type {MouseEvent} */ event) => { event.stopPropagation(); go(`signals/${mark.id}`); }}><title>${plain(mark.title, 200)}</title></line>`)}
        ${at !== undefined && html`<line class="cross" x1=${x(at)} x2=${x(at)} y1="0" y2=${HEIGHT} />`}
      </svg>
    </div>
    <div class="axis soft" aria-hidden="true"><span>${stamp(begin)}</span><span>${stamp(end)}</span></div>
  </figure>`;
}
