// What is watched on a host, and from where on it is told: changed here, and taken back.
import { may, post, remove } from '../../api.js';
import { html } from '../../html.js';
import { tell, tellRefused } from '../../parts/feedback.js';
import { plain } from '../../parts/text.js';
import { go } from '../../route.js';
import { number, t } from '../../words.js';
import { EACH, FIELDS, From, limit, originOf, put } from './limits.js';

/** @typedef {import('../../api.js').Schemas['Host']} Host */
/** @typedef {import('./limits.js').Monitoring} Monitoring */

/** What stands in a form that differs from what holds. @param {FormData} given @param {Monitoring} held */
function changes(given, held) {
  /** @type {Monitoring} */
  const changed = {};
  for (const [section] of FIELDS) {
    const enabled = given.get(`${section} on`) !== null;
    if (enabled !== (held[section]?.enabled ?? true)) changed[section] = { ...changed[section], enabled };
  }
  for (const { section, way } of EACH) {
    const value = Number(given.get(`${section} ${way}`));
    if (value !== limit(held, section, way)) put(changed, section, way, value);
  }
  return changed;
}

/** What takes a change back: what was set for the host, or that nothing was. @param {Monitoring} changed @param {Host} host */
function before(changed, host) {
  const held = /** @type {Monitoring} */ (host.monitoring ?? {});
  /** @type {Monitoring} */
  const back = {};
  for (const [section, { enabled }] of Object.entries(changed)) {
    if (enabled !== undefined) back[section] = { enabled: held[section]?.enabled ?? true };
  }
  for (const { section, way } of EACH) {
    if (limit(changed, section, way) === undefined) continue;
    const isOwn = originOf(host, section, way)?.from === 'host';
    put(back, section, way, isOwn ? (limit(held, section, way) ?? null) : null);
  }
  return back;
}

/** @param {{ host: Host, changed: () => void }} props */
export function Watched({ host, changed }) {
  const held = /** @type {Monitoring} */ (host.monitoring ?? {});
  const path = `/agent/${encodeURIComponent(host.name ?? '')}/config`;
  const isOff = !may('admin');
  /** @param {Monitoring} now */
  const set = async (now) => {
    try {
      await post(path, now);
      const back = () => post(path, before(now, host)).then(() => { tell(t('told.undone')); changed(); }, tellRefused);
      tell(t('watched.kept'), { undo: back });
    } catch (error) {
      tellRefused(error);
    }
    changed();
  };
  /** @param {any} event */
  const onSubmit = (event) => {
    event.preventDefault();
    const now = changes(new FormData(event.currentTarget), held);
    if (Object.keys(now).length) set(now);
  };
  /** @param {string} section @param {string} way */
  const takeBack = (section, way) => {
    /** @type {Monitoring} */
    const now = {};
    put(now, section, way, null);
    return set(now);
  };
  const onRemove = async () => {
    if (!confirm(t('watched.sure', { name: host.name ?? '' }))) return;
    try {
      await remove(`/agents/${encodeURIComponent(host.name ?? '')}`);
      tell(t('told.removed'));
      go('hosts');
      changed();
    } catch (error) {
      tellRefused(error);
    }
  };
  const version = host.config_version ?? 0;
  return html`<section class="card stack" aria-labelledby="watched"><h2 id="watched">${t('watched.title')}</h2>
    <form class="stack" key=${JSON.stringify([held, host.threshold_origins])} onSubmit=${onSubmit}>
      <div class="bar make">${FIELDS.map(
        ([section, word, ways, unit]) => html`<fieldset class="bar watched" disabled=${isOff}><legend>${t(word)}</legend>
          <label class="row"><input type="checkbox" name=${`${section} on`} checked=${held[section]?.enabled ?? true} /><span>${t('watched.on')}</span></label>
          ${ways.map((way) => html`<label class="row"><span>${way ? t(way === 'in' ? 'hosts.in' : 'hosts.out') : t('watched.from')}</span><input type="number" required min="0" max=${unit === '%' ? 100 : undefined} step="any" name=${`${section} ${way}`} value=${limit(held, section, way) ?? ''} /><span class="soft">${unit}</span></label>
            <${From} origin=${originOf(host, section, way)} />
            ${!isOff && originOf(host, section, way)?.from === 'host' && html`<button type="button" class="quiet small" onClick=${() => takeBack(section, way)}>${t('watched.back')}</button>`}`)}
        </fieldset>`,
      )}</div>
      ${host.config_problem && html`<p class="failed">${plain(host.config_problem, 300)}</p>`}
      <div class="bar">
        ${!isOff && html`<button type="submit" class="primary">${t('do.save')}</button>`}
        <span class="soft">${version === 0 ? t('watched.of_file') : host.config_taken === version ? t('watched.followed', { n: number(version) }) : t('watched.sent', { n: number(version) })}</span>
        ${!isOff && html`<button type="button" class="push" onClick=${onRemove}>${t('watched.remove')}</button>`}
      </div>
    </form>
  </section>`;
}
