// How this page looks, in this browser.
import { useState } from 'preact/hooks';
import { caller } from '../../api.js';
import { html } from '../../html.js';
import { remember, remembered } from '../../memory.js';
import { zone } from '../../time.js';
import { LANGUAGES, choose, language, t } from '../../words.js';

const THEMES = /** @type {const} */ (['system', 'light', 'dark', 'contrast']);

export function Page() {
  const [theme, setTheme] = useState(remembered('theme', 'system'));
  /** @param {string} now */
  const onTheme = (now) => {
    remember('theme', now);
    setTheme(now);
    if (now === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = now;
  };
  return html`<section class="card stack narrow-card">
    <label>${t('settings.language')}
      <select onChange=${(/** @type {any} */ event) => choose(event.currentTarget.value)}>
        ${Object.entries(LANGUAGES).map(([code, name]) => html`<option value=${code} selected=${code === language.value} lang=${code}>${name}</option>`)}
      </select>
    </label>
    <label>${t('settings.theme')}
      <select onChange=${(/** @type {any} */ event) => onTheme(event.currentTarget.value)}>
        ${THEMES.map((one) => html`<option value=${one} selected=${one === theme}>${t(`theme.${one}`)}</option>`)}
      </select>
    </label>
    <label>${t('settings.name')}
      <input maxlength="64" value=${remembered('name', caller.value?.name ?? '')} onChange=${(/** @type {any} */ event) => remember('name', event.currentTarget.value.trim())} />
    </label>
    <p class="soft">${t('settings.zone', { zone })}</p>
  </section>`;
}
