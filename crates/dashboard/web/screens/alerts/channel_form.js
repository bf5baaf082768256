// Setting up a channel, or changing one. Secrets go in and never come out.
import { useState } from 'preact/hooks';
import { Refused, post, put } from '../../api.js';
import { html } from '../../html.js';
import { Dialog } from '../../parts/dialog.js';
import { reason, tell } from '../../parts/feedback.js';
import { t } from '../../words.js';
import { TYPES, members } from './channel_types.js';

/** @typedef {import('../../api.js').Schemas['Channel']} Channel */
/** @typedef {import('./channel_types.js').Field} Field */

/** @param {{ field: Field, before?: Record<string, any>, wrong: boolean }} props */
function Input({ field, before, wrong }) {
  const { name, word, kind, isNeeded, choices, usual, hint } = field;
  const held = before?.[name];
  const isSet = Boolean(before?.secrets?.includes(name));
  const value = kind === 'secret' ? '' : Array.isArray(held) ? held.join(', ') : (held ?? usual ?? '');
  const more = { name, required: isNeeded && !isSet, 'aria-invalid': wrong || undefined };
  const label = html`<span>${t(word)}${isSet && html` <span class="soft">· ${t('channel.is_set')}</span>`}</span>`;
  if (kind === 'choice') {
    return html`<label>${label}<select ...${more}>${(choices ?? []).map((one) => html`<option value=${one} selected=${one === value}>${one || t('channel.by_port')}</option>`)}</select></label>`;
  }
  if (kind === 'text') return html`<label>${label}<textarea ...${more} rows="3" class="mono" placeholder=${hint} value=${value}></textarea></label>`;
  return html`<label>${label}<input
    ...${more}
    type=${kind === 'secret' ? 'password' : kind === 'number' ? 'number' : 'text'}
    autocomplete=${kind === 'secret' ? 'new-password' : 'off'}
    placeholder=${isSet ? '••••••••' : hint}
    value=${value}
  /></label>`;
}

/** @param {{ before?: Channel, names: string[], onClose: () => void, onDone: () => void }} props `names`: those of the other channels */
export function ChannelForm({ before, names, onClose, onDone }) {
  const [type, setType] = useState(before?.type ?? 'email');
  const [error, setError] = useState(/** @type {unknown} */ (undefined));
  const wrong = error instanceof Refused ? error.problem.field : undefined;
  /** @param {any} event */
  const onSubmit = async (event) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    const value = (/** @type {string} */ name) => String(given.get(name) ?? '');
    const body = members(type, value, before);
    try {
      if (before) await put(`/api/v1/channels/${encodeURIComponent(before.name)}`, body);
      else await post('/api/v1/channels', { ...body, name: value('name').trim() });
      tell(t('channels.kept'));
      onDone();
    } catch (failed) {
      setError(failed);
    }
  };
  return html`<${Dialog} title=${before ? t('channels.change_of', { name: before.name }) : t('channels.add')} onClose=${onClose}>
    <form class="stack fields" onSubmit=${onSubmit} autocomplete="off">
      ${!before && html`<label>${t('channels.name')}<input name="name" required maxlength="32" pattern="[a-z0-9_\\-]+" title=${t('channels.name_hint')} aria-invalid=${wrong === 'name' || undefined} /></label>`}
      <label>${t('channels.type')}<select onChange=${(/** @type {any} */ event) => setType(event.currentTarget.value)}>
        ${Object.keys(TYPES).map((one) => html`<option value=${one} selected=${one === type}>${one}</option>`)}
      </select></label>
      ${TYPES[type]?.map((field) => html`<${Input} key=${`${type} ${field.name}`} field=${field} before=${before?.type === type ? before : undefined} wrong=${wrong === field.name} />`)}
      ${
        names.length > 0 &&
        html`<label>${t('channels.fallback')}<select name="fallback"><option value="">${t('channels.fallback_first')}</option>${names.map((one) => html`<option value=${one} selected=${one === before?.fallback}>${one}</option>`)}</select></label>`
      }
      ${before && html`<p class="soft">${t('channels.secrets_stay')}</p>`}
      ${Boolean(error) && html`<p class="failed" role="alert">${reason(error)}</p>`}
      <div class="bar"><button type="submit" class="primary">${t('do.save')}</button><button type="button" onClick=${onClose}>${t('do.cancel')}</button></div>
    </form>
  <//>`;
}
