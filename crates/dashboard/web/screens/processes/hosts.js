// The hosts whose processes are told, and what rules found on any of them.
import { html } from '../../html.js';
import { Empty, Failed, Loading } from '../../parts/feedback.js';
import { Severity } from '../../parts/marks.js';
import { plain } from '../../parts/text.js';
import { address, place } from '../../route.js';
import { number, several, t } from '../../words.js';
import { Hits, hostOf, useHits } from './hits.js';
import { Moment } from './moment.js';
import { useRecords } from './sql.js';

const ASKED = `SELECT host, count(*) AS processes, count(DISTINCT user) AS users, sum(started_at >= ago('1h')) AS fresh
FROM processes WHERE kernel_thread = 0 GROUP BY host ORDER BY host`;

export function Hosts() {
  const at = place.value.params.at ?? '';
  const { rows, answer, error, isLoading, reload } = useRecords(ASKED, at, 30_000);
  const hits = useHits('', at);
  const shown = () => {
    if (error && !rows) return html`<${Failed} error=${error} again=${reload} />`;
    if (!rows) return html`<${Loading} lines=${6} />`;
    if (!rows.length) return html`<${Empty} title=${t(at ? 'processes.none_then' : 'processes.none')}><span class="hint">${t('processes.none_more')} <code>procmond run</code></span><//>`;
    return html`<section class="card"><div class="table-frame" tabindex="0" role="region" aria-label=${t('processes.by_host')}><table>
      <thead><tr><th>${t('about.host')}</th><th class="number">${t('screen.processes')}</th><th class="number">${t('processes.users')}</th><th class="number">${t('processes.fresh')}</th><th>${t('processes.hits')}</th></tr></thead>
      <tbody>${rows.map(({ host, processes, users, fresh }) => {
        const own = hits.filter((one) => hostOf(one) === host);
        return html`<tr key=${host}>
          <td class="mono tight"><a href=${address('processes', { host, at })}>${plain(host, 40) || '""'}</a></td>
          <td class="number">${number(processes)}</td><td class="number">${number(users)}</td><td class="number">${number(fresh)}</td>
          <td>${own.length > 0 && html`<span class="bar"><${Severity} level=${own[0].severity} /><span>${several('signals.count', own.length)}</span></span>`}</td>
        </tr>`;
      })}</tbody>
    </table></div></section>`;
  };
  return html`<div class="bar make"><${Moment} at=${at} isBusy=${isLoading && !rows} /></div>
    ${answer?.partial && html`<p class="notice">${plain(answer.reason ?? '', 300)}</p>`}
    ${shown()}
    <${Hits} hits=${hits} isOfAll />`;
}
