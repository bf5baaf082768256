// One process: what it is, who started it, what it started, how it changed.
import { html } from '../../html.js';
import { Dialog } from '../../parts/dialog.js';
import { Empty, Failed, Loading } from '../../parts/feedback.js';
import { Icon } from '../../parts/icons.js';
import { Severity, Time, quoted } from '../../parts/marks.js';
import { LogText, plain } from '../../parts/text.js';
import { address, place } from '../../route.js';
import { lasting, stamp } from '../../time.js';
import { bytes, named, number, t } from '../../words.js';
import { hitsOf } from './hits.js';
import { literal, useRecords } from './sql.js';

/** Processor time. @param {number} seconds */
export function lasted(seconds) {
  return seconds < 60 ? `${number(Math.round(seconds * 10) / 10)} s` : lasting(seconds * 1000);
}

const FACTS = /** @type {const} */ (['executable', 'executable_hash', 'cwd', 'container', 'tracer_pid', 'uid']);

/** @param {{ word: import('../../words.js').Word, all: { pid: number, name: string }[] }} props */
function Kin({ word, all }) {
  if (!all.length) return null;
  const { params } = place.value;
  return html`<section><h3>${t(word)}</h3><p class="bar">${all.slice(0, 20).map((one) => html`<a key=${one.pid} class="entity" href=${address('processes', { ...params, pid: String(one.pid) })}><bdi>${plain(one.name, 40)}</bdi> <span class="entity-type">${one.pid}</span></a>`)}${all.length > 20 && html`<span class="soft">${t('fields.more', { n: number(all.length - 20) })}</span>`}</p></section>`;
}

/** How it changed. @param {{ events: Record<string, any>[] }} props */
function Life({ events }) {
  if (!events.length) return null;
  return html`<section><h3>${t('signal.timeline')}</h3><ol class="timeline">${events.map(
    (one) => html`<li key=${`${one.timestamp} ${one.event}`}><b>${named('process_event', one.event)}</b> <span class="soft"><${Time} at=${one.timestamp} /></span>${one.event !== 'ended' && html` <span class="log-text">${plain(one.command, 300)}</span>`}</li>`,
  )}</ol></section>`;
}

/**
 * @param {{ host: string, pid: number, at: string, hits: import('./hits.js').Signal[], family: import('./tree.js').Process[], onClose: () => void }} props
 *   `family`: all of its host, for who started whom
 */
export function Process({ host, pid, at, hits, family, onClose }) {
  const where = `host = ${literal(host)} AND pid = ${pid}`;
  const found = useRecords(`SELECT *, (SELECT group_concat(port, ', ') FROM listening_ports WHERE ${where}) AS ports FROM processes WHERE ${where}`, at);
  const life = useRecords(`SELECT timestamp, event, started_at, name, substr(command, 1, 400) AS command FROM process_events WHERE ${where} AND timestamp >= ago('7d') ORDER BY timestamp LIMIT 200`, at);
  const one = found.rows?.[0];
  const events = (life.rows ?? []).filter(({ started_at }) => !one || started_at === one.started_at);
  const title = one ? `${plain(one.name, 60)} · ${pid}` : `PID ${pid}`;
  const shown = () => {
    if (found.error && !found.rows) return html`<${Failed} error=${found.error} again=${found.reload} />`;
    if (!found.rows) return html`<${Loading} lines=${6} />`;
    if (!one) return html`<${Empty} title=${t('processes.gone')}>${plain(host, 80)} · ${at ? stamp(at) : t('processes.now')}<//>`;
    const parent = family.find((other) => other.pid === one.ppid);
    return html`<div class="event-text"><${LogText} text=${one.command || one.name} /></div>
      <dl class="facts">
        <div><dt>${t('about.user')}</dt><dd>${plain(one.user, 60)}</dd></div>
        <div><dt>${t('processes.started')}</dt><dd><${Time} at=${one.started_at} /></dd></div>
        <div><dt>${t('processes.cpu')}</dt><dd>${lasted(one.cpu_seconds)}</dd></div>
        <div><dt>${t('hosts.ram')}</dt><dd>${bytes(one.rss_bytes ?? 0)}</dd></div>
        ${one.ports && html`<div><dt>${t('processes.ports')}</dt><dd class="mono">${plain(String(one.ports), 200)}</dd></div>`}
        ${FACTS.filter((name) => one[name] !== null && one[name] !== '').map((name) => html`<div class=${name.startsWith('exec') || name === 'cwd' ? 'wide' : undefined}><dt>${named('process_fact', name)}</dt><dd class="mono"><${LogText} text=${String(one[name])} />${name === 'executable' && one.executable_deleted ? html` <span class="chip soft">${t('processes.deleted')}</span>` : ''}</dd></div>`)}
      </dl>
      <${Kin} word="processes.parent" all=${parent ? [parent] : []} />
      <${Kin} word="processes.children" all=${family.filter((other) => other.ppid === pid && other.pid !== pid)} />`;
  };
  const own = one ? hitsOf(hits, /** @type {any} */ (one)) : [];
  return html`<${Dialog} title=${title} kind="drawer" onClose=${onClose}><div class="stack">
    ${shown()}
    ${own.length > 0 && html`<section><h3>${t('processes.hits')}</h3><ul class="brief">${own.map((hit) => html`<li key=${hit.id}><${Severity} level=${hit.severity} /><a href=${address(`signals/${hit.id}`)}>${plain(hit.title, 200)}</a></li>`)}</ul></section>`}
    <${Life} events=${events} />
    ${one && html`<p class="bar"><a class="button" href=${address('logs', { q: `host.name:${quoted(host)} AND process.pid:${pid}`, from: one.started_at, to: at || 'now' })}><${Icon} name="logs" />${t('signal.logs')}</a></p>`}
  </div><//>`;
}
