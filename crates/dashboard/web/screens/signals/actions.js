// The buttons of a signal.
import { html } from '../../html.js';
import { Icon } from '../../parts/icons.js';
import { Menu } from '../../parts/menu.js';
import { remember, remembered } from '../../memory.js';
import { local } from '../../time.js';
import { t } from '../../words.js';
import { acknowledge, assign, judge, note, reopen, resolve, snooze } from './acts.js';

/** @typedef {import('../../api.js').Schemas['Signal']} Signal */
/** @typedef {import('./screen.js').OnAct} OnAct */

const HOUR = 3_600_000;

/** Nine in the morning of the day after. */
function tomorrow() {
  const day = new Date();
  day.setDate(day.getDate() + 1);
  day.setHours(9, 0, 0, 0);
  return day.getTime();
}

/** @param {{ signal: Signal, onAct: OnAct }} props */
function Snooze({ signal, onAct }) {
  const choices = /** @type {const} */ ([
    ['snooze.hour', () => Date.now() + HOUR],
    ['snooze.four', () => Date.now() + 4 * HOUR],
    ['snooze.tomorrow', tomorrow],
    ['snooze.week', () => Date.now() + 7 * 24 * HOUR],
  ]);
  return html`<${Menu} label=${html`<${Icon} name="snooze" />${t('do.snooze')}`}>
    ${(/** @type {() => void} */ close) => {
      /** @param {string} until */
      const choose = (until) => {
        close();
        onAct(snooze(until), [signal]);
      };
      return html`${choices.map(
          ([word, at]) => html`<button type="button" onClick=${() => choose(new Date(at()).toISOString())}>${t(word)}</button>`,
        )}
        <hr />
        <form
          class="stack"
          onSubmit=${(/** @type {any} */ event) => {
            event.preventDefault();
            choose(new Date(new FormData(event.currentTarget).get('until')?.toString() ?? '').toISOString());
          }}
        >
          <label>${t('snooze.until')}<input type="datetime-local" name="until" required min=${local(Date.now()).slice(0, 16)} /></label>
          <button type="submit">${t('do.snooze')}</button>
        </form>
        ${signal.snoozed_until && html`<hr /><button type="button" onClick=${() => choose('')}>${t('snooze.end')}</button>`}`;
    }}
  <//>`;
}

/** @param {{ signal: Signal, onAct: OnAct }} props */
function Assign({ signal, onAct }) {
  return html`<${Menu} label=${html`<${Icon} name="person" />${t('do.assign')}`}>
    ${(/** @type {() => void} */ close) => html`<form
        class="stack"
        onSubmit=${(/** @type {any} */ event) => {
          event.preventDefault();
          const to = String(new FormData(event.currentTarget).get('to') ?? '').trim();
          remember('assignee', to);
          close();
          onAct(assign(to), [signal]);
        }}
      >
        <label>${t('assign.to')}<input name="to" maxlength="64" required value=${signal.assignee ?? remembered('assignee', '')} /></label>
        <button type="submit" class="primary">${t('do.assign')}</button>
      </form>
      ${
        signal.assignee &&
        html`<button
          type="button"
          onClick=${() => {
            close();
            onAct(assign(''), [signal]);
          }}
        >
          ${t('assign.nobody')}
        </button>`
      }`}
  <//>`;
}

/** @param {{ signals: Signal[], onAct: OnAct, label?: string | null }} props */
export function Judge({ signals, onAct, label }) {
  const choices = /** @type {const} */ ([
    ['judge.expected', () => judge('expected')],
    ['judge.expected_alike', () => judge('expected', true)],
    ['judge.real', () => judge('real')],
  ]);
  return html`<${Menu} label=${html`<${Icon} name="thumb" />${t('do.judge')}`}>
    ${(/** @type {() => void} */ close) => html`${choices.map(
      ([word, act]) => html`<button
        type="button"
        onClick=${() => {
          close();
          onAct(act(), signals);
        }}
      >
        ${t(word)}
      </button>`,
    )}${
      label &&
      html`<hr /><button
          type="button"
          onClick=${() => {
            close();
            onAct(judge('none'), signals);
          }}
        >
          ${t('judge.none')}
        </button>`
    }`}
  <//>`;
}

/** @param {{ signal: Signal, onAct: OnAct, hasNote: boolean, setNote: (has: boolean) => void }} props */
export function Actions({ signal, onAct, hasNote, setNote }) {
  const isOver = signal.state === 'resolved';
  const isHad = signal.state === 'acknowledged';
  return html`<div class="actions">
    <div class="bar">
      ${
        !isOver && !isHad
          ? html`<button type="button" class="primary" onClick=${() => onAct(acknowledge, [signal])}><${Icon} name="check" />${t('do.acknowledge')}</button>`
          : html`<button type="button" onClick=${() => onAct(reopen, [signal])}><${Icon} name="undo" />${t('do.reopen')}</button>`
      }
      ${!isOver && html`<button type="button" onClick=${() => onAct(resolve, [signal])}>${t('do.resolve')}</button>`}
      ${!isOver && html`<${Snooze} signal=${signal} onAct=${onAct} />`}
      <${Assign} signal=${signal} onAct=${onAct} />
      <${Judge} signals=${[signal]} onAct=${onAct} label=${signal.label} />
      <button type="button" aria-expanded=${hasNote} onClick=${() => setNote(!hasNote)}><${Icon} name="note" />${t('do.note')}</button>
    </div>
    ${
      hasNote &&
      html`<form
        class="note-form"
        onSubmit=${(/** @type {any} */ event) => {
          event.preventDefault();
          const text = String(new FormData(event.currentTarget).get('note') ?? '').trim();
          if (!text) return;
          setNote(false);
          onAct(note(text), [signal]);
        }}
      >
        <label>${t('note.text')}<textarea name="note" rows="3" maxlength="4000" required ref=${(/** @type {HTMLElement | null} */ area) => area?.focus()}></textarea></label>
        <div class="bar"><button type="submit" class="primary">${t('note.add')}</button><button type="button" class="quiet" onClick=${() => setNote(false)}>${t('do.cancel')}</button></div>
      </form>`
    }
  </div>`;
}
