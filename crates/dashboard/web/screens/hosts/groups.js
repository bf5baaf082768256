// Thresholds of groups of hosts: those that are set, and another one.
import { caller, may, post, remove, useAsk } from '../../api.js';
import { html } from '../../html.js';
import { Failed, tell, tellRefused } from '../../parts/feedback.js';
import { Time } from '../../parts/marks.js';
import { plain } from '../../parts/text.js';
import { address } from '../../route.js';
import { number, several, t } from '../../words.js';
import { EACH, FIELDS, limit, put } from './limits.js';

/** @typedef {import('../../api.js').Schemas['HostGroup']} Group */
/** @typedef {import('./limits.js').Monitoring} Monitoring */

/** @param {string} group */
const path = (group) => `/api/v1/host-groups/${encodeURIComponent(group)}`;

/** @param {'in' | 'out' | ''} way */
const named = (way) => (way ? ` ${t(way === 'in' ? 'hosts.in' : 'hosts.out')}` : '');

/** What is set, in words. @param {{ monitoring: Monitoring }} props */
function Limits({ monitoring }) {
  const set = EACH.filter(({ section, way }) => limit(monitoring, section, way) !== undefined);
  return html`${set.map(({ section, word, way, unit }) => html`<span class="entity" key=${section + way}><span class="entity-type">${t(word)}${named(way)}</span> ${number(limit(monitoring, section, way) ?? 0)} ${unit}</span>`)}
    ${FIELDS.filter(([section]) => monitoring[section]?.learned).map(([section, word]) => html`<span class="entity" key=${section}><span class="entity-type">${t(word)}</span> ${t('groups.learned')}</span>`)}`;
}

/** @param {{ wanted: string, held: Group | undefined, done: () => void }} props */
function Form({ wanted, held, done }) {
  const before = /** @type {Monitoring} */ (held?.monitoring ?? {});
  /** @param {any} event */
  const onSubmit = async (event) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    /** @type {Monitoring} */
    const said = {};
    for (const { section, way } of EACH) {
      const text = String(given.get(`${section} ${way}`) ?? '');
      if (text || limit(before, section, way) !== undefined) put(said, section, way, text ? Number(text) : null);
    }
    try {
      await post(path(String(given.get('group')).trim()), said);
      tell(t('groups.kept'));
    } catch (error) {
      tellRefused(error);
    }
    done();
  };
  return html`<form class="stack" key=${wanted + (held?.version ?? 0)} onSubmit=${onSubmit}>
    <div class="bar make">
      <label>${t('groups.group')}<input name="group" required placeholder="role=web" value=${wanted} /></label>
      ${EACH.map(({ section, word, way, unit }) => html`<label key=${section + way}>${t(word)}${named(way)} ${unit}<input type="number" min="0" max=${unit === '%' ? 100 : undefined} step="any" name=${`${section} ${way}`} value=${limit(before, section, way) ?? ''} /></label>`)}
      <button type="submit" class="primary">${t('do.save')}</button>
    </div>
    <p class="soft">${t('groups.order')}</p>
  </form>`;
}

/** @param {{ wanted: string, changed: () => void }} props `wanted`: the labels that hosts are chosen by */
export function Groups({ wanted, changed }) {
  // Groups reach over organizations: who is of one does not see them.
  const { data, error, reload } = useAsk(caller.value?.organization ? null : '/api/v1/host-groups', {}, 30_000);
  const groups = /** @type {{ groups: Group[] } | undefined} */ (data)?.groups;
  if (caller.value?.organization || (!groups && !error)) return null;
  const done = () => {
    reload();
    changed();
  };
  /** @param {Group} one */
  const onRemove = async (one) => {
    try {
      await remove(path(one.group));
      tell(t('told.removed'), { undo: () => post(path(one.group), one.monitoring).then(() => { tell(t('told.undone')); done(); }, tellRefused) });
    } catch (failed) {
      tellRefused(failed);
    }
    done();
  };
  if (!groups) return html`<${Failed} error=${error} again=${reload} />`;
  if (!groups.length && !may('admin')) return null;
  return html`<section class="card stack" aria-labelledby="groups"><h2 id="groups">${t('groups.title')}</h2>
    ${groups.length > 0 && html`<div class="table-frame" tabindex="0" role="region" aria-label=${t('groups.title')}><table>
      <thead><tr><th>${t('groups.group')}</th><th>${t('groups.limits')}</th><th>${t('screen.hosts')}</th><th>${t('groups.since')}</th><th><span class="unseen">${t('do.remove')}</span></th></tr></thead>
      <tbody>${groups.map((one) => html`<tr key=${one.group}>
        <td class="mono"><a href=${address('hosts', { labels: one.group })}><bdi>${plain(one.group, 200)}</bdi></a></td>
        <td><span class="bar"><${Limits} monitoring=${one.monitoring} /></span></td>
        <td class="tight">${several('hosts.count', one.hosts)}</td>
        <td class="tight"><${Time} at=${one.set_at} /></td>
        <td>${may('admin') && html`<button type="button" class="small" onClick=${() => onRemove(one)}>${t('do.remove')}</button>`}</td>
      </tr>`)}</tbody>
    </table></div>`}
    ${may('admin') && html`<${Form} wanted=${wanted} held=${groups.find(({ group }) => group === wanted)} done=${done} />`}
  </section>`;
}
