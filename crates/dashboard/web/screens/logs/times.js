// Which time is looked at: the last so long, or from one moment to another.
import { html } from '../../html.js';
import { Icon } from '../../parts/icons.js';
import { Menu } from '../../parts/menu.js';
import { turn } from '../../route.js';
import { lasting, local, moment, span, stamp, zone } from '../../time.js';
import { t } from '../../words.js';

const PRESETS = /** @type {const} */ (['15m', '1h', '6h', '24h', '7d', '30d']);

/** The bounds in ms; undefined where there are none. @param {Record<string, string>} params @returns {[number, number] | undefined} */
export function bounds({ from = 'now-1h', to = '' }) {
  const now = Date.now();
  const begin = from === 'all' ? undefined : moment(from, now);
  return begin === undefined ? undefined : [begin, moment(to || 'now', now) ?? now];
}

/** @param {number} from @param {number} to ms */
export function between(from, to) {
  turn({ from: new Date(from).toISOString(), to: new Date(to).toISOString(), live: '' });
}

/** Moves by a share of its width, or widens it around its middle. @param {Record<string, string>} params @param {number} by @param {number} [widen] */
export function shift(params, by, widen = 1) {
  const range = bounds(params);
  if (!range) return;
  const width = range[1] - range[0];
  const middle = (range[0] + range[1]) / 2 + by * width;
  between(middle - (width * widen) / 2, middle + (width * widen) / 2);
}

/** @param {Record<string, string>} params */
function label(params) {
  const { from = 'now-1h', to = '' } = params;
  if (from === 'all') return t('times.all');
  const last = /^now-(\d+[smhdw])$/.exec(from);
  if (last && !to) return t('times.last', { width: last[1].replace(/m$/, ' min').replace(/([hdws])$/, ' $1') });
  const range = bounds(params);
  if (!range) return t('times.all');
  return to ? span(...range) : `${stamp(range[0])} – ${t('times.now')}`;
}

/** @param {{ params: Record<string, string> }} props */
export function Times({ params }) {
  const range = bounds(params);
  const [begin, end] = range ?? [Date.now() - 3_600_000, Date.now()];
  return html`<div class="times bar" role="group" aria-label=${t('times.title')}>
    <button type="button" class="icon-only" aria-label=${t('times.earlier')} title=${t('times.earlier')} disabled=${!range} onClick=${() => shift(params, -1)}><${Icon} name="back" /></button>
    <${Menu} label=${html`<${Icon} name="clock" /><span>${label(params)}</span>`} align="right">
      ${(/** @type {() => void} */ close) => html`<div class="presets">
          ${PRESETS.map(
            (width) => html`<button type="button" class="small" aria-pressed=${params.from === `now-${width}` && !params.to} onClick=${() => { close(); turn({ from: `now-${width}`, to: '' }); }}>${width.replace('m', ' min').replace(/([hd])$/, ' $1')}</button>`,
          )}
          <button type="button" class="small" aria-pressed=${params.from === 'all'} onClick=${() => { close(); turn({ from: 'all', to: '', live: '' }); }}>${t('times.all')}</button>
        </div>
        <form
          class="bar"
          onSubmit=${(/** @type {any} */ event) => {
            event.preventDefault();
            const given = new FormData(event.currentTarget);
            close();
            turn({ from: `now-${Number(given.get('n')) || 1}${given.get('unit')}`, to: '' });
          }}
        >
          <label class="row">${t('times.the_last')}<input type="number" name="n" min="1" max="9999" value="2" required /></label>
          <select name="unit" aria-label=${t('times.unit')}>
            ${/** @type {const} */ (['m', 'h', 'd', 'w']).map((unit) => html`<option value=${unit} selected=${unit === 'h'}>${t(`unit.${unit}`)}</option>`)}
          </select>
          <button type="submit">${t('do.show')}</button>
        </form>
        <hr />
        <form
          class="stack"
          onSubmit=${(/** @type {any} */ event) => {
            event.preventDefault();
            const given = new FormData(event.currentTarget);
            const [from, to] = [Date.parse(String(given.get('from'))), Date.parse(String(given.get('to')))];
            close();
            between(Math.min(from, to), Math.max(from, to));
          }}
        >
          <label>${t('times.from')}<input type="datetime-local" step="1" name="from" required value=${local(begin)} /></label>
          <label>${t('times.to')}<input type="datetime-local" step="1" name="to" required value=${local(end)} /></label>
          <div class="bar"><button type="submit">${t('do.show')}</button><span class="soft">${zone}</span></div>
        </form>`}
    <//>
    <button type="button" class="icon-only" aria-label=${t('times.later')} title=${t('times.later')} disabled=${!range} onClick=${() => shift(params, 1)}><${Icon} name="forward" /></button>
    <button type="button" class="icon-only" aria-label=${t('times.wider', { width: lasting((end - begin) * 3) })} title=${t('times.wider', { width: lasting((end - begin) * 3) })} disabled=${!range} onClick=${() => shift(params, 0, 3)}><${Icon} name="wider" /></button>
  </div>`;
}
