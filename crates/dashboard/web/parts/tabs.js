// Views of one screen, each with an address of its own. The one that is shown is in sight where not all have room.
import { useEffect, useRef } from 'preact/hooks';
import { html } from '../html.js';

/** @param {{ label: string, current: string, views: { name: string, to: string, text: string }[] }} props */
export function Tabs({ label, current, views }) {
  const row = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    row.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [current]);
  return html`<nav class="tabs" ref=${row} aria-label=${label}>${views.map(({ name, to, text }) => html`<a key=${name} href=${to} aria-current=${name === current ? 'page' : undefined}>${text}</a>`)}</nav>`;
}
