// Keys of the keyboard. A key alone acts only while nobody is writing.
import { useEffect, useRef } from 'preact/hooks';

/** @typedef {Record<string, (event: KeyboardEvent) => void>} Keys */

/** @type {Set<{ current: Keys }>} */
const active = new Set();

/** @param {EventTarget | null} target */
function isWriting(target) {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (isWriting(event.target) && event.key !== 'Escape') return;
  if (document.querySelector('dialog[open]')) return;
  for (const keys of [...active].reverse()) {
    const act = keys.current[event.key];
    if (!act) continue;
    event.preventDefault();
    act(event);
    return;
  }
});

/** Has keys act while a part is shown; a part that came later goes first. @param {Keys} keys */
export function useKeys(keys) {
  const held = useRef(keys);
  held.current = keys;
  useEffect(() => {
    active.add(held);
    return () => void active.delete(held);
  }, []);
}
