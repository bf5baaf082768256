// A file of rules: written with what is wrong said at its line, tried on the last 24 hours, taken back.
import { useEffect, useRef, useState } from 'preact/hooks';
import { post, put, remove } from '../../api.js';
import { html } from '../../html.js';
import { Failed, reason, tell, tellRefused } from '../../parts/feedback.js';
import { plain } from '../../parts/text.js';
import { go } from '../../route.js';
import { several, t } from '../../words.js';
import { Text, goTo } from './text.js';
import { Trial } from './trial.js';
import { Versions } from './versions.js';

/** @typedef {import('../../api.js').Schemas['RuleFault']} Fault */
/** @typedef {import('../../api.js').Schemas['RuleTests']} Tests */

/** What was written and not saved, by file: nothing typed is lost while the page is open. @type {Map<string, string>} */
const drafts = new Map();

/** Asks what is wrong with a text, a moment after it was typed. @param {string} text @param {string} file */
function useCheck(text, file) {
  const [state, set] = useState(/** @type {{ of?: string, faults: Fault[], tests?: Tests, error?: unknown }} */ ({ faults: [] }));
  useEffect(() => {
    if (!text.trim()) {
      set({ of: text, faults: [] });
      return undefined;
    }
    let isOver = false;
    const timer = setTimeout(() => {
      post('/api/v1/rules/check', { text, file: file || undefined }).then(
        (found) => !isOver && set({ of: text, ...found }),
        (error) => !isOver && set((before) => ({ ...before, error })),
      );
    }, 300);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [text, file]);
  return state;
}

/** @param {{ faults: Fault[], tests?: Tests, onLine: (line: number) => void }} props */
function Faults({ faults, tests, onLine }) {
  return html`<div id="faults" aria-live="polite" class="stack">
    ${
      faults.length
        ? html`<ul class="faults">${faults.map(
            (fault) => html`<li><button type="button" class="small" onClick=${() => onLine(fault.line ?? 1)}>${t('rules.line', { n: fault.line ?? 1 })}</button> ${fault.field && html`<b class="mono">${plain(fault.field, 80)}</b> `}<span>${plain(fault.reason ?? '', 400)}</span></li>`,
          )}</ul>`
        : html`<p class="soft">${t('rules.nothing_wrong')}${tests && tests.held ? ` ${several('rules.tests_held', tests.held)}` : ''}</p>`
    }
    ${tests?.problem && html`<p class="failed">${plain(tests.problem, 300)}</p>`}
    ${(tests?.failed ?? []).map((one) => html`<p class="failed">${t('rules.test_failed', { name: plain(one.name ?? '', 100), found: one.found ?? 0, expected: one.expected ?? 0 })}</p>`)}
  </div>`;
}

/**
 * @param {{ name: string, proposed?: string, text: string, versions: any[], line?: number, onWritten?: () => void }} props
 *   `name` is empty for a file that is not there yet
 */
export function Editor({ name, proposed = '', text: saved, versions, line, onWritten }) {
  const key = name || 'new';
  const [text, setText] = useState(drafts.get(key) ?? saved);
  const [file, setFile] = useState(proposed);
  const [error, setError] = useState(/** @type {unknown} */ (undefined));
  const root = useRef(/** @type {HTMLElement | null} */ (null));
  const check = useCheck(text, name || file);
  const base = useRef(saved);
  useEffect(() => {
    // It was written elsewhere, or here: what is shown follows, unless something else was typed meanwhile.
    if (text === base.current) setText(saved);
    base.current = saved;
  }, [saved]);
  const isChanged = !name || text !== saved;
  /** @param {string} now */
  const onText = (now) => {
    setText(now);
    if (now === saved) drafts.delete(key);
    else drafts.set(key, now);
  };
  /** @param {number} at */
  const onLine = (at) => {
    const area = root.current?.querySelector('textarea');
    if (area) goTo(area, at);
  };
  const path = (/** @type {string} */ of) => `/api/v1/rule-files/${encodeURIComponent(of)}`;
  /** @param {any} event */
  const onSave = async (event) => {
    event.preventDefault();
    const of = name || file.trim();
    try {
      await put(path(of), { text });
      drafts.delete(key);
      setError(undefined);
      const back = name ? () => put(path(of), { text: saved }).then(() => { setText(saved); onWritten?.(); }, tellRefused) : () => remove(path(of)).then(() => go('rules/files'), tellRefused);
      tell(t('rules.saved'), { undo: back });
      if (name) onWritten?.();
      else go('rules/files', { file: of });
    } catch (failed) {
      setError(failed);
    }
  };
  const onRemove = async () => {
    if (!confirm(t('rules.sure', { name }))) return;
    try {
      await remove(path(name));
      drafts.delete(key);
      tell(t('told.removed'), { undo: () => put(path(name), { text: saved }).then(() => go('rules/files', { file: name, again: String(Date.now()) }), tellRefused) });
      go('rules/files');
    } catch (failed) {
      tellRefused(failed);
    }
  };
  const wrong = new Set(check.faults.map((fault) => fault.line ?? 1));
  return html`<section class="card stack" ref=${root}>
    <form class="stack" onSubmit=${onSave}>
      ${!name && html`<label>${t('rules.file')}<input required maxlength="120" placeholder="shop.yml" value=${file} onInput=${(/** @type {any} */ event) => setFile(event.currentTarget.value)} /></label>`}
      <${Text} text=${text} onText=${onText} label=${name ? plain(name, 120) : t('rules.new')} wrong=${wrong} at=${line} described="faults" />
      <${Faults} faults=${check.faults} tests=${check.tests} onLine=${onLine} />
      ${Boolean(check.error) && html`<${Failed} error=${check.error} />`}
      ${Boolean(error) && html`<p class="failed" role="alert">${plain(reason(error), 600)}</p>`}
      <div class="bar">
        <button type="submit" class="primary" disabled=${!isChanged || (check.of === text && check.faults.length > 0)}>${t('do.save')}</button>
        ${name && isChanged && html`<button type="button" onClick=${() => onText(saved)}>${t('rules.discard')}</button>`}
        ${name && html`<button type="button" class="push" onClick=${onRemove}>${t('do.remove')}</button>`}
      </div>
    </form>
    <${Trial} what=${() => ({ text })} isOff=${check.of === text && check.faults.length > 0} />
    ${name && html`<${Versions} file=${name} text=${saved} versions=${versions} onBack=${() => onWritten?.()} />`}
  </section>`;
}
