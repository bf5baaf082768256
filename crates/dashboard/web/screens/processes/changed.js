// What changed on a host and what ended.
import { html } from '../../html.js';
import { Time } from '../../parts/marks.js';
import { plain } from '../../parts/text.js';
import { named, number, t } from '../../words.js';

/** More are not drawn. */
const SHOWN = 200;

/** @param {{ events: Record<string, any>[], width: string }} props */
export function Changed({ events, width }) {
  if (!events.length) return null;
  return html`<section class="card" aria-labelledby="changed"><h2 id="changed">${t('processes.changed', { width: width.replace(/(\d+)(\w)/, '$1 $2') })}</h2>
    <div class="table-frame" tabindex="0" role="region" aria-labelledby="changed"><table>
      <thead><tr><th>${t('alerts.at')}</th><th>${t('processes.what')}</th><th>${t('processes.one')}</th><th class="number">PID</th><th>${t('about.user')}</th><th>${t('processes.command')}</th></tr></thead>
      <tbody>${events.slice(0, SHOWN).map(
        (one) => html`<tr key=${`${one.timestamp} ${one.pid} ${one.event}`}>
          <td class="tight"><${Time} at=${one.timestamp} /></td><td class="tight">${named('process_event', one.event)}</td><td class="mono">${plain(one.name, 40)}</td>
          <td class="number">${one.pid}</td><td>${plain(one.user, 40)}</td><td class="mono soft">${plain(one.command, 200)}</td>
        </tr>`,
      )}</tbody>
    </table></div>
    ${events.length > SHOWN && html`<p class="soft">${t('logs.most', { n: number(SHOWN) })}</p>`}
  </section>`;
}
