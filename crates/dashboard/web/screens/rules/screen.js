// Rules: what is looked for in every event, and the files of one's own rules.
import { caller, may } from '../../api.js';
import { html } from '../../html.js';
import { Tabs } from '../../parts/tabs.js';
import { address, place } from '../../route.js';
import { t } from '../../words.js';
import { Files } from './files.js';
import { Rules } from './list.js';
import { Rule } from './rule.js';

export default function Screen() {
  const { part, params } = place.value;
  const mayWrite = may('admin') && !caller.value?.organization;
  const view = part === 'files' && mayWrite ? 'files' : 'all';
  const views = [
    { name: 'all', to: address('rules'), text: t('rules.view_all') },
    ...(mayWrite ? [{ name: 'files', to: address('rules/files'), text: t('rules.view_files') }] : []),
  ];
  return html`<div class="page">
    <header><h1>${t('screen.rules')}</h1><${Tabs} label=${t('signals.views')} current=${view} views=${views} /></header>
    ${view === 'files' ? html`<${Files} />` : params.rule ? html`<${Rule} key=${params.rule} id=${params.rule} />` : html`<${Rules} />`}
  </div>`;
}
