// Alerts: of what people were told, over which channel, and whether it arrived.
import { useEffect, useState } from 'preact/hooks';
import { may, post, useAsk } from '../api.js';
import { html } from '../html.js';
import { hear } from '../open.js';
import { Empty, Failed, Loading, tell, tellRefused } from '../parts/feedback.js';
import { Severity, State, Time } from '../parts/marks.js';
import { plain } from '../parts/text.js';
import { address, place } from '../route.js';
import { named, t } from '../words.js';

/** @typedef {import('../api.js').Schemas['Alert']} Alert */
/** @typedef {import('../api.js').Schemas['Delivery']} Delivery */

const VIEWS = /** @type {const} */ (['open', 'all', 'deliveries']);

/** @param {{ deliveries: Delivery[] }} props */
function Deliveries({ deliveries }) {
  return html`<div class="table-frame" tabindex="0" role="region" aria-label=${t('alerts.deliveries')}><table>
    <thead><tr><th>${t('alerts.at')}</th><th>${t('alerts.channel')}</th><th>${t('alerts.occasion')}</th><th>${t('alerts.state')}</th><th class="number">${t('alerts.tries')}</th><th>${t('alerts.answer')}</th></tr></thead>
    <tbody>
      ${deliveries.map(
        (one) => html`<tr key=${one.key ?? `${one.alert} ${one.channel} ${one.revision}`}>
          <td class="tight">${one.at && html`<${Time} at=${one.at} />`}</td>
          <td class="mono">${plain(one.channel ?? '', 80)}</td>
          <td>${one.alert ? html`<a href=${address(`signals/${one.alert}`)}>${named('happening', one.occasion ?? '')}</a>` : named('happening', one.occasion ?? '')}</td>
          <td><${State} state=${one.state ?? ''} /></td>
          <td class="number">${one.tries ?? ''}</td>
          <td>${plain(one.last_error ?? '', 400)}</td>
        </tr>`,
      )}
    </tbody>
  </table></div>`;
}

/** @param {{ alert: Alert, onAcknowledge: (alert: Alert) => void }} props */
function One({ alert, onAcknowledge }) {
  const [isOpen, setOpen] = useState(false);
  const deliveries = alert.deliveries ?? [];
  return html`<li class=${`card alert ${alert.severity}`}>
    <header>
      <${Severity} level=${alert.severity ?? 'info'} />
      ${alert.agent_name && html`<span class="mono">${plain(alert.agent_name, 80)}</span>`}
      <span class="soft">${alert.timestamp && html`<${Time} at=${alert.timestamp} />`}</span>
      <span class="push bar">
        ${alert.acknowledged ? html`<span class="soft">${alert.acknowledged_by ? t('alerts.had_by', { name: plain(alert.acknowledged_by, 60) }) : t('state.acknowledged')}</span>` : may('admin') && html`<button type="button" class="small" onClick=${() => onAcknowledge(alert)}>${t('do.acknowledge')}</button>`}
      </span>
    </header>
    <p>${alert.signal ? html`<a href=${address(`signals/${alert.signal}`)}>${plain(alert.message ?? '', 600)}</a>` : plain(alert.message ?? '', 600)}</p>
    <p class="bar told-of">
      ${
        deliveries.length
          ? html`${deliveries.map((one) => html`<span class="bar"><span class="mono">${plain(one.channel ?? '', 60)}</span><${State} state=${one.state ?? ''} /></span>`)}
              <button type="button" class="small quiet" aria-expanded=${isOpen} onClick=${() => setOpen(!isOpen)}>${t('alerts.every_try')}</button>`
          : html`<span class="soft">${t('alerts.nobody')}</span>`
      }
    </p>
    ${isOpen && html`<${Deliveries} deliveries=${deliveries} />`}
  </li>`;
}

/** @param {{ view: string }} props */
function List({ view }) {
  const { data, error, reload } = useAsk('/alerts', { acknowledged: view === 'open' ? false : undefined, limit: 200 });
  useEffect(() => hear(() => reload()), []);
  const alerts = /** @type {Alert[] | undefined} */ (data);
  /** @param {Alert} alert */
  const onAcknowledge = async (alert) => {
    try {
      await post(`/alerts/${alert.id}/acknowledge`);
      tell(t('told.acknowledged'));
      reload();
    } catch (failed) {
      tellRefused(failed);
    }
  };
  if (error && !alerts) return html`<${Failed} error=${error} again=${reload} />`;
  if (!alerts) return html`<${Loading} lines=${6} />`;
  if (!alerts.length) return html`<${Empty} title=${t(view === 'open' ? 'alerts.clear' : 'alerts.none')}>${t('alerts.when')}<//>`;
  return html`<ul class="alerts">${alerts.map((alert) => html`<${One} key=${alert.id} alert=${alert} onAcknowledge=${onAcknowledge} />`)}</ul>`;
}

function AllDeliveries() {
  const { data, error, reload } = useAsk('/api/v1/deliveries', { limit: 200 }, 10_000);
  const found = /** @type {any} */ (data);
  if (error && !found) return html`<${Failed} error=${error} again=${reload} />`;
  if (!found) return html`<${Loading} lines=${6} />`;
  if (!found.deliveries.length) return html`<${Empty} title=${t('alerts.no_deliveries')}>${t('alerts.set_up')} <code>LOG_SENTINEL_ALERTS_FILE</code>, <code>ALERT_EMAIL_ENABLED</code>, <code>ALERT_TELEGRAM_ENABLED</code>, <code>ALERT_DISCORD_ENABLED</code><//>`;
  return html`<${Deliveries} deliveries=${found.deliveries} />`;
}

export default function Alerts() {
  const view = place.value.part || 'open';
  return html`<div class="page">
    <header><h1>${t('screen.alerts')}</h1>
      <nav class="tabs" aria-label=${t('signals.views')}>${VIEWS.map((one) => html`<a key=${one} href=${address(one === 'open' ? 'alerts' : `alerts/${one}`)} aria-current=${one === view ? 'page' : undefined}>${t(`alerts.view_${one}`)}</a>`)}</nav>
    </header>
    ${view === 'deliveries' ? html`<${AllDeliveries} />` : html`<${List} key=${view} view=${view} />`}
  </div>`;
}
