// Silences: of what nobody is told for a while, why, and what that would have hidden.
import { useEffect, useState } from 'preact/hooks';
import { may, post, remove, useAsk } from '../../api.js';
import { html } from '../../html.js';
import { Empty, Failed, Loading, reason, tell, tellRefused } from '../../parts/feedback.js';
import { Severity, State, Time } from '../../parts/marks.js';
import { plain } from '../../parts/text.js';
import { address, place, turn } from '../../route.js';
import { local } from '../../time.js';
import { several, t } from '../../words.js';
import { Kinds, Match } from './match.js';

/** @typedef {import('../../api.js').Schemas['Silence']} Silence */
/** @typedef {import('../../api.js').Schemas['Alert']} Alert */

const MATCHED = /** @type {const} */ (['kind', 'rule', 'host', 'source', 'entity', 'organization', 'severity']);
const SEVERITIES = /** @type {const} */ (['info', 'low', 'medium', 'high', 'critical']);
const HOUR = 3_600_000;
const LENGTHS = /** @type {[string, number][]} */ ([['1 h', HOUR], ['4 h', 4 * HOUR], ['1 d', 24 * HOUR], ['1 w', 7 * 24 * HOUR]]);

/** What a form or an address says of alerts. @param {(name: string) => string | undefined} value */
function matched(value) {
  return Object.fromEntries(MATCHED.map((name) => [name, (value(name) ?? '').trim()]).filter(([, text]) => text));
}

/** What it would have hidden. @param {{ condition: Record<string, string> }} props */
function Preview({ condition }) {
  const key = JSON.stringify(condition);
  const [found, setFound] = useState(/** @type {{ alerts: number, newest: Alert[] } | undefined} */ (undefined));
  const [error, setError] = useState(/** @type {unknown} */ (undefined));
  useEffect(() => {
    if (key === '{}') {
      setFound(undefined);
      setError(undefined);
      return undefined;
    }
    let isOver = false;
    // One question for what is typed within a moment.
    const timer = setTimeout(() => {
      post('/api/v1/silences/preview', { match: JSON.parse(key) }).then(
        (answer) => {
          if (isOver) return;
          setFound(answer);
          setError(undefined);
        },
        (failed) => !isOver && setError(failed),
      );
    }, 250);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [key]);
  if (error) return html`<p class="failed" role="alert">${plain(reason(error), 400)}</p>`;
  if (key === '{}') return html`<p class="soft">${t('silences.say_what')}</p>`;
  if (!found) return html`<${Loading} lines=${2} />`;
  return html`<p><b>${several('silences.would', found.alerts)}</b></p>
    <ul class="brief">${found.newest.map(
      (alert) => html`<li key=${alert.id}><${Severity} level=${alert.severity ?? 'info'} /><a href=${address(`signals/${alert.signal ?? alert.id}`)}>${plain(alert.message ?? '', 160)}</a><span class="push soft">${alert.timestamp && html`<${Time} at=${alert.timestamp} />`}</span></li>`,
    )}</ul>`;
}

/** @param {{ onMade: (made: Silence) => void }} props */
function Make({ onMade }) {
  const given = place.value.params;
  const [condition, setCondition] = useState(() => matched((name) => given[name]));
  const [error, setError] = useState(/** @type {unknown} */ (undefined));
  const [until, setUntil] = useState(() => local(Date.now() + 24 * HOUR));
  /** @param {any} event */
  const onInput = (event) => {
    const form = new FormData(event.currentTarget);
    setCondition(matched((name) => String(form.get(name) ?? '')));
  };
  /** @param {any} event */
  const onSubmit = async (event) => {
    event.preventDefault();
    const form = event.currentTarget;
    const text = String(new FormData(form).get('reason')).trim();
    try {
      const made = await post('/api/v1/silences', { match: condition, until: new Date(until).toISOString(), reason: text });
      setError(undefined);
      setCondition({});
      form.reset();
      turn(Object.fromEntries(MATCHED.map((name) => [name, undefined])), { inPlace: true });
      onMade(made);
    } catch (failed) {
      setError(failed);
    }
  };
  return html`<section class="card stack" aria-label=${t('silences.make')}>
    <h2>${t('silences.make')}</h2>
    <form class="stack" onSubmit=${onSubmit} onInput=${onInput}>
      <div class="bar make">
        <label>${t('routes.kind')}<input name="kind" list="kinds" value=${condition.kind ?? ''} /></label>
        <label>${t('signal.kind')}<input name="rule" value=${condition.rule ?? ''} /></label>
        <label>${t('about.host')}<input name="host" placeholder="web-*" value=${condition.host ?? ''} /></label>
        <label>${t('about.service')}<input name="source" value=${condition.source ?? ''} /></label>
        <label>${t('silences.entity')}<input name="entity" placeholder="user:deploy" value=${condition.entity ?? ''} /></label>
        <label>${t('signals.severity')}<select name="severity"><option value="">${t('view.all')}</option>${SEVERITIES.map((one) => html`<option value=${one} selected=${one === condition.severity}>${t(`severity.${one}`)}</option>`)}</select></label>
        <label>${t('routes.organization')}<input name="organization" value=${condition.organization ?? ''} /></label>
      </div>
      <div class="bar make">
        <label>${t('silences.until')}<input type="datetime-local" step="1" required value=${until} onInput=${(/** @type {any} */ event) => setUntil(event.currentTarget.value)} /></label>
        <span class="bar" role="group" aria-label=${t('silences.length')}>${LENGTHS.map(([name, length]) => html`<button type="button" class="small" onClick=${() => setUntil(local(Date.now() + length))}>${name}</button>`)}</span>
      </div>
      <label>${t('silences.reason')}<input name="reason" required maxlength="500" /></label>
      ${Boolean(error) && html`<p class="failed" role="alert">${plain(reason(error), 400)}</p>`}
      <div class="bar"><button type="submit" class="primary" disabled=${!Object.keys(condition).length}>${t('silences.do')}</button></div>
    </form>
    <${Kinds} id="kinds" />
    <div aria-live="polite" class="preview"><${Preview} condition=${condition} /></div>
  </section>`;
}

/** @param {{ silences: Silence[], onEnd: (silence: Silence) => void }} props */
function Table({ silences, onEnd }) {
  return html`<section class="card"><div class="table-frame" tabindex="0" role="region" aria-label=${t('alerts.view_silences')}><table>
    <thead><tr><th>${t('silences.of')}</th><th>${t('silences.reason')}</th><th>${t('silences.by')}</th><th>${t('silences.until')}</th><th>${t('alerts.state')}</th><th><span class="unseen">${t('silences.end')}</span></th></tr></thead>
    <tbody>${silences.map(
      (one) => html`<tr key=${one.number ?? JSON.stringify(one)}>
        <td><span class="bar"><${Match} condition=${one.match} /></span></td>
        <td>${plain(one.reason ?? '', 500)}</td>
        <td>${one.by ? plain(one.by, 60) : t('silences.of_file')}</td>
        <td class="tight">${one.until && html`<${Time} at=${one.until} />`}</td>
        <td>${one.is_active !== undefined && html`<${State} state=${one.is_active ? 'active' : 'over'} />`}</td>
        <td>${one.is_active && one.number !== undefined && may('admin') && html`<button type="button" class="small" onClick=${() => onEnd(one)}>${t('silences.end')}</button>`}</td>
      </tr>`,
    )}</tbody>
  </table></div></section>`;
}

export function Silences() {
  const { data, error, reload } = useAsk('/api/v1/silences', {}, 30_000);
  const found = /** @type {{ silences: Silence[], of_file?: Silence[] } | undefined} */ (data);
  /** @param {Silence} silence */
  const end = (silence) => remove(`/api/v1/silences/${numberOf(silence)}`);
  /** @param {() => Promise<any>} work @param {() => void} then */
  const attempt = async (work, then) => {
    try {
      await work();
      then();
    } catch (failed) {
      tellRefused(failed);
    }
    reload();
  };
  const undone = () => tell(t('told.undone'));
  /** @param {Silence} made */
  const onMade = (made) => {
    tell(t('silences.made'), { undo: () => attempt(() => end(made), undone) });
    reload();
  };
  /** @param {Silence} silence */
  const onEnd = (silence) => {
    const { match, until, reason: why } = silence;
    const again = () => attempt(() => post('/api/v1/silences', { match, until, reason: why }), undone);
    return attempt(() => end(silence), () => tell(t('silences.ended'), { undo: again }));
  };
  const all = found && [...(found.of_file ?? []), ...found.silences];
  return html`${may('admin') && html`<${Make} onMade=${onMade} />`}
    ${error && !all ? html`<${Failed} error=${error} again=${reload} />` : !all ? html`<${Loading} />` : all.length ? html`<${Table} silences=${all} onEnd=${onEnd} />` : html`<${Empty} title=${t('silences.none')}>${t('silences.none_more')}<//>`}`;
}

/** As an address has it. @param {Silence} silence */
const numberOf = (silence) => encodeURIComponent(String(silence.number));
