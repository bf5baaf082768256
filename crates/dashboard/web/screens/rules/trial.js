// What a rule would have told of the last 24 hours.
import { useState } from 'preact/hooks';
import { post } from '../../api.js';
import { html } from '../../html.js';
import { Loading, reason } from '../../parts/feedback.js';
import { Entity, Severity, Time } from '../../parts/marks.js';
import { LogText, plain } from '../../parts/text.js';
import { address } from '../../route.js';
import { number, several, t } from '../../words.js';

/** @typedef {import('../../api.js').Schemas['RuleOutcome']} Outcome */
/** @typedef {{ events: number, partial?: boolean, reason?: string, from?: string, to?: string, rules: Outcome[] }} Found */

/** @param {{ outcome: Outcome, range: { from?: string, to?: string } }} props */
function Told({ outcome, range }) {
  return html`<div class="stack">
    <p class="bar"><${Severity} level=${outcome.severity ?? 'info'} /><b>${plain(outcome.title ?? outcome.rule ?? '', 160)}</b>
      <span>${several('rules.findings', outcome.findings ?? 0)}</span><span class="soft">${t('rules.a_day', { n: number(outcome.a_day ?? 0) })}</span></p>
    <p class="bar">${(outcome.entities ?? []).slice(0, 8).map((entity) => html`<span class="bar"><${Entity} entity=${entity} ...${range} /><span class="soft">${number(entity.findings ?? 0)}</span></span>`)}</p>
    <ol class="evidence">${(outcome.examples ?? []).map(
      (line) => html`<li>${line.id ? html`<a href=${address('logs', { ...range, event: line.id })}><${Time} at=${line['@timestamp'] ?? ''} /></a>` : html`<${Time} at=${line['@timestamp'] ?? ''} />`}<${LogText} text=${line.message ?? ''} /></li>`,
    )}</ol>
  </div>`;
}

/**
 * A button that tries it, and what came of it.
 * @param {{ what: () => { rule: string } | { text: string }, isOff?: boolean }} props
 */
export function Trial({ what, isOff = false }) {
  const [state, set] = useState(/** @type {{ isOn?: boolean, found?: Found, error?: unknown }} */ ({}));
  const onTry = async () => {
    set({ isOn: true });
    try {
      set({ found: await post('/api/v1/rules/dry-run', what()) });
    } catch (error) {
      set({ error });
    }
  };
  const { found, error, isOn } = state;
  const range = { from: found?.from ?? undefined, to: found?.to ?? undefined };
  return html`<div class="stack trial">
    <div class="bar"><button type="button" disabled=${isOn || isOff} onClick=${onTry}>${t('rules.try')}</button></div>
    <div aria-live="polite" class="stack">
      ${isOn && html`<${Loading} lines=${2} />`}
      ${Boolean(error) && html`<p class="failed">${plain(reason(error), 600)}</p>`}
      ${found && html`<p>${found.rules.length ? '' : html`<b>${t('rules.told_nothing')}</b> `}<span class="soft">${several('rules.looked_at', found.events)}${found.partial ? ` · ${t('logs.partial')} ${plain(found.reason ?? '', 200)}` : ''}</span></p>`}
      ${found?.rules.map((outcome) => html`<${Told} key=${outcome.rule} outcome=${outcome} range=${range} />`)}
    </div>
  </div>`;
}
