// Which keys do what.
import { html } from '../html.js';
import { t } from '../words.js';
import { Dialog } from './dialog.js';

/** @typedef {import('../words.js').Word} Word */

/** @type {[string, Word][]} */
const EVERYWHERE = [['1 … 9, 0', 'keys.screens'], [',', 'keys.settings'], ['/', 'keys.query'], ['?', 'keys.help'], ['Esc', 'keys.close']];

/** @type {Record<string, [string, Word][]>} */
const OF_SCREEN = {
  signals: [['j / k', 'keys.next'], ['e', 'keys.resolve'], ['a', 'keys.acknowledge'], ['x', 'keys.pick'], ['n', 'keys.note']],
  processes: [['j / k', 'keys.next'], ['← / →', 'keys.fold'], ['e', 'keys.process'], ['Ctrl ↵', 'keys.sql']],
  logs: [['j / k', 'keys.next'], ['e', 'keys.event'], ['a', 'keys.around'], ['l', 'keys.live'], ['w', 'keys.wrap'], ['[ / ]', 'keys.times']],
};

/** @param {{ screen: string, onClose: () => void }} props */
export function Help({ screen, onClose }) {
  const rows = [...(OF_SCREEN[screen] ?? []), ...EVERYWHERE];
  return html`<${Dialog} title=${t('keys.title')} onClose=${onClose}>
    <dl class="keys">${rows.map(([key, word]) => html`<dt><kbd>${key}</kbd></dt><dd>${t(word)}</dd>`)}</dl>
  <//>`;
}
