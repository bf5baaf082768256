// A dialog of the browser: it keeps focus within, and Escape closes it.
import { useEffect, useRef } from 'preact/hooks';
import { html } from '../html.js';
import { t } from '../words.js';
import { Icon } from './icons.js';

/** @param {{ title: string, onClose: () => void, children: any, kind?: string }} props */
export function Dialog({ title, onClose, children, kind = '' }) {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return html`<dialog ref=${dialog} class=${kind} aria-label=${title} onClose=${onClose}>
    <header>
      <h2>${title}</h2>
      <button type="button" class="icon-only" aria-label=${t('do.close')} onClick=${() => dialog.current?.close()}>
        <${Icon} name="close" />
      </button>
    </header>
    ${children}
  </dialog>`;
}
