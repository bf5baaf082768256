// The same events by what they say, with the numbers and names in them left out.
import { useAsk } from '../../api.js';
import { html } from '../../html.js';
import { Empty, Failed, Loading } from '../../parts/feedback.js';
import { Time } from '../../parts/marks.js';
import { plain } from '../../parts/text.js';
import { turn } from '../../route.js';
import { number, t } from '../../words.js';
import { text } from './events.js';

const ORDERS = /** @type {const} */ (['frequent', 'rare', 'newest']);

/** @param {{ question: import('./events.js').Question, order: string, onFilter: (name: string, value: string, isOut: boolean) => void }} props */
export function Patterns({ question, order, onFilter }) {
  const { data, error, reload } = useAsk('/api/v1/patterns', { ...question, order: order || 'frequent', limit: 200 });
  const found = /** @type {any} */ (data);
  if (error && !found) return html`<${Failed} error=${error} again=${reload} />`;
  if (!found) return html`<${Loading} lines=${8} />`;
  if (!found.patterns.length) return html`<${Empty} title=${t('logs.nothing')} />`;
  return html`<div class="patterns" tabindex="0" role="region" aria-label=${t('logs.patterns')}>
    <p class="bar">
      <span class="soft">${t('patterns.found', { n: number(found.distinct ?? found.patterns.length), events: number(found.total) })}</span>
      <span class="bar push" role="group" aria-label=${t('patterns.order')}>${ORDERS.map((one) => html`<button key=${one} type="button" class="small" aria-pressed=${one === (order || 'frequent')} onClick=${() => turn({ order: one })}>${t(`patterns.${one}`)}</button>`)}</span>
    </p>
    <table>
      <thead><tr><th class="number">${t('patterns.events')}</th><th>${t('patterns.text')}</th><th>${t('logs.level')}</th><th>${t('patterns.first_then')}</th><th>${t('patterns.last')}</th><th class="number">${t('patterns.anomalies')}</th></tr></thead>
      <tbody>
        ${found.patterns.map(
          (/** @type {any} */ one) => html`<tr key=${one.id}>
            <td class="number">${number(one.count)}<i class="share" style=${{ width: `${(one.count / found.total) * 100}%` }}></i></td>
            <td><button type="button" class="quiet pattern" onClick=${() => { onFilter('sentinel.template.id', one.id, false); }}><span class="log-text">${plain(text(one.text), 400)}</span></button></td>
            <td><span class=${`level ${one.level ?? ''}`}>${plain(one.level ?? '', 8)}</span></td>
            <td class="tight"><${Time} at=${one.first} /></td>
            <td class="tight"><${Time} at=${one.last} /></td>
            <td class="number">${one.anomalies ? number(one.anomalies) : ''}</td>
          </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}
