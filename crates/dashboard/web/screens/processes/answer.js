// The answer to a question in SQL, as a table.
import { html } from '../../html.js';
import { Empty } from '../../parts/feedback.js';
import { Icon } from '../../parts/icons.js';
import { LogText, plain } from '../../parts/text.js';
import { number, several, t } from '../../words.js';

/** More are not drawn; the file has them. */
const SHOWN = 500;
/** Signs of one value that are shown at first. */
const SIGNS = 300;

/** @param {{ value: unknown }} props */
function Cell({ value }) {
  if (value === null) return html`<td class="soft">–</td>`;
  if (typeof value === 'number') return html`<td class="number">${value}</td>`;
  return html`<td><${LogText} text=${String(value)} most=${SIGNS} /></td>`;
}

/** @param {{ answer: import('./sql.js').Answer, isOld: boolean, onTake: () => void }} props `isOld`: the last question had none, so this is of the one before */
export function Answer({ answer, isOld, onTake }) {
  const { rows, columns } = answer;
  return html`<section class="card" aria-labelledby="answer">
    <header><h2 id="answer">${t('sql.answer')}</h2><span class="soft">${several('sql.rows', rows.length)}${answer.more ? ` · ${t('sql.more')}` : ''} · ${t('sql.cost', { n: number(answer.rows_read), ms: number(Math.round(answer.took_ms)) })}</span>
      <button type="button" class="push" onClick=${onTake}><${Icon} name="download" />CSV</button></header>
    ${isOld && html`<p class="notice">${t('sql.old')}</p>`}
    ${answer.partial && html`<p class="notice">${plain(answer.reason ?? '', 400)}</p>`}
    ${
      rows.length
        ? html`<div class="table-frame" tabindex="0" role="region" aria-label=${t('sql.answer')}><table class="answer">
            <thead><tr>${columns.map((name, at) => html`<th class=${typeof rows[0][at] === 'number' ? 'number' : undefined}>${plain(name, 80)}</th>`)}</tr></thead>
            <tbody>${rows.slice(0, SHOWN).map((row) => html`<tr>${row.map((value) => html`<${Cell} value=${value} />`)}</tr>`)}</tbody>
          </table></div>
          ${rows.length > SHOWN && html`<p class="soft">${t('sql.drawn', { n: number(SHOWN) })}</p>`}`
        : html`<${Empty} title=${t('sql.nothing')}>${answer.partial ? '' : t('sql.nothing_more')}<//>`
    }
    ${answer.hints.length > 0 && html`<ul class="reasons soft">${answer.hints.map((one) => html`<li>${plain(one, 400)}</li>`)}</ul>`}
  </section>`;
}
