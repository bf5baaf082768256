// The events of a query: page by page as the list is scrolled, or as they come in.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { Refused, ask } from '../../api.js';
import { tellRefused } from '../../parts/feedback.js';
import { listen } from '../../stream.js';
import { fixed, zone } from '../../time.js';

/** @typedef {import('../../api.js').Schemas['Document']} Document */
/** @typedef {{ q: string, from: string, to: string }} Question bounds as fixed times, empty where there are none */

/** A line of the list. @typedef {object} Line
 * @property {string} id
 * @property {string} at
 * @property {string} level
 * @property {string} service
 * @property {string} host
 * @property {string} message
 * @property {number | undefined} score
 * @property {boolean} isAnomaly
 * @property {Document} document
 */

const PAGE = 500;
/** How many lines are held at most: what a browser can scroll and keep. */
export const MOST = 100_000;
/** How many of a live tail are held. */
const MOST_LIVE = 5_000;

/** @param {Document} document @returns {Line} */
export function line(document) {
  const { log, service, host, sentinel, message } = /** @type {any} */ (document);
  return {
    id: document._id,
    at: document['@timestamp'],
    level: text(log?.level),
    service: text(service?.name),
    host: text(host?.name),
    message: text(message),
    score: sentinel?.anomaly?.score,
    isAnomaly: Boolean(sentinel?.anomaly?.is_anomaly),
    document,
  };
}

/** @param {unknown} value */
export function text(value) {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** What stands at a dotted name. @param {any} document @param {string} name @returns {unknown} */
export function member(document, name) {
  if (document === null || typeof document !== 'object') return undefined;
  if (name in document) return document[name];
  for (let dot = name.indexOf('.'); dot > 0; dot = name.indexOf('.', dot + 1)) {
    const found = member(document[name.slice(0, dot)], name.slice(dot + 1));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Every field with its value, in the order of the document. @param {any} document @returns {[string, unknown][]} */
export function fields(document, prefix = '') {
  return Object.entries(document).flatMap(([name, value]) =>
    value && typeof value === 'object' && !Array.isArray(value)
      ? fields(value, `${prefix}${name}.`)
      : [/** @type {[string, unknown]} */ ([`${prefix}${name}`, value])],
  );
}

/**
 * The question with `now` said once for all, so that list, counts and downloads are of the same time.
 * @param {Record<string, string>} params
 * @param {number} round
 * @returns {Question}
 */
export function useQuestion(params, round) {
  const { q = '', from = 'now-1h', to = '' } = params;
  return useMemo(() => {
    const now = Date.now();
    return { q, from: from === 'all' ? '' : fixed(from, now), to: from === 'all' ? '' : fixed(to || 'now', now) };
  }, [q, from, to, round]);
}

/**
 * @typedef {object} Found
 * @property {Line[]} lines
 * @property {number | undefined} total
 * @property {string | null} next
 * @property {string[]} hints
 * @property {string} partial why it is not all
 */

/** @type {Found} */
const NOTHING = { lines: [], total: undefined, next: null, hints: [], partial: '' };

/** @param {any} answer @param {Line[]} [before] @returns {Found} */
function found(answer, before = []) {
  return {
    lines: [...before, ...answer.hits.map(line)],
    total: answer.total,
    next: answer.next,
    hints: answer.hints ?? [],
    partial: answer.partial ? answer.reason || '' : '',
  };
}

/** @param {Question} question */
export function useEvents(question) {
  const [state, set] = useState(NOTHING);
  const [error, setError] = useState(/** @type {unknown} */ (undefined));
  const [isLoading, setLoading] = useState(true);
  const isBusy = useRef(false);
  const latest = useRef(question);
  useEffect(() => {
    const stop = new AbortController();
    latest.current = question;
    setLoading(true);
    ask('/api/v1/search', { ...question, limit: PAGE, zone }, stop.signal).then(
      (answer) => {
        set(found(answer));
        setError(undefined);
        setLoading(false);
      },
      (failed) => {
        if (stop.signal.aborted) return;
        // The last good answer stays.
        setError(failed);
        setLoading(false);
      },
    );
    return () => stop.abort();
  }, [question]);
  const more = async () => {
    if (isBusy.current || !state.next || state.lines.length >= MOST) return;
    isBusy.current = true;
    try {
      const answer = await ask('/api/v1/search', { ...question, limit: PAGE, cursor: state.next, zone });
      if (latest.current === question) set((before) => found({ ...answer, total: before.total }, before.lines));
    } catch (failed) {
      if (failed instanceof Refused) tellRefused(failed);
    } finally {
      isBusy.current = false;
    }
  };
  return { ...state, error, isLoading, more };
}

/**
 * Lines as they come in, the newest first. While `isHeld`, they wait beside the list.
 * @param {string | null} q null: not live
 * @param {boolean} isHeld
 */
export function useLive(q, isHeld) {
  const [lines, setLines] = useState(/** @type {Line[]} */ ([]));
  const [waiting, setWaiting] = useState(0);
  const [isOpen, setOpen] = useState(false);
  const [skipped, setSkipped] = useState(0);
  const buffer = useRef(/** @type {Line[]} */ ([]));
  const came = useRef(0);
  const held = useRef(isHeld);
  held.current = isHeld;
  const flush = () => {
    const fresh = buffer.current.reverse();
    buffer.current = [];
    came.current = 0;
    setWaiting(0);
    if (fresh.length) setLines((before) => [...fresh, ...before].slice(0, MOST_LIVE));
  };
  useEffect(() => {
    setLines([]);
    setWaiting(0);
    setSkipped(0);
    buffer.current = [];
    came.current = 0;
    if (q === null) return undefined;
    const end = listen('/api/v1/tail', { q, zone }, 'message', {
      event: (document) => {
        came.current += 1;
        buffer.current.push(line(document));
        if (buffer.current.length > MOST_LIVE) buffer.current.splice(0, buffer.current.length - MOST_LIVE);
      },
      lagged: (missed) => setSkipped((n) => n + (missed ?? 1)),
      state: setOpen,
    });
    // Many in a moment are drawn once.
    const timer = setInterval(() => {
      if (held.current) setWaiting(came.current);
      else if (buffer.current.length) flush();
    }, 250);
    return () => {
      clearInterval(timer);
      end();
    };
  }, [q]);
  return { lines, waiting, skipped, isOpen, flush };
}
