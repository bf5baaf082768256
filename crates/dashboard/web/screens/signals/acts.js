// What a reader does with signals. Each act holds at once and can be undone.
import { post } from '../../api.js';
import { tell, tellRefused } from '../../parts/feedback.js';
import { remembered } from '../../memory.js';
import { several, t } from '../../words.js';

/** @typedef {import('../../api.js').Schemas['Signal']} Signal */
/** @typedef {{ what: string, body?: Record<string, unknown> }} Step */
/** @typedef {{ word: string, steps: (signal: Signal) => Step[], undo?: (before: Signal) => Step[], says?: (before: Signal, after: Signal) => string }} Act `says`: what came of it, of one alone */

const isOpen = (/** @type {Signal} */ signal) => !['acknowledged', 'resolved'].includes(signal.state);

/** Back to where it stood. @param {Signal} before @returns {Step[]} */
function stood(before) {
  if (before.state === 'acknowledged') return [{ what: 'reopen' }, { what: 'acknowledge' }];
  return before.state === 'resolved' ? [{ what: 'resolve' }] : [{ what: 'reopen' }];
}

/** @type {Act} */
export const acknowledge = {
  word: 'told.acknowledged',
  steps: (signal) => (isOpen(signal) ? [{ what: 'acknowledge' }] : []),
  undo: stood,
};

/** @type {Act} */
export const resolve = {
  word: 'told.resolved',
  steps: (signal) => (signal.state === 'resolved' ? [] : [{ what: 'resolve' }]),
  undo: stood,
};

/** @type {Act} */
export const reopen = { word: 'told.reopened', steps: () => [{ what: 'reopen' }], undo: stood };

/** @param {string} until a time; empty: at once again @returns {Act} */
export const snooze = (until) => ({
  word: until ? 'told.snoozed' : 'told.woken',
  steps: () => [{ what: 'snooze', body: { until } }],
  undo: (before) => [{ what: 'snooze', body: { until: before.snoozed_until ?? '' } }],
});

/** @param {string} to @returns {Act} */
export const assign = (to) => ({
  word: to ? 'told.assigned' : 'told.unassigned',
  steps: () => [{ what: 'assign', body: { to } }],
  undo: (before) => [{ what: 'assign', body: { to: before.assignee ?? '' } }],
});

/** @param {string} text @returns {Act} */
export const note = (text) => ({ word: 'told.noted', steps: () => [{ what: 'note', body: { note: text } }] });

/** @param {Signal} signal */
export const confidence = ({ confidence = 0 }) => Math.round(confidence * 100);

/** @param {'expected' | 'real' | 'none'} label @param {boolean} similar those alike too @returns {Act} */
export const judge = (label, similar = false) => ({
  word: label === 'none' ? 'told.unjudged' : similar ? `told.${label}_alike` : `told.${label}`,
  steps: () => [{ what: 'feedback', body: { label, similar } }],
  says: (before, after) => (confidence(before) === confidence(after) ? '' : t('told.confidence', { before: confidence(before), after: confidence(after) })),
  // Whether it held for those alike is told by its being hidden.
  undo: (before) => [{ what: 'feedback', body: { label: before.label ?? 'none', similar: before.hidden && before.label === 'expected' } }],
});

/** @param {Signal} signal @param {Step[]} steps @returns {Promise<Signal>} */
async function carryOut(signal, steps) {
  const by = remembered('name', '') || undefined;
  let after = signal;
  for (const { what, body } of steps) after = await post(`/api/v1/signals/${signal.id}/${what}`, { by, ...body });
  return after;
}

/**
 * Does it to each, says so, and offers to undo it.
 * @param {Act} act
 * @param {Signal[]} signals
 * @param {(after: Signal) => void} changed
 */
export async function act(act, signals, changed) {
  const done = /** @type {Signal[]} */ ([]);
  let says = '';
  const each = async (/** @type {Signal} */ signal) => {
    const steps = act.steps(signal);
    if (!steps.length) return;
    const after = await carryOut(signal, steps);
    changed(after);
    done.push(signal);
    says = act.says?.(signal, after) ?? '';
  };
  try {
    for (const signal of signals) await each(signal);
  } catch (error) {
    tellRefused(error);
  }
  if (!done.length) return;
  const { undo } = act;
  const back = async () => {
    try {
      for (const before of done) changed(await carryOut(before, undo?.(before) ?? []));
      tell(t('told.undone'));
    } catch (error) {
      tellRefused(error);
    }
  };
  const text = t(/** @type {import('../../words.js').Word} */ (act.word));
  tell(`${text} ${done.length > 1 ? several('signals.count', done.length) : says}`.trim(), { undo: undo && back });
}
