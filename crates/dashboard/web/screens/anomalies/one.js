// One strange event: why, what normal lines are nearest, what was like it before, and what people say of it.
import { useEffect, useState } from 'preact/hooks';
import { may, useAsk } from '../../api.js';
import { html } from '../../html.js';
import { Dialog } from '../../parts/dialog.js';
import { Empty, Failed, Loading } from '../../parts/feedback.js';
import { Icon } from '../../parts/icons.js';
import { Time } from '../../parts/marks.js';
import { LogText, plain } from '../../parts/text.js';
import { address } from '../../route.js';
import { number, t } from '../../words.js';
import { line, text } from '../logs/events.js';
import { judge, judged } from './judge.js';

/** @typedef {import('../logs/events.js').Line} Line */

const score = (/** @type {number | undefined} */ value) => number(Math.round((value ?? 0) * 1000) / 1000);

/** Lines that a query finds. @param {{ word: import('../../words.js').Word, q: string, but: string, to?: string }} props */
function Lines({ word, q, but, to }) {
  const { data } = useAsk('/api/v1/search', { q, to, limit: 6 });
  const lines = /** @type {any[]} */ (/** @type {any} */ (data)?.hits ?? []).map(line).filter(({ id }) => id !== but).slice(0, 5);
  if (!lines.length) return null;
  return html`<section><h3>${t(word)}</h3><ol class="evidence">${lines.map((one) => html`<li key=${one.id}><a href=${address('logs', { from: 'all', event: one.id })}><${Time} at=${one.at} /></a><${LogText} text=${one.message.slice(0, 600)} /></li>`)}</ol></section>`;
}

/** @param {{ shown: Line, threshold?: number, changed: () => void }} props */
function Body({ shown, threshold, changed }) {
  const [now, setNow] = useState(/** @type {import('./judge.js').Prediction | undefined} */ (undefined));
  const [round, setRound] = useState(0);
  useEffect(() => {
    let isOver = false;
    judged(shown).then((found) => !isOver && setNow(found), () => undefined);
    return () => {
      isOver = true;
    };
  }, [shown.id, round]);
  const again = () => {
    setRound((n) => n + 1);
    changed();
  };
  const { anomaly, template } = /** @type {any} */ (shown.document).sentinel ?? {};
  const nearest = now?.nearest_template;
  return html`<div class="stack">
    <p class="bar"><${Time} at=${shown.at} />${shown.service && html`<span class="chip soft mono">${plain(shown.service, 60)}</span>`}${shown.host && html`<span class="chip soft mono">${plain(shown.host, 60)}</span>`}</p>
    <div class="event-text"><${LogText} text=${shown.message} links /></div>
    <section><h3>${t('anomalies.why')}</h3>
      <p>${t('anomalies.scored', { n: score(anomaly?.score) })} ${now && html`<span class="soft now">${t('anomalies.now', { n: score(now.anomaly_score) })}</span>`} ${threshold !== undefined && html`<span class="soft">${t('anomalies.from', { n: score(threshold) })}</span>`}</p>
      <ul>${/** @type {unknown[]} */ (anomaly?.reasons ?? []).map((one) => html`<li>${plain(text(one), 400)}</li>`)}</ul>
    </section>
    ${may('admin') && html`<div class="bar"><button type="button" onClick=${() => judge(shown, 'normal', again)}><${Icon} name="check" />${t('anomalies.expected')}</button><button type="button" onClick=${() => judge(shown, 'bad', again)}><${Icon} name="signals" />${t('anomalies.real')}</button></div>`}
    ${nearest?.id && html`<${Lines} word="anomalies.nearest" q=${`sentinel.template.id:${nearest.id} AND NOT sentinel.anomaly.is_anomaly:true`} but=${shown.id} />`}
    ${template?.id && html`<${Lines} word="anomalies.similar" q=${`sentinel.template.id:${template.id} AND sentinel.anomaly.is_anomaly:true`} but=${shown.id} to=${shown.at} />`}
    <p class="bar"><a class="button" href=${address('logs', { from: 'all', event: shown.id })}><${Icon} name="logs" />${t('signal.open_line')}</a>${template?.id && html`<a class="button" href=${address(`patterns/${template.id}`)}><${Icon} name="pattern" />${t('patterns.its')}</a>`}</p>
  </div>`;
}

/** @param {{ id: string, threshold?: number, onClose: () => void, changed: () => void }} props `threshold`: from which score on it is strange */
export function Anomaly({ id, threshold, onClose, changed }) {
  const { data, error, reload } = useAsk(`/api/v1/events/${encodeURIComponent(id)}`);
  const found = /** @type {any} */ (data)?.event;
  const isGone = [400, 404].includes(/** @type {any} */ (error)?.status);
  return html`<${Dialog} title=${t('event.anomaly')} kind="drawer" onClose=${onClose}>
    ${found ? html`<${Body} shown=${line(found)} threshold=${threshold} changed=${changed} />` : isGone ? html`<${Empty} title=${t('event.gone')} />` : error ? html`<${Failed} error=${error} again=${reload} />` : html`<${Loading} />`}
  <//>`;
}
