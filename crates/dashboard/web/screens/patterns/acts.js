// What people do to patterns: each act is an operation that can be taken back.
import { useEffect, useRef } from 'preact/hooks';
import { post, remove, useAsk } from '../../api.js';
import { tell, tellRefused } from '../../parts/feedback.js';
import { t } from '../../words.js';

const BASE = '/api/v1/anomaly/templates';

/** @typedef {import('../../api.js').Schemas['TemplateOperation']} Operation */

/**
 * Does it, says so, and offers to take it back.
 * @param {string} path below that of templates
 * @param {Record<string, unknown>} body
 * @param {() => void} changed
 * @returns {Promise<Operation | undefined>}
 */
export async function act(path, body, changed) {
  try {
    const operation = /** @type {Operation} */ (await post(`${BASE}/${path}`, body));
    tell(t('patterns.done'), { undo: () => takeBack(operation.id, changed) });
    changed();
    return operation;
  } catch (error) {
    tellRefused(error);
    return undefined;
  }
}

/** @param {number} id of an operation @param {() => void} changed */
export async function takeBack(id, changed) {
  try {
    await remove(`${BASE}/operations/${id}`);
    tell(t('told.undone'));
  } catch (error) {
    tellRefused(error);
  }
  changed();
}

/** Asks, and again when `round` changes. @param {string} path @param {import('../../api.js').Params} params @param {number} round */
export function useAgain(path, params, round) {
  const asked = useAsk(path, params);
  const seen = useRef(round);
  useEffect(() => {
    if (seen.current !== round) asked.reload();
    seen.current = round;
  }, [round]);
  return asked;
}
