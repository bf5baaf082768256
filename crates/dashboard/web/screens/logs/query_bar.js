// The line that is asked: completes names of fields and their values, and shows what is wrong at its place.
import { useEffect, useRef, useState } from 'preact/hooks';
import { Refused, ask } from '../../api.js';
import { html } from '../../html.js';
import { reason } from '../../parts/feedback.js';
import { Icon } from '../../parts/icons.js';
import { quoted } from '../../parts/marks.js';
import { plain } from '../../parts/text.js';
import { number, t } from '../../words.js';

/** @typedef {{ text: string, more: string, insert: string }} Choice */
/** @typedef {import('./events.js').Question} Question */

/** What is being written at the caret: a field, or the value of one. @param {string} before */
function writing(before) {
  const value = /(?:^|[\s(!-])([\w.@]+):(?:[<>]=?)?("?)([^\s()"]*)$/.exec(before);
  if (value) return { field: value[1], part: value[3], length: value[2].length + value[3].length };
  const name = /(?:^|[\s(!-])([\w.@]*)$/.exec(before);
  return name ? { field: '', part: name[1], length: name[1].length } : undefined;
}

/** @type {Promise<{ name: string, count: number }[]> | undefined} */
let names;

/** Every field there is, asked for once in a while. */
export function fieldNames() {
  names ??= ask('/api/v1/fields').then(({ fields }) => fields);
  names.catch(() => {
    names = undefined;
  });
  setTimeout(() => {
    names = undefined;
  }, 60_000);
  return names;
}

/** @param {string} before @param {Question} question @param {AbortSignal} stop @returns {Promise<Choice[]>} */
async function choices(before, question, stop) {
  const at = writing(before);
  if (!at) return [];
  const part = at.part.toLowerCase();
  if (at.field) {
    const { from, to } = question;
    const { values } = await ask('/api/v1/fields', { field: at.field, from, to, limit: 200 }, stop);
    return values
      .filter((/** @type {any} */ one) => one.value.toLowerCase().includes(part))
      .slice(0, 12)
      .map((/** @type {any} */ one) => ({ text: plain(one.value, 80), more: number(one.count), insert: `${quoted(one.value)} ` }));
  }
  if (!part) return [];
  const known = [...(await fieldNames()), ...['level', 'source', 'host'].map((name) => ({ name, count: Infinity }))];
  return known
    .filter(({ name }) => name.toLowerCase().includes(part))
    .sort((one, other) => Number(other.name.startsWith(part)) - Number(one.name.startsWith(part)) || other.count - one.count)
    .slice(0, 12)
    .map(({ name, count }) => ({
      text: plain(name, 80),
      more: Number.isFinite(count) ? number(count) : '',
      insert: `${/^[\w.@-]+$/.test(name) ? name : `"${name.replace(/["\\]/g, '\\$&')}"`}:`,
    }));
}

/** @param {{ query: string, error: unknown }} props */
function Wrong({ query, error }) {
  const column = error instanceof Refused ? error.problem.column : undefined;
  const signs = [...query];
  return html`<div class="query-wrong" role="alert">
    ${
      column &&
      html`<code>${plain(signs.slice(0, column - 1).join(''))}<mark>${plain(signs[column - 1] ?? ' ')}</mark>${plain(signs.slice(column).join(''))}</code>`
    }
    <p>${reason(error)}</p>
  </div>`;
}

/**
 * @param {{ question: Question, error: unknown, onAsk: (q: string) => void, input: { current: HTMLInputElement | null } }} props
 */
export function QueryBar({ question, error, onAsk, input }) {
  const [written, write] = useState(question.q);
  const [list, setList] = useState(/** @type {Choice[]} */ ([]));
  const [active, setActive] = useState(-1);
  const stop = useRef(new AbortController());
  useEffect(() => write(question.q), [question.q]);
  useEffect(() => () => stop.current.abort(), []);
  const close = () => {
    stop.current.abort();
    setList([]);
    setActive(-1);
  };
  /** @param {HTMLInputElement} field */
  const complete = (field) => {
    stop.current.abort();
    stop.current = new AbortController();
    const { signal } = stop.current;
    const before = field.value.slice(0, field.selectionStart ?? 0);
    setTimeout(() => {
      if (signal.aborted) return;
      choices(before, question, signal).then(
        (found) => {
          if (signal.aborted) return;
          setList(found);
          setActive(-1);
        },
        () => !signal.aborted && setList([]),
      );
    }, 120);
  };
  /** @param {Choice} choice */
  const take = (choice) => {
    const field = input.current;
    if (!field) return;
    const caret = field.selectionStart ?? 0;
    const start = caret - (writing(field.value.slice(0, caret))?.length ?? 0);
    const now = field.value.slice(0, start) + choice.insert + field.value.slice(caret);
    write(now);
    close();
    requestAnimationFrame(() => {
      field.focus();
      field.setSelectionRange(start + choice.insert.length, start + choice.insert.length);
      if (choice.insert.endsWith(':')) complete(field);
    });
  };
  /** @param {KeyboardEvent} event */
  const onKeyDown = (event) => {
    const count = list.length;
    if (count && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) {
      event.preventDefault();
      setActive((active + (event.key === 'ArrowDown' ? 1 : active < 0 ? 0 : -1) + count) % count);
    } else if (count && (event.key === 'Enter' || event.key === 'Tab') && active >= 0) {
      event.preventDefault();
      take(list[active]);
    } else if (event.key === 'Escape') {
      event.preventDefault();
      event.stopPropagation();
      if (count) close();
      else input.current?.blur();
    }
  };
  return html`<form
    class="query"
    role="search"
    onSubmit=${(/** @type {Event} */ event) => {
      event.preventDefault();
      close();
      onAsk(written.trim());
    }}
  >
    <div class="query-line">
      <${Icon} name="search" />
      <input
        ref=${input}
        value=${written}
        role="combobox"
        aria-label=${t('logs.query')}
        aria-expanded=${list.length > 0}
        aria-controls="completions"
        aria-autocomplete="list"
        aria-activedescendant=${active >= 0 ? `completion-${active}` : undefined}
        aria-invalid=${Boolean(error)}
        placeholder=${t('logs.query_hint')}
        spellcheck=${false}
        autocomplete="off"
        autocapitalize="off"
        enterkeyhint="search"
        onInput=${(/** @type {any} */ event) => {
          write(event.currentTarget.value);
          complete(event.currentTarget);
        }}
        onKeyDown=${onKeyDown}
        onBlur=${close}
      />
      ${written && html`<button type="button" class="icon-only" aria-label=${t('logs.query_clear')} onClick=${() => { write(''); onAsk(''); }}><${Icon} name="close" /></button>`}
      <button type="submit" class="primary">${t('logs.ask')}</button>
    </div>
    <ul id="completions" role="listbox" aria-label=${t('logs.completions')} class="completions" hidden=${!list.length}>
      ${list.map(
        (choice, at) => html`<li
          key=${choice.text}
          id=${`completion-${at}`}
          role="option"
          aria-selected=${at === active}
          onPointerDown=${(/** @type {Event} */ event) => {
            event.preventDefault();
            take(choice);
          }}
        >
          <bdi>${choice.text}</bdi><span class="soft">${choice.more}</span>
        </li>`,
      )}
    </ul>
    ${Boolean(error) && html`<${Wrong} query=${question.q} error=${error} />`}
  </form>`;
}
