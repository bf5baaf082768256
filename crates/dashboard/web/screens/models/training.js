// Training on what is stored: at once, or as a job that says how far it is.
import { useEffect, useState } from 'preact/hooks';
import { ask, post, remove, rest } from '../../api.js';
import { html } from '../../html.js';
import { reason, tell, tellRefused } from '../../parts/feedback.js';
import { plain } from '../../parts/text.js';
import { number, t } from '../../words.js';

const BASE = '/api/v1/anomaly';
/** How long between two questions about a job, in ms. */
const PAUSE = 1_000;

/** @typedef {import('../../api.js').Schemas['Job']} Job */
/** @typedef {import('../../api.js').Schemas['Trained']} Trained */

/** @param {{ onTrained: () => void }} props */
export function Training({ onTrained }) {
  const [job, setJob] = useState(/** @type {Partial<Job> | undefined} */ (undefined));
  const [error, setError] = useState(/** @type {unknown} */ (undefined));
  /** @param {Trained | undefined} result */
  const done = (result) => {
    setJob(undefined);
    if (result) tell(result.state === 'trained' ? t('models.trained', { version: result.model, n: number(result.events) }) : t('models.too_few', { n: number(result.needed ?? 0) }));
    onTrained();
  };
  useEffect(() => {
    const id = job?.id;
    if (!id) return undefined;
    const stop = new AbortController();
    const follow = async () => {
      for (;;) {
        await rest(PAUSE, stop.signal);
        const now = /** @type {Job} */ (await ask(`${BASE}/jobs/${id}`, {}, stop.signal));
        if (now.state === 'running') setJob(now);
        else {
          if (now.state === 'failed') setError(new Error(now.error?.detail ?? ''));
          done(now.result);
          return;
        }
      }
    };
    follow().catch((failed) => !stop.signal.aborted && setError(failed));
    return () => stop.abort();
  }, [job?.id]);
  /** @param {any} event */
  const onSubmit = async (event) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    setError(undefined);
    setJob({});
    try {
      const answer = await post(`${BASE}/train`, { source: 'store', query: String(given.get('query') ?? '').trim(), from: `now-${given.get('length')}` });
      if (answer.job) setJob({ id: answer.job });
      else done(answer);
    } catch (failed) {
      setJob(undefined);
      setError(failed);
    }
  };
  return html`<section class="card stack" aria-label=${t('models.train')}><h2>${t('models.train')}</h2>
    <p class="soft">${t('models.train_how')}</p>
    <form class="bar make" onSubmit=${onSubmit}>
      <label>${t('models.of')}<select name="length">${['1d', '7d', '30d'].map((one) => html`<option value=${one} selected=${one === '7d'}>${t('times.last', { width: one.replace('d', ' d') })}</option>`)}</select></label>
      <label class="grow">${t('logs.query')}<input name="query" placeholder="NOT source:test" /></label>
      <button type="submit" class="primary" disabled=${Boolean(job)}>${t('models.do_train')}</button>
    </form>
    <div role="status">${
      job &&
      html`<p class="bar"><progress max=${job.total || 1} value=${job.total ? (job.events ?? 0) : undefined} aria-label=${t('models.training')}></progress>
        <span>${t('models.training')} ${job.total ? `${number(job.events ?? 0)} / ${number(job.total)}` : ''}</span>
        ${job.id && html`<button type="button" class="small" onClick=${() => remove(`${BASE}/jobs/${job.id}`).catch(tellRefused)}>${t('do.cancel')}</button>`}</p>`
    }</div>
    ${Boolean(error) && html`<p class="failed" role="alert">${plain(error instanceof Error && error.message ? error.message : reason(error), 400)}</p>`}
  </section>`;
}
