// A button that opens a small panel: closed by Escape, by a click elsewhere, or when focus leaves it.
import { useEffect, useRef, useState } from 'preact/hooks';
import { html } from '../html.js';
import { Icon } from './icons.js';

/**
 * @param {{ label: any, name?: string, kind?: string, align?: 'left' | 'right', isOff?: boolean,
 *   children: (close: () => void) => any }} props `name`: what it is called where its label is a picture
 */
export function Menu({ label, name, kind = '', align = 'left', isOff = false, children }) {
  const [isOpen, setOpen] = useState(false);
  const root = useRef(/** @type {HTMLDivElement | null} */ (null));
  const close = () => {
    setOpen(false);
    /** @type {HTMLElement | null | undefined} */ (root.current?.querySelector('button'))?.focus();
  };
  useEffect(() => {
    if (!isOpen) return undefined;
    const elsewhere = (/** @type {Event} */ event) => {
      if (!root.current?.contains(/** @type {Node} */ (event.target))) setOpen(false);
    };
    addEventListener('pointerdown', elsewhere);
    addEventListener('focusin', elsewhere);
    /** @type {HTMLElement | null | undefined} */ (
      root.current?.querySelector('.panel button, .panel input, .panel select, .panel a')
    )?.focus();
    return () => {
      removeEventListener('pointerdown', elsewhere);
      removeEventListener('focusin', elsewhere);
    };
  }, [isOpen]);
  /** @param {KeyboardEvent} event */
  const onKeyDown = (event) => {
    if (!isOpen) return;
    if (event.key === 'Escape') {
      event.preventDefault();
      event.stopPropagation();
      close();
    } else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      if (event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement) return;
      const all = [...(root.current?.querySelectorAll('.panel button, .panel a') ?? [])];
      const at = all.indexOf(/** @type {Element} */ (document.activeElement));
      const next = (at + (event.key === 'ArrowDown' ? 1 : -1) + all.length) % all.length;
      event.preventDefault();
      /** @type {HTMLElement | undefined} */ (all[next])?.focus();
    }
  };
  return html`<div class="menu" ref=${root} onKeyDown=${onKeyDown}>
    <button
      type="button"
      class=${kind}
      aria-expanded=${isOpen}
      aria-label=${name}
      title=${name}
      disabled=${isOff}
      onClick=${() => setOpen(!isOpen)}
    >
      ${label}${!kind.includes('icon-only') && html`<${Icon} name="down" />`}
    </button>
    ${isOpen && html`<div class=${`panel ${align}`}>${children(close)}</div>`}
  </div>`;
}
