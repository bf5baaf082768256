// A text with its lines numbered, those in which something is wrong marked.
import { useEffect, useRef } from 'preact/hooks';
import { html } from '../../html.js';

/**
 * @param {{ text: string, onText: (text: string) => void, label: string, wrong: Set<number>, at?: number, described?: string, rows?: number }} props
 *   `at`: the line to go to, from 1; `rows`: at least so many are in sight
 */
export function Text({ text, onText, label, wrong, at, described, rows = 14 }) {
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
      wrap="off" spellcheck=${false} autocomplete="off" autocapitalize="off" rows=${Math.min(Math.max(lines + 1, rows), 34)}
      value=${text} onInput=${(/** @type {any} */ event) => onText(event.currentTarget.value)} onScroll=${follow}
    ></textarea>
  </div>`;
}

/**
 * Puts the cursor on a line, or from one of its characters to the end of the word there.
 * @param {HTMLTextAreaElement} area @param {number} line from 1 @param {number} [column] from 1, in characters
 */
export function goTo(area, line, column) {
  const lines = area.value.split('\n');
  const text = lines[line - 1] ?? '';
  // Characters beyond the first plane are two units of the text.
  const offset = column === undefined ? 0 : [...text].slice(0, column - 1).join('').length;
  const length = column === undefined ? text.length : (/^(?:\w+|.)/u.exec(text.slice(offset))?.[0].length ?? 0);
  const start = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0) + offset;
  area.focus();
  area.setSelectionRange(start, start + length);
  area.scrollTop = Math.max(0, (area.scrollHeight / lines.length) * (line - 4));
}
