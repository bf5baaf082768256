// Agents: machines that send from elsewhere.
import { useState } from 'preact/hooks';
import { caller, post, remove, useAsk } from '../../api.js';
import { html } from '../../html.js';
import { Empty, Failed, Loading, tell, tellRefused } from '../../parts/feedback.js';
import { State, Time } from '../../parts/marks.js';
import { plain } from '../../parts/text.js';
import { t } from '../../words.js';
import { ShownOnce } from './shown_once.js';

/** @typedef {import('../../api.js').Schemas['Agent']} Agent */

export function Agents() {
  const { data, error, reload } = useAsk('/api/v1/agents', {}, 10_000);
  const [made, setMade] = useState(/** @type {any} */ (undefined));
  const agents = /** @type {{ agents: Agent[] } | undefined} */ (data)?.agents;
  /** @param {any} event */
  const onSubmit = async (event) => {
    event.preventDefault();
    const form = event.currentTarget;
    const given = new FormData(form);
    try {
      const organization = String(given.get('organization')).trim() || undefined;
      setMade(await post('/api/v1/agents', { name: String(given.get('name')).trim(), organization }));
      form.reset();
      reload();
    } catch (failed) {
      tellRefused(failed);
    }
  };
  /** @param {Agent} agent */
  const onRemove = async (agent) => {
    if (!confirm(t('agents.sure', { name: agent.name ?? '' }))) return;
    try {
      await remove(`/api/v1/agents/${encodeURIComponent(agent.name ?? '')}`);
      tell(t('told.removed'));
      reload();
    } catch (failed) {
      tellRefused(failed);
    }
  };
  // The token of an agent would lock the service before anybody has a key to it.
  if (caller.value?.kind === 'open') return html`<${Empty} title=${t('agents.first')}><a class="button" href="#/settings/keys">${t('keys_of.make')}</a><//>`;
  if (error && !agents) return html`<${Failed} error=${error} again=${reload} />`;
  if (!agents) return html`<${Loading} />`;
  return html`<section class="card"><form class="bar make" onSubmit=${onSubmit}>
      <label>${t('agents.name')}<input name="name" required maxlength="64" placeholder="web-1" /></label>
      <label>${t('keys_of.organization')}<input name="organization" maxlength="64" /></label>
      <button type="submit" class="primary">${t('agents.add')}</button>
    </form></section>
    ${
      agents.length
        ? html`<section class="card"><div class="table-frame" tabindex="0" role="region" aria-label=${t('settings.agents')}><table>
            <thead><tr><th>${t('agents.name')}</th><th>${t('keys_of.organization')}</th><th>${t('agents.since')}</th><th>${t('keys_of.expires')}</th><th>${t('alerts.state')}</th><th><span class="unseen">${t('agents.remove')}</span></th></tr></thead>
            <tbody>${agents.map(
              (agent) => html`<tr key=${`${agent.name} ${agent.created}`}>
                <td class="mono">${plain(agent.name ?? '', 80)}</td>
                <td>${plain(agent.organization ?? '', 60)}</td>
                <td>${agent.created && html`<${Time} at=${agent.created} />`}</td>
                <td>${agent.expires ? html`<${Time} at=${agent.expires} />` : t('keys_of.never')}</td>
                <td><${State} state=${agent.state ?? ''} /></td>
                <td>${agent.state !== 'revoked' && html`<button type="button" class="small" onClick=${() => onRemove(agent)}>${t('agents.remove')}</button>`}</td>
              </tr>`,
            )}</tbody>
          </table></div></section>`
        : html`<${Empty} title=${t('agents.none')}>${t('agents.none_more')}<//>`
    }
    ${
      made &&
      html`<${ShownOnce} title=${t('agents.made', { name: plain(made.name ?? '', 60) })} text=${t('agents.type')} secret=${made.command ?? made.token} onClose=${() => setMade(undefined)}>
        <p>${t('agents.then')}</p><pre class="json" tabindex="0">LOG_SENTINEL_API_KEY=ls_… log-sentinel agent --url ${location.origin}</pre>
        ${made.authority && html`<p>${t('agents.authority')}</p><pre class="json" tabindex="0">${made.authority}</pre>`}
      <//>`
    }`;
}
