// What was sent over which channel, with every try and its answer.
import { useAsk } from '../../api.js';
import { html } from '../../html.js';
import { Empty, Failed, Loading } from '../../parts/feedback.js';
import { State, Time } from '../../parts/marks.js';
import { plain } from '../../parts/text.js';
import { address } from '../../route.js';
import { named, t } from '../../words.js';

/** @typedef {import('../../api.js').Schemas['Delivery']} Delivery */

/** @param {{ deliveries: Delivery[] }} props */
export function Deliveries({ deliveries }) {
  return html`<div class="table-frame" tabindex="0" role="region" aria-label=${t('alerts.deliveries')}><table class="deliveries">
    <thead><tr><th>${t('alerts.at')}</th><th>${t('alerts.channel')}</th><th>${t('alerts.occasion')}</th><th>${t('alerts.state')}</th><th class="number">${t('alerts.tries')}</th><th>${t('alerts.answer')}</th></tr></thead>
    <tbody>
      ${deliveries.map(
        (one) => html`<tr key=${one.key ?? `${one.alert} ${one.channel} ${one.revision}`}>
          <td class="tight">${one.at && html`<${Time} at=${one.at} />`}</td>
          <td class="mono">${plain(one.channel ?? '', 80)}</td>
          <td class="tight">${one.alert ? html`<a href=${address(`signals/${one.alert}`)}>${named('happening', one.occasion ?? '')}</a>` : named('happening', one.occasion ?? '')}</td>
          <td><${State} state=${one.state ?? ''} /></td>
          <td class="number">${one.tries ?? ''}</td>
          <td>${plain(one.last_error ?? '', 400)}</td>
        </tr>`,
      )}
    </tbody>
  </table></div>`;
}

export function AllDeliveries() {
  const { data, error, reload } = useAsk('/api/v1/deliveries', { limit: 200 }, 10_000);
  const found = /** @type {any} */ (data);
  if (error && !found) return html`<${Failed} error=${error} again=${reload} />`;
  if (!found) return html`<${Loading} lines=${6} />`;
  if (!found.deliveries.length) return html`<${Empty} title=${t('alerts.no_deliveries')}><a href=${address('alerts/channels')}>${t('alerts.set_up')}</a><//>`;
  return html`<${Deliveries} deliveries=${found.deliveries} />`;
}
