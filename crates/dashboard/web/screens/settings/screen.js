// Settings: how this page looks, keys, agents, how the service is, and the settings that it runs with.
import { caller, may } from '../../api.js';
import { html } from '../../html.js';
import { Tabs } from '../../parts/tabs.js';
import { address, place } from '../../route.js';
import { t } from '../../words.js';
import { Agents } from './agents.js';
import { Effective } from './effective.js';
import { Health } from './health.js';
import { Keys } from './keys.js';
import { Page } from './page.js';

const VIEWS = /** @type {const} */ ([
  ['page', Page, undefined],
  ['keys', Keys, 'admin'],
  ['agents', Agents, 'admin'],
  ['health', Health, 'read'],
  ['effective', Effective, 'admin'],
]);

export default function Settings() {
  const shown = VIEWS.filter(([, , scope]) => !scope || (may(scope) && !caller.value?.organization));
  const [view, Part] = shown.find(([name]) => name === place.value.part) ?? shown[0];
  return html`<div class="page">
    <header><h1>${t('screen.settings')}</h1>
      <${Tabs} label=${t('settings.views')} current=${view} views=${shown.map(([name]) => ({ name, to: address(`settings/${name}`), text: t(`settings.${name}`) }))} />
    </header>
    <${Part} />
  </div>`;
}
