// Keys: who may send, read and change.
import { signal } from '@preact/signals';
import { caller, post, remove, signIn, useAsk } from '../../api.js';
import { html } from '../../html.js';
import { Empty, Failed, Loading, tell, tellRefused } from '../../parts/feedback.js';
import { State, Time } from '../../parts/marks.js';
import { plain } from '../../parts/text.js';
import { t } from '../../words.js';
import { ShownOnce } from './shown_once.js';

/** @typedef {import('../../api.js').Schemas['Key']} Key */

const SCOPES = /** @type {const} */ (['ingest', 'read', 'admin']);

/**
 * The new key, until it was seen. It outlives the screen: from the first key on, whatever is still asked without one is refused, and
 * the page asks who comes.
 */
const made = signal(/** @type {(Key & { key: string }) | undefined} */ (undefined));

/** @param {{ isFirst: boolean, onMade: () => void }} props */
function Make({ isFirst, onMade }) {
  /** @param {any} event */
  const onSubmit = async (event) => {
    event.preventDefault();
    const form = event.currentTarget;
    const given = new FormData(form);
    const days = Number(given.get('days'));
    try {
      made.value = await post('/api/v1/keys', {
        name: String(given.get('name')).trim(),
        // The first one locks the service: whoever makes it must not lock themselves out.
        scopes: isFirst ? SCOPES : given.getAll('scope'),
        organization: String(given.get('organization') ?? '').trim() || undefined,
        expires: days ? new Date(Date.now() + days * 86_400_000).toISOString() : undefined,
      });
      form.reset();
      // The first key locks the service: whoever made it goes on with it.
      if (isFirst && made.value) await signIn(made.value.key);
      onMade();
    } catch (error) {
      tellRefused(error);
    }
  };
  return html`<form class="bar make" onSubmit=${onSubmit}>
    <label>${t('keys_of.name')}<input name="name" required maxlength="64" /></label>
    ${
      !isFirst &&
      html`<fieldset class="bar"><legend>${t('keys_of.scopes')}</legend>
          ${SCOPES.map((scope) => html`<label class="row"><input type="checkbox" name="scope" value=${scope} checked=${scope === 'ingest'} />${t(`scope.${scope}`)}</label>`)}
        </fieldset>
        <label>${t('keys_of.organization')}<input name="organization" maxlength="64" /></label>`
    }
    <label>${t('keys_of.expires')}<select name="days"><option value="0">${t('keys_of.never')}</option><option value="30">30 d</option><option value="90">90 d</option><option value="365">365 d</option></select></label>
    <button type="submit" class="primary">${t('keys_of.make')}</button>
  </form>`;
}

export function Keys() {
  const { data, error, reload } = useAsk('/api/v1/keys');
  const keys = /** @type {{ keys: Key[] } | undefined} */ (data)?.keys;
  /** @param {Key} key */
  const onRevoke = async (key) => {
    if (!confirm(t('keys_of.sure', { name: key.name ?? '' }))) return;
    try {
      await remove(`/api/v1/keys/${encodeURIComponent(key.id ?? '')}`);
      tell(t('told.revoked'));
      reload();
    } catch (failed) {
      tellRefused(failed);
    }
  };
  const onSeen = () => {
    made.value = undefined;
    reload();
  };
  if (error && !keys) return html`<${Failed} error=${error} again=${reload} />`;
  if (!keys) return html`<${Loading} />`;
  const isOpen = caller.value?.kind === 'open';
  return html`<section class="card stack">
      ${isOpen && html`<p class="notice">${t('keys_of.first')}</p>`}
      <${Make} isFirst=${isOpen} onMade=${reload} />
    </section>
    ${
      keys.length
        ? html`<section class="card"><div class="table-frame" tabindex="0" role="region" aria-label=${t('settings.keys')}><table>
            <thead><tr><th>${t('keys_of.name')}</th><th>${t('keys_of.scopes')}</th><th>${t('keys_of.organization')}</th><th>${t('keys_of.used')}</th><th>${t('keys_of.expires')}</th><th>${t('alerts.state')}</th><th><span class="unseen">${t('keys_of.revoke')}</span></th></tr></thead>
            <tbody>${keys.map(
              (key) => html`<tr key=${key.id}>
                <td>${plain(key.name ?? '', 80)}${key.agent && html` <span class="chip soft">${t('keys_of.agent')}</span>`}</td>
                <td>${(key.scopes ?? []).map((scope) => t(/** @type {any} */ (`scope.${scope}`))).join(', ')}</td>
                <td>${plain(key.organization ?? '', 60)}</td>
                <td>${key.last_used ? html`<${Time} at=${key.last_used} isAgo />` : t('keys_of.unused')}</td>
                <td>${key.expires ? html`<${Time} at=${key.expires} />` : t('keys_of.never')}</td>
                <td><${State} state=${key.state ?? ''} /></td>
                <td>${key.state === 'active' && html`<button type="button" class="small" onClick=${() => onRevoke(key)}>${t('keys_of.revoke')}</button>`}</td>
              </tr>`,
            )}</tbody>
          </table></div></section>`
        : html`<${Empty} title=${t('keys_of.none')} />`
    }
    ${made.value && html`<${ShownOnce} title=${t('keys_of.made')} text=${t('keys_of.once')} secret=${made.value.key} onClose=${onSeen} />`}`;
}
