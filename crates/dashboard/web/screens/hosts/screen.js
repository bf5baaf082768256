// Hosts: how each one is, and one of them at length.
import { useEffect, useState } from 'preact/hooks';
import { may, useAsk } from '../../api.js';
import { html } from '../../html.js';
import { Empty, Failed, Loading } from '../../parts/feedback.js';
import { State, Time } from '../../parts/marks.js';
import { useMatch } from '../../parts/match.js';
import { plain } from '../../parts/text.js';
import { address, place } from '../../route.js';
import { bytes, number, several, t } from '../../words.js';
import { Groups } from './groups.js';
import { HostDetail } from './host.js';
import { Choice, Labels, carrying } from './labels.js';
import { brief } from './measured.js';

/** @typedef {import('../../api.js').Schemas['Host']} Host */

/** @param {{ percent: number | undefined, isHigh?: boolean }} props */
function Bar({ percent, isHigh = false }) {
  if (percent === undefined) return html`<span class="soft">–</span>`;
  return html`<span class=${`share ${isHigh ? 'is-high' : ''}`}><i style=${{ width: `${Math.min(percent, 100)}%` }}></i><span>${number(Math.round(percent))} %</span></span>`;
}

/** Whether a condition of this kind stands. @param {Host} host @param {string} kind */
function stands(host, kind) {
  return /** @type {any[]} */ (host.conditions ?? []).some((one) => JSON.stringify(one).includes(kind));
}

/** @param {{ host: Host }} props */
function Link({ host }) {
  return html`<a href=${address(`hosts/${encodeURIComponent(host.name ?? '')}`)}><bdi>${plain(host.name ?? '', 80)}</bdi></a>`;
}

/** @param {{ host: Host }} props */
function Troubles({ host }) {
  const { down } = brief(host);
  return html`${host.open_signals ? html`<a class="chip soft" href=${address('signals', { q: host.name })}>${several('signals.count', host.open_signals)}</a>` : ''}
    ${down.length > 0 && html`<span class="state dead">${t('hosts.down', { names: plain(down.join(', '), 60) })}</span>`}`;
}

/** @param {{ hosts: Host[] }} props */
function Table({ hosts }) {
  return html`<section class="card"><div class="table-frame" tabindex="0" role="region" aria-label=${t('screen.hosts')}><table class="hosts">
    <thead><tr><th>${t('about.host')}</th><th>${t('alerts.state')}</th><th>${t('hosts.cpu')}</th><th>${t('hosts.ram')}</th><th>${t('hosts.disk')}</th><th class="number">${t('hosts.in')}</th><th class="number">${t('hosts.out')}</th><th>${t('hosts.troubles')}</th><th>${t('hosts.seen')}</th></tr></thead>
    <tbody>${hosts.map((host) => {
      const { cpu, ram, fullest, hasNetwork, received, sent } = brief(host);
      return html`<tr key=${host.name}>
        <td class="mono"><${Link} host=${host} /><${Labels} host=${host} /></td>
        <td><${State} state=${host.state ?? ''} /></td>
        <td><${Bar} percent=${cpu} isHigh=${stands(host, 'host_cpu')} /></td>
        <td><${Bar} percent=${ram} isHigh=${stands(host, 'host_memory')} /></td>
        <td title=${fullest ? plain(fullest.mount, 80) : ''}><${Bar} percent=${fullest?.percent} isHigh=${stands(host, 'host_disk')} /></td>
        <td class="number">${hasNetwork ? `${bytes(received)}/s` : '–'}</td>
        <td class="number">${hasNetwork ? `${bytes(sent)}/s` : '–'}</td>
        <td><${Troubles} host=${host} /></td>
        <td class="tight">${host.last_seen && html`<${Time} at=${host.last_seen} isAgo />`}</td>
      </tr>`;
    })}</tbody>
  </table></div></section>`;
}

/** @param {{ hosts: Host[] }} props */
function Cards({ hosts }) {
  return html`<ul class="alerts">${hosts.map((host) => {
    const { cpu, ram, fullest } = brief(host);
    return html`<li key=${host.name} class="card">
      <header><b class="mono"><${Link} host=${host} /></b><${State} state=${host.state ?? ''} /><span class="push soft">${host.last_seen && html`<${Time} at=${host.last_seen} isAgo />`}</span></header>
      <dl class="bars">
        <div><dt>${t('hosts.cpu')}</dt><dd><${Bar} percent=${cpu} isHigh=${stands(host, 'host_cpu')} /></dd></div>
        <div><dt>${t('hosts.ram')}</dt><dd><${Bar} percent=${ram} isHigh=${stands(host, 'host_memory')} /></dd></div>
        <div><dt>${t('hosts.disk')}</dt><dd><${Bar} percent=${fullest?.percent} isHigh=${stands(host, 'host_disk')} /></dd></div>
      </dl>
      <p class="bar"><${Labels} host=${host} /><${Troubles} host=${host} /></p>
    </li>`;
  })}</ul>`;
}

export default function Hosts() {
  const { data, error, reload } = useAsk('/agents', {}, 10_000);
  const [round, setRound] = useState(0);
  const isWide = useMatch('(width >= 900px)');
  useEffect(() => setRound((n) => n + 1), [data]);
  const hosts = /** @type {Host[] | undefined} */ (data);
  const name = place.value.part;
  const { labels = '' } = place.value.params;
  const shown = carrying(hosts ?? [], labels);
  const one = name ? hosts?.find((host) => host.name === name) : undefined;
  return html`<div class="page">
    ${!one && html`<header><h1>${t('screen.hosts')}</h1>${hosts && html`<span class="soft">${several('hosts.count', shown.length)}</span><${Choice} hosts=${hosts} wanted=${labels} />`}${may('admin') && html`<a class="button push" href="#/settings/agents">${t('agents.add')}</a>`}</header>`}
    ${error && html`<${Failed} error=${error} again=${reload} />`}
    ${
      !hosts
        ? !error && html`<${Loading} lines=${6} />`
        : one
          ? html`<${HostDetail} key=${name} host=${one} round=${round} changed=${reload} />`
          : name
            ? html`<${Empty} title=${t('hosts.gone')}><a href="#/hosts">${t('hosts.all')}</a><//>`
            : !hosts.length
              ? html`<${Empty} title=${t('hosts.none')}><span class="hint">${t('hosts.send')} <code>log-sentinel agent</code></span><//>`
              : html`${!shown.length ? html`<${Empty} title=${t('hosts.none_carry')} />` : isWide ? html`<${Table} hosts=${shown} />` : html`<${Cards} hosts=${shown} />`}
                <${Groups} wanted=${labels} changed=${reload} />`
    }
  </div>`;
}
