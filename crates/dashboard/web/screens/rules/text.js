// A text with its lines numbered, those in which something is wrong marked.
import { useEffect, useRef } from 'preact/hooks';
import { html } from '../../html.js';

/**
 * @param {{ text: string, onText: (text: string) => void, label: string, wrong: Set<number>, at?: number, described?: string }} props
 *   `at`: the line to go to, from 1
 */
export function Text({ text, onText, label, wrong, at, described }) {
  const area = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const gutter = useRef(/** @type {HTMLElement | null} */ (null));
  const lines = text.split('\n').length;
  const follow = () => {
    if (gutter.current && area.current) gutter.current.scrollTop = area.current.scrollTop;
  };
  useEffect(() => {
    if (at && area.current) goTo(area.current, at);
  }, [at]);
  return html`<div class="editor">
    <div class="gutter mono" aria-hidden="true" ref=${gutter}>${Array.from({ length: lines }, (_, line) => html`<div class=${wrong.has(line + 1) ? 'wrong' : undefined}>${line + 1}</div>`)}</div>
    <textarea
      ref=${area} class="mono" aria-label=${label} aria-invalid=${wrong.size > 0 || undefined} aria-describedby=${described}
      wrap="off" spellcheck=${false} autocomplete="off" autocapitalize="off" rows=${Math.min(Math.max(lines + 1, 14), 34)}
      value=${text} onInput=${(/** @type {any} */ event) => onText(event.currentTarget.value)} onScroll=${follow}
    ></textarea>
  </div>`;
}

/** Puts the cursor on a line, from 1. @param {HTMLTextAreaElement} area @param {number} line */
export function goTo(area, line) {
  const lines = area.value.split('\n');
  const start = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
  area.focus();
  area.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0));
  area.scrollTop = Math.max(0, (area.scrollHeight / lines.length) * (line - 4));
}
