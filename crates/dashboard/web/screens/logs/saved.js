// Searches that this browser keeps.
import { useState } from 'preact/hooks';
import { html } from '../../html.js';
import { remember, remembered } from '../../memory.js';
import { Icon } from '../../parts/icons.js';
import { Menu } from '../../parts/menu.js';
import { plain } from '../../parts/text.js';
import { go } from '../../route.js';
import { t } from '../../words.js';

/** @typedef {{ name: string, params: Record<string, string> }} Saved */

const MOST = 50;

/** @returns {Saved[]} */
function read() {
  try {
    const found = JSON.parse(remembered('searches', '[]'));
    return Array.isArray(found) ? found.filter((one) => typeof one?.name === 'string' && typeof one.params === 'object') : [];
  } catch {
    return [];
  }
}

/** @param {{ params: Record<string, string> }} props */
export function SavedSearches({ params }) {
  const [all, setAll] = useState(read);
  /** @param {Saved[]} now */
  const keep = (now) => {
    remember('searches', JSON.stringify(now));
    setAll(now);
  };
  return html`<${Menu} label=${t('saved.title')} kind="small">
    ${(/** @type {() => void} */ close) => html`${all.map(
        (one) => html`<span class="saved" key=${one.name}>
          <button type="button" class="quiet" onClick=${() => { close(); go('logs', one.params); }}>${plain(one.name, 60)}</button>
          <button type="button" class="icon-only" aria-label=${t('saved.remove', { name: plain(one.name, 60) })} onClick=${() => keep(all.filter((other) => other !== one))}><${Icon} name="close" /></button>
        </span>`,
      )}
      ${all.length > 0 && html`<hr />`}
      <form
        class="stack"
        onSubmit=${(/** @type {any} */ event) => {
          event.preventDefault();
          const name = String(new FormData(event.currentTarget).get('name') ?? '').trim();
          const { event: _event, live: _live, ...kept } = params;
          keep([{ name, params: kept }, ...all.filter((one) => one.name !== name)].slice(0, MOST));
          close();
        }}
      >
        <label>${t('saved.name')}<input name="name" required maxlength="60" value=${params.q ?? ''} /></label>
        <button type="submit">${t('saved.keep')}</button>
      </form>`}
  <//>`;
}
