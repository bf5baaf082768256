// Signing in with a key.
import { useState } from 'preact/hooks';
import { Refused, signIn } from '../api.js';
import { html } from '../html.js';
import { t } from '../words.js';
import { Failed } from './feedback.js';

export function SignIn() {
  const [error, setError] = useState(/** @type {unknown} */ (undefined));
  const [isBusy, setBusy] = useState(false);
  /** @param {SubmitEvent} event */
  const onSubmit = async (event) => {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.currentTarget);
    setBusy(true);
    setError(undefined);
    try {
      await signIn(String(new FormData(form).get('key') ?? '').trim());
    } catch (failed) {
      const isWrong = failed instanceof Refused && failed.status === 401;
      setError(isWrong ? new Refused(401, { detail: t('sign_in.wrong') }) : failed);
      setBusy(false);
    }
  };
  return html`<main class="sign-in">
    <form onSubmit=${onSubmit}>
      <img src=${new URL('../icon.svg', import.meta.url).pathname} alt="" />
      <h1>${t('sign_in.title')}</h1>
      <p class="soft">${t('sign_in.how')} <code>log-sentinel keys create</code></p>
      <label>${t('sign_in.key')}<input name="key" type="password" autocomplete="current-password" required autofocus /></label>
      ${Boolean(error) && html`<${Failed} error=${error} />`}
      <button type="submit" class="primary" disabled=${isBusy}>${t('sign_in.do')}</button>
    </form>
  </main>`;
}
