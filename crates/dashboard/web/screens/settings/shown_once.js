// A secret that is shown this once.
import { html } from '../../html.js';
import { Dialog } from '../../parts/dialog.js';
import { Icon } from '../../parts/icons.js';
import { t } from '../../words.js';
import { copy } from '../logs/copy.js';

/** @param {{ title: string, text: string, secret: string, onClose: () => void, children?: any }} props */
export function ShownOnce({ title, text, secret, onClose, children }) {
  return html`<${Dialog} title=${title} onClose=${onClose}>
    <div class="stack">
      <p>${text}</p>
      <div class="copyable"><code>${secret}</code><button type="button" class="icon-only" aria-label=${t('do.copy')} onClick=${() => copy(secret)}><${Icon} name="copy" /></button></div>
      ${children}
    </div>
  <//>`;
}
