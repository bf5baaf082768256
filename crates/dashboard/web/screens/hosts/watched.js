// What is watched on a host, and from where on it is told: changed here, and taken back.
import { may, post, remove } from '../../api.js';
import { html } from '../../html.js';
import { tell, tellRefused } from '../../parts/feedback.js';
import { plain } from '../../parts/text.js';
import { go } from '../../route.js';
import { number, t } from '../../words.js';

/** @typedef {import('../../api.js').Schemas['Host']} Host */
/** @typedef {Record<string, any>} Monitoring */

/** Each field: its section, its members, and in what it is said. */
const FIELDS = /** @type {const} */ ([
  ['cpu', 'hosts.cpu', [''], '%'],
  ['ram', 'hosts.ram', [''], '%'],
  ['disk', 'hosts.disk', [''], '%'],
  ['network', 'hosts.network', ['in', 'out'], 'KB/s'],
  ['ssh', 'watched.ssh', [''], ''],
]);

/** @param {Monitoring} monitoring @param {string} section @param {string} way @returns {number | undefined} */
function limit(monitoring, section, way) {
  const threshold = monitoring[section]?.threshold;
  return way ? threshold?.[way] : threshold;
}

/** What stands in a form that differs from what holds. @param {FormData} given @param {Monitoring} held */
function changes(given, held) {
  /** @type {Monitoring} */
  const changed = {};
  for (const [section, , ways] of FIELDS) {
    const enabled = given.get(`${section} on`) !== null;
    if (enabled !== (held[section]?.enabled ?? true)) changed[section] = { ...changed[section], enabled };
    const values = ways.map((way) => Number(given.get(`${section} ${way}`)));
    const differs = ways.some((way, at) => values[at] !== limit(held, section, way));
    if (differs) changed[section] = { ...changed[section], threshold: ways.length > 1 ? { in: values[0], out: values[1] } : values[0] };
  }
  return changed;
}

/** What held of what is changed. @param {Monitoring} changed @param {Monitoring} held */
function before(changed, held) {
  return Object.fromEntries(Object.entries(changed).map(([section, members]) => [section, Object.fromEntries(Object.keys(members).map((name) => [name, held[section]?.[name] ?? (name === 'enabled' ? true : null)]))]));
}

/** @param {{ host: Host, changed: () => void }} props */
export function Watched({ host, changed }) {
  const held = /** @type {Monitoring} */ (host.monitoring ?? {});
  const path = `/agent/${encodeURIComponent(host.name ?? '')}/config`;
  const isOff = !may('admin');
  /** @param {any} event */
  const onSubmit = async (event) => {
    event.preventDefault();
    const now = changes(new FormData(event.currentTarget), held);
    if (!Object.keys(now).length) return;
    try {
      await post(path, now);
      const back = () => post(path, before(now, held)).then(() => { tell(t('told.undone')); changed(); }, tellRefused);
      tell(t('watched.kept'), { undo: back });
    } catch (error) {
      tellRefused(error);
    }
    changed();
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
    <form class="stack" key=${JSON.stringify(held)} onSubmit=${onSubmit}>
      <div class="bar make">${FIELDS.map(
        ([section, word, ways, unit]) => html`<fieldset class="bar watched" disabled=${isOff}><legend>${t(word)}</legend>
          <label class="row"><input type="checkbox" name=${`${section} on`} checked=${held[section]?.enabled ?? true} /><span>${t('watched.on')}</span></label>
          ${ways.map((way) => html`<label class="row"><span>${way ? t(way === 'in' ? 'hosts.in' : 'hosts.out') : t('watched.from')}</span><input type="number" required min="0" max=${unit === '%' ? 100 : undefined} step="any" name=${`${section} ${way}`} value=${limit(held, section, way) ?? ''} /><span class="soft">${unit}</span></label>`)}
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
