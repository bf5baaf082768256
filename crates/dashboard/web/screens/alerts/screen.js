// Alerts: of what people are told, over which way, who would be told, and of what nobody is told for a while.
import { html } from '../../html.js';
import { Tabs } from '../../parts/tabs.js';
import { address, place } from '../../route.js';
import { t } from '../../words.js';
import { Channels } from './channels.js';
import { AllDeliveries } from './deliveries.js';
import { List } from './list.js';
import { Routes } from './routes.js';
import { Silences } from './silences.js';

const VIEWS = /** @type {const} */ (['open', 'all', 'deliveries', 'channels', 'routes', 'silences']);
const PARTS = /** @type {Record<string, any>} */ ({ deliveries: AllDeliveries, channels: Channels, routes: Routes, silences: Silences });

export default function Alerts() {
  const view = VIEWS.find((one) => one === place.value.part) ?? 'open';
  const Part = PARTS[view] ?? List;
  return html`<div class="page">
    <header><h1>${t('screen.alerts')}</h1>
      <${Tabs} label=${t('signals.views')} current=${view} views=${VIEWS.map((name) => ({ name, to: address(name === 'open' ? 'alerts' : `alerts/${name}`), text: t(`alerts.view_${name}`) }))} />
    </header>
    <${Part} key=${view} view=${view} />
  </div>`;
}
