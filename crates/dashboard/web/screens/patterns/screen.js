// Patterns: what the lines say with their numbers and names left out, and what people make of them.
import { useState } from 'preact/hooks';
import { html } from '../../html.js';
import { place } from '../../route.js';
import { t } from '../../words.js';
import { Patterns } from './list.js';
import { Pattern } from './one.js';

export default function Screen() {
  const [round, setRound] = useState(0);
  const changed = () => setRound((n) => n + 1);
  const { part } = place.value;
  return html`<div class="page">
    <header><h1>${t('screen.patterns')}</h1></header>
    ${part ? html`<${Pattern} key=${part} id=${part} round=${round} changed=${changed} />` : html`<${Patterns} round=${round} changed=${changed} />`}
  </div>`;
}
