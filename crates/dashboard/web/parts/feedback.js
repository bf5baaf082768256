// What the page says of what was done, and of what it waits for.
import { signal } from '@preact/signals';
import { Refused } from '../api.js';
import { html } from '../html.js';
import { t } from '../words.js';
import { Icon } from './icons.js';

/** @typedef {{ id: number, text: string, tone: 'good' | 'bad', undo?: () => void }} Told */

const told = signal(/** @type {Told[]} */ ([]));
let latest = 0;

/** @param {number} id */
function forget(id) {
  told.value = told.value.filter((one) => one.id !== id);
}

/** @param {string} text @param {{ undo?: () => void, tone?: 'good' | 'bad' }} [more] */
export function tell(text, { undo, tone = 'good' } = {}) {
  latest += 1;
  const id = latest;
  told.value = [...told.value.slice(-2), { id, text, tone, undo }];
  setTimeout(() => forget(id), undo || tone === 'bad' ? 12_000 : 5_000);
}

/** Says in calm words what went wrong. @param {unknown} error */
export function reason(error) {
  if (error instanceof Refused) return error.message;
  return t('error.unreached');
}

/** @param {unknown} error */
export function tellRefused(error) {
  tell(reason(error), { tone: 'bad' });
}

export function Told() {
  return html`<div class="told" role="status" aria-live="polite">
    ${told.value.map(
      ({ id, text, tone, undo }) => html`<div class=${`toast ${tone}`} key=${id}>
        <span>${text}</span>
        ${
          undo &&
          html`<button
            type="button"
            class="quiet"
            onClick=${() => {
              forget(id);
              undo();
            }}
          >
            <${Icon} name="undo" />${t('do.undo')}
          </button>`
        }
        <button type="button" class="icon-only" aria-label=${t('do.close')} onClick=${() => forget(id)}>
          <${Icon} name="close" />
        </button>
      </div>`,
    )}
  </div>`;
}

/** @param {{ title: string, children?: any }} props */
export function Empty({ title, children }) {
  return html`<div class="empty"><p class="empty-title">${title}</p>${children && html`<p>${children}</p>`}</div>`;
}

/** @param {{ error: unknown, again?: () => void }} props */
export function Failed({ error, again }) {
  return html`<div class="failed" role="alert">
    <p>${reason(error)}</p>
    ${again && html`<button type="button" onClick=${again}>${t('do.again')}</button>`}
  </div>`;
}

/** @param {{ lines?: number }} props */
export function Loading({ lines = 4 }) {
  const widths = Array.from({ length: lines }, (_, line) => `${92 - ((line * 37) % 40)}%`);
  return html`<div class="loading" role="status">
    <span class="unseen">${t('state.loading')}</span>
    ${widths.map((width) => html`<i style=${{ width }}></i>`)}
  </div>`;
}
