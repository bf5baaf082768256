// What people say of an event: expected or real. It changes scores at once, and can be taken back.
import { post, remove } from '../../api.js';
import { tell, tellRefused } from '../../parts/feedback.js';
import { t } from '../../words.js';

const BASE = '/api/v1/anomaly';

/** @typedef {import('../../api.js').Schemas['Prediction']} Prediction */

/** An event in its simple form. @param {import('../logs/events.js').Line} line */
export function simple({ at, level, service, host, message }) {
  return { timestamp: at, message, ...(level && { level }), ...(service && { source: service }), ...(host && { host }) };
}

/** What the model says of it now. @param {import('../logs/events.js').Line} line @returns {Promise<Prediction>} */
export const judged = (line) => post(`${BASE}/predict`, simple(line));

/** @param {number} id of feedback @param {() => void} changed */
export async function withdraw(id, changed) {
  try {
    await remove(`${BASE}/feedback/${id}`);
    tell(t('told.unjudged'));
  } catch (error) {
    tellRefused(error);
  }
  changed();
}

/** @param {import('../logs/events.js').Line} line @param {'normal' | 'bad'} label @param {() => void} changed */
export async function judge(line, label, changed) {
  try {
    const { id } = await post(`${BASE}/feedback`, { event: simple(line), label });
    tell(t(label === 'normal' ? 'told.expected' : 'told.real'), { undo: () => withdraw(id, changed) });
  } catch (error) {
    tellRefused(error);
  }
  changed();
}
