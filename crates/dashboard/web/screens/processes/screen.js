// Processes: what runs on hosts and ran, what is new, what rules found there; and questions in SQL.
import { html } from '../../html.js';
import { Tabs } from '../../parts/tabs.js';
import { address, place } from '../../route.js';
import { t } from '../../words.js';
import { Hosts } from './hosts.js';
import { Question } from './question.js';
import { Running } from './running.js';

export default function Screen() {
  const { part, params } = place.value;
  const view = part === 'sql' ? 'sql' : 'running';
  const views = [
    { name: 'running', to: address('processes', view === 'running' ? { at: params.at } : {}), text: t('processes.running') },
    { name: 'sql', to: address('processes/sql', { at: params.at }), text: t('processes.sql') },
  ];
  const { host } = params;
  return html`<div class=${`page ${view === 'sql' || host ? 'broad' : ''}`}>
    <header><h1>${t('screen.processes')}</h1><${Tabs} label=${t('signals.views')} current=${view} views=${views} /></header>
    ${view === 'sql' ? html`<${Question} />` : host ? html`<${Running} key=${host} host=${host} />` : html`<${Hosts} />`}
  </div>`;
}
