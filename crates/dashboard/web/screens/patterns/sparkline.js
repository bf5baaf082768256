// How often something came, over time, in the height of a line.
import { html } from '../../html.js';
import { number, t } from '../../words.js';

/** @param {{ counts: number[] | undefined }} props from the oldest on; none while they are asked for */
export function Sparkline({ counts }) {
  if (!counts) return html`<span class="sparkline waiting"></span>`;
  const highest = Math.max(...counts, 1);
  const width = 100 / Math.max(counts.length, 1);
  const label = t('patterns.over_time', { n: number(counts.reduce((sum, n) => sum + n, 0)), top: number(Math.max(...counts, 0)) });
  return html`<svg class="sparkline" viewBox="0 0 100 24" preserveAspectRatio="none" role="img" aria-label=${label}>
    ${counts.map((n, at) => n > 0 && html`<rect x=${at * width} y=${24 - Math.max((n / highest) * 23, 1.5)} width=${width * 0.86} height="24" />`)}
  </svg>`;
}
