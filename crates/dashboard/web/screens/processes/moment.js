// The moment that is looked at: now, or one before.
import { html } from '../../html.js';
import { turn } from '../../route.js';
import { local, moment } from '../../time.js';
import { t } from '../../words.js';

/** @param {{ at: string, isBusy?: boolean }} props */
export function Moment({ at, isBusy = false }) {
  const shown = moment(at);
  /** @param {any} event */
  const onChange = (event) => {
    const wanted = Date.parse(event.currentTarget.value);
    turn({ at: Number.isNaN(wanted) ? undefined : new Date(wanted).toISOString(), pid: undefined });
  };
  return html`<label>${t('processes.at')}<span class="bar">
    <input type="datetime-local" step="1" max=${local(Date.now())} value=${shown === undefined ? '' : local(shown)} onChange=${onChange} />
    <button type="button" aria-pressed=${!at} disabled=${isBusy} onClick=${() => turn({ at: undefined, pid: undefined })}>${t('processes.now')}</button>
  </span></label>`;
}
