// The inbox: one line a signal, those that need somebody first.
import { html } from '../../html.js';
import { Entity, Severity, State, Time } from '../../parts/marks.js';
import { plain } from '../../parts/text.js';
import { address } from '../../route.js';
import { number, t } from '../../words.js';

/** @typedef {import('../../api.js').Schemas['Signal']} Signal */

/**
 * @param {{ signals: Signal[], selected: string, params: Record<string, string>, picked: Set<string>,
 *   mayAct: boolean, onPick: (id: string, isPicked: boolean) => void }} props
 */
export function List({ signals, selected, params, picked, mayAct, onPick }) {
  return html`<ul class="inbox">
    ${signals.map(
      (signal) => html`<li key=${signal.id} class=${`${signal.severity} ${signal.state}`} data-id=${signal.id} aria-current=${signal.id === selected ? 'true' : undefined}>
        ${
          mayAct &&
          html`<label class="pick"><input
              type="checkbox"
              checked=${picked.has(signal.id)}
              aria-label=${t('signals.pick', { title: plain(signal.title, 120) })}
              onChange=${(/** @type {any} */ event) => onPick(signal.id, event.currentTarget.checked)}
          /></label>`
        }
        <a class="row" href=${address(`signals/${signal.id}`, params)}>
          <span class="title">${plain(signal.title, 200)}</span>
          <span class="marks">
            <${Severity} level=${signal.severity} />
            <${State} state=${signal.state} />
            ${signal.label && html`<span class="chip soft">${t(signal.label === 'expected' ? 'label.expected' : 'label.real')}</span>`}
            ${signal.assignee && html`<span class="chip soft">${plain(signal.assignee, 40)}</span>`}
            <span class="push soft">${number(signal.count)}× · <${Time} at=${signal.last} isAgo /></span>
          </span>
          <span class="about">${signal.entities.slice(0, 3).map((entity) => html`<${Entity} entity=${entity} />`)}</span>
        </a>
      </li>`,
    )}
  </ul>`;
}
