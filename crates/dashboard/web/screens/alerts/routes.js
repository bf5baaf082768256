// Routes: who is told of what, in the order in which they are asked, and who would be told of one like this.
import { useEffect, useState } from 'preact/hooks';
import { post, useAsk } from '../../api.js';
import { html } from '../../html.js';
import { Failed, Loading, reason } from '../../parts/feedback.js';
import { Time } from '../../parts/marks.js';
import { plain } from '../../parts/text.js';
import { place, turn } from '../../route.js';
import { t } from '../../words.js';
import { Kinds, Match } from './match.js';

const SEVERITIES = /** @type {const} */ (['info', 'low', 'medium', 'high', 'critical']);
const ASKED = /** @type {const} */ (['severity', 'kind', 'host', 'source', 'address', 'user', 'organization']);
/** What of a route says when and how it is told. */
const WHEN = ['quiet', 'digest', 'group', 'repeat', 'escalate'];

/** @typedef {{ planned: { channel: string, route: string, due: string }[], reasons: string[] }} Plan */

/** What the address asks about. @param {Record<string, string>} params */
function asked(params) {
  return Object.fromEntries(ASKED.map((name) => [name, params[name]]).filter(([, value]) => value));
}

/** @param {{ plan: Plan }} props */
function Planned({ plan }) {
  return html`${
      plan.planned.length
        ? html`<ul class="brief">${plan.planned.map(
            ({ channel, route, due }) => html`<li><b class="mono">${plain(channel, 40)}</b><span class="soft">${t('routes.by', { name: plain(route, 60) })}</span><span class="push"><${Time} at=${due} /></span></li>`,
          )}</ul>`
        : html`<p><b>${t('routes.nobody')}</b></p>`
    }
    <ol class="reasons soft">${plan.reasons.map((one) => html`<li>${plain(one, 300)}</li>`)}</ol>`;
}

function Who() {
  const about = asked(place.value.params);
  const key = JSON.stringify(about);
  const [plan, setPlan] = useState(/** @type {Plan | undefined} */ (undefined));
  const [error, setError] = useState(/** @type {unknown} */ (undefined));
  useEffect(() => {
    let isOver = false;
    post('/api/v1/routes/test', about).then(
      (found) => {
        if (isOver) return;
        setPlan(found);
        setError(undefined);
      },
      (failed) => !isOver && setError(failed),
    );
    return () => {
      isOver = true;
    };
  }, [key]);
  /** @param {any} event */
  const onSubmit = (event) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    turn(Object.fromEntries(ASKED.map((name) => [name, String(given.get(name) ?? '').trim()])));
  };
  return html`<section class="card stack" aria-label=${t('routes.who')}>
    <h2>${t('routes.who')}</h2>
    <form class="bar make" key=${key} onSubmit=${onSubmit}>
      <label>${t('signals.severity')}<select name="severity">${SEVERITIES.map((one) => html`<option value=${one} selected=${one === (about.severity ?? 'medium')}>${t(`severity.${one}`)}</option>`)}</select></label>
      <label>${t('routes.kind')}<input name="kind" list="kinds" value=${about.kind ?? 'ssh_brute_force'} /></label>
      <label>${t('about.host')}<input name="host" value=${about.host ?? ''} /></label>
      <label>${t('about.service')}<input name="source" value=${about.source ?? ''} /></label>
      <label>${t('about.address')}<input name="address" value=${about.address ?? ''} /></label>
      <label>${t('about.user')}<input name="user" value=${about.user ?? ''} /></label>
      <label>${t('routes.organization')}<input name="organization" value=${about.organization ?? ''} /></label>
      <button type="submit" class="primary">${t('routes.ask')}</button>
    </form>
    <${Kinds} id="kinds" />
    <div aria-live="polite" class="stack plan">${error ? html`<p class="failed" role="alert">${reason(error)}</p>` : plan ? html`<${Planned} plan=${plan} />` : html`<${Loading} lines=${2} />`}</div>
  </section>`;
}

/** @param {{ route: Record<string, any>, at: number }} props */
function One({ route, at }) {
  const when = Object.fromEntries(WHEN.filter((name) => route[name]).map((name) => [name, route[name]]));
  return html`<li class="card">
    <header><span class="soft">${at + 1}.</span><h3 class="mono route">${plain(route.name, 80)}</h3>
      <span class="push bar">→ ${[route.to].flat().map((/** @type {string} */ name) => html`<span class="chip soft mono">${plain(name, 40)}</span>`)}</span></header>
    <p class="bar"><${Match} condition=${route.match} /></p>
    ${Object.keys(when).length > 0 && html`<p class="bar told-of"><${Match} condition=${when} /></p>`}
    ${route.continue && html`<p class="soft">${t('routes.goes_on')}</p>`}
  </li>`;
}

export function Routes() {
  const { data, error, reload } = useAsk('/api/v1/routes');
  const routes = /** @type {{ routes: Record<string, any>[] } | undefined} */ (data)?.routes;
  return html`<${Who} />
    <section class="stack"><h2>${t('routes.title')}</h2>
      <p class="soft">${t('routes.how')} <code>LOG_SENTINEL_ALERTS_FILE</code></p>
      ${error && !routes ? html`<${Failed} error=${error} again=${reload} />` : !routes ? html`<${Loading} />` : html`<ol class="alerts">${routes.map((route, at) => html`<${One} key=${at} route=${route} at=${at} />`)}</ol>`}
    </section>`;
}
