// Of what people are told.
import { useEffect, useState } from 'preact/hooks';
import { may, post, useAsk } from '../../api.js';
import { html } from '../../html.js';
import { hear } from '../../open.js';
import { Empty, Failed, Loading, tell, tellRefused } from '../../parts/feedback.js';
import { Severity, State, Time } from '../../parts/marks.js';
import { plain } from '../../parts/text.js';
import { address } from '../../route.js';
import { t } from '../../words.js';
import { Deliveries } from './deliveries.js';

/** @typedef {import('../../api.js').Schemas['Alert']} Alert */

/** @param {{ alert: Alert, onAcknowledge: (alert: Alert) => void }} props */
function One({ alert, onAcknowledge }) {
  const [isOpen, setOpen] = useState(false);
  const deliveries = alert.deliveries ?? [];
  const about = { severity: alert.severity, kind: alert.type, host: alert.agent_name ?? undefined };
  return html`<li class=${`card alert ${alert.severity}`}>
    <header>
      <${Severity} level=${alert.severity ?? 'info'} />
      ${alert.agent_name && html`<span class="mono">${plain(alert.agent_name, 80)}</span>`}
      <span class="soft">${alert.timestamp && html`<${Time} at=${alert.timestamp} />`}</span>
      <span class="push bar">
        ${alert.acknowledged ? html`<span class="soft">${alert.acknowledged_by ? t('alerts.had_by', { name: plain(alert.acknowledged_by, 60) }) : t('state.acknowledged')}</span>` : may('admin') && html`<button type="button" class="small" onClick=${() => onAcknowledge(alert)}>${t('do.acknowledge')}</button>`}
        ${may('admin') && html`<a class="button small" href=${address('alerts/silences', { kind: about.kind, host: about.host })}>${t('silences.like_this')}</a>`}
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
      <a href=${address('alerts/routes', about)}>${t('routes.who')}</a>
    </p>
    ${isOpen && html`<${Deliveries} deliveries=${deliveries} />`}
  </li>`;
}

/** @param {{ view: string }} props */
export function List({ view }) {
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
