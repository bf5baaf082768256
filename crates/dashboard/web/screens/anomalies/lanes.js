// A lane for each source: when something strange came, and how strange it was.
import { html } from '../../html.js';
import { plain } from '../../parts/text.js';
import { stamp } from '../../time.js';
import { number, several, t } from '../../words.js';

/** @typedef {import('../logs/events.js').Line} Line */

const WIDTH = 1000;
const HEIGHT = 64;

/** @param {{ lines: Line[], range: [number, number], threshold?: number, onOpen: (id: string) => void }} props */
export function Lanes({ lines, range, threshold, onOpen }) {
  const sources = [...new Set(lines.map(({ service }) => service))];
  const most = (/** @type {string} */ source) => lines.filter(({ service }) => service === source).length;
  sources.sort((one, other) => most(other) - most(one));
  const x = (/** @type {string} */ at) => ((Date.parse(at) - range[0]) / Math.max(range[1] - range[0], 1)) * WIDTH;
  const y = (/** @type {number} */ score) => HEIGHT - 6 - score * (HEIGHT - 12);
  return html`<section class="card lanes" aria-label=${t('anomalies.lanes')}>
    ${sources.map((source) => {
      const own = lines.filter(({ service }) => service === source);
      const name = plain(source || t('anomalies.no_source'), 60);
      return html`<figure key=${source}>
        <figcaption><b class="mono">${name}</b> <span class="soft">${several('overview.anomalies', own.length)}</span></figcaption>
        <svg viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label=${`${name}: ${several('overview.anomalies', own.length)}`}>
          ${threshold !== undefined && html`<line class="threshold" x1="0" x2=${WIDTH} y1=${y(threshold)} y2=${y(threshold)} />`}
          ${own.map((one) => html`<circle key=${one.id} cx=${x(one.at)} cy=${y(one.score ?? 0)} r="5" onClick=${() => onOpen(one.id)}><title>${stamp(one.at)} · ${number(one.score ?? 0)} · ${plain(one.message, 120)}</title></circle>`)}
        </svg>
      </figure>`;
    })}
    <div class="axis soft" aria-hidden="true"><span>${stamp(range[0])}</span><span>${stamp(range[1])}</span></div>
  </section>`;
}
