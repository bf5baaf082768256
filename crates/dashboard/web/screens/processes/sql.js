// Questions in SQL that screens ask of their own.
import { useMemo } from 'preact/hooks';
import { useQuestion } from '../../api.js';

/** @typedef {{ columns: string[], rows: unknown[][], more: boolean, partial: boolean, reason?: string, rows_read: number, took_ms: number, plan: string[], hints: string[] }} Answer */

/** A text as SQL takes it. @param {string} text */
export function literal(text) {
  return `'${text.replaceAll("'", "''")}'`;
}

/** Rows as objects. @param {Answer} answer @returns {Record<string, any>[]} */
export function records(answer) {
  return answer.rows.map((row) => Object.fromEntries(answer.columns.map((name, at) => [name, row[at]])));
}

/**
 * The answer to a question of ours; what was answered last stays until there is a new one.
 * @param {string | null} sql null asks nothing
 * @param {string} at the time that it is for the question; empty for now
 * @param {number} [every] also again after so many ms, where it is of now
 */
export function useRecords(sql, at, every) {
  const { data, ...state } = useQuestion(sql, { at: at || undefined, limit: 10_000 }, at ? undefined : every);
  const answer = /** @type {Answer | undefined} */ (data);
  return { ...state, answer, rows: useMemo(() => answer && records(answer), [answer]) };
}
