// How strange the events of the last 24 hours were, and where the threshold stands.
import { useAsk } from '../../api.js';
import { html } from '../../html.js';
import { Failed, Loading } from '../../parts/feedback.js';
import { number, short, t } from '../../words.js';

/** Bars from 0 to 1. */
const BARS = 40;
const HEIGHT = 120;

/** Few events count as well as many: bars grow with the logarithm. @param {number} n @param {number} most */
const tall = (n, most) => (n ? Math.max(3, (Math.log10(n + 1) / Math.log10(most + 1)) * HEIGHT) : 0);

/** @param {{ threshold?: number }} props */
export function Scores({ threshold }) {
  const { data, error, reload } = useAsk('/api/v1/fields', { field: 'sentinel.anomaly.score', from: 'now-24h', limit: 1000 }, 60_000);
  const found = /** @type {{ values: { value: string, count: number }[], total: number } | undefined} */ (data);
  if (error && !found) return html`<${Failed} error=${error} again=${reload} />`;
  if (!found) return html`<${Loading} lines=${3} />`;
  const counts = /** @type {number[]} */ (Array(BARS).fill(0));
  let above = 0;
  for (const { value, count } of found.values) {
    const score = Number(value);
    counts[Math.min(BARS - 1, Math.max(0, Math.floor(score * BARS)))] += count;
    if (threshold !== undefined && score >= threshold) above += count;
  }
  const most = Math.max(...counts, 1);
  const label = t('models.scores_label', { n: number(found.total), above: number(above) });
  return html`<section class="card"><h2>${t('models.scores')}</h2>
    <figure class="scores" aria-label=${label}>
      <svg viewBox=${`0 0 ${BARS * 10} ${HEIGHT + 4}`} preserveAspectRatio="none" role="img" aria-label=${label}>
        ${counts.map((n, at) => n > 0 && html`<rect class=${threshold !== undefined && (at + 1) / BARS > threshold ? 'above' : undefined} x=${at * 10 + 0.5} width="9" y=${HEIGHT + 4 - tall(n, most)} height=${tall(n, most)}><title>${(at / BARS).toFixed(2)}–${((at + 1) / BARS).toFixed(2)}: ${number(n)}</title></rect>`)}
        ${threshold !== undefined && html`<line x1=${threshold * BARS * 10} x2=${threshold * BARS * 10} y1="0" y2=${HEIGHT + 4} />`}
      </svg>
      <div class="axis" aria-hidden="true"><span>0</span><span>0.5</span><span>1</span></div>
      <figcaption class="soft">${label} · ${t('models.scores_how', { top: short(most) })}${threshold !== undefined && ` · ${t('models.threshold')} ${number(threshold)}`}</figcaption>
    </figure>
  </section>`;
}
