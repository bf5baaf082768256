// The public API, as any client may call it, with the browser's sign-in.
import { signal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';

/** @typedef {import('./schemas.d.ts').Schemas} Schemas */
/** @typedef {Record<string, string | number | boolean | undefined>} Params */

/** Who is signed in; null where somebody has to, undefined until that is known. */
export const caller = signal(/** @type {Schemas['Caller'] | null | undefined} */ (undefined));

/** Why the service cannot be asked just now: it is not reached, or it has too much to do. */
export const trouble = signal(/** @type {'' | 'away' | 'busy'} */ (''));

/** A refusal, with the problem that the service named (RFC 9457). */
export class Refused extends Error {
  /** @param {number} status @param {Partial<Schemas['Problem']>} problem */
  constructor(status, problem) {
    super(problem.detail || problem.title || `HTTP ${status}`);
    this.status = status;
    this.problem = problem;
  }
}

/** @param {'read' | 'admin' | 'ingest'} scope */
export function may(scope) {
  return Boolean(caller.value?.scopes?.includes(scope));
}

/** @param {string} path @param {Params} [params] */
export function url(path, params = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value !== undefined && value !== '') query.set(name, String(value));
  }
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

/**
 * @param {'GET' | 'POST' | 'PUT' | 'DELETE'} method
 * @param {string} address
 * @param {unknown} [body]
 * @param {AbortSignal} [stop]
 */
async function send(method, address, body, stop) {
  /** @type {Record<string, string>} */
  const headers = { accept: 'application/json' };
  if (body !== undefined) headers['content-type'] = 'application/json';
  const token = caller.peek()?.csrf_token;
  if (method !== 'GET' && token) headers['x-csrf-token'] = token;
  const answer = await fetch(address, {
    method,
    headers,
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: stop,
  });
  const is = answer.headers.get('content-type') ?? '';
  const content = is.includes('json') ? await answer.json() : await answer.text();
  // What is not ready says so with 503, and why.
  if (answer.ok || (address === '/readyz' && content?.components)) return content;
  if (answer.status === 401 && address !== '/api/v1/session') caller.value = null;
  const problem = typeof content === 'object' && content ? content : {};
  const later = Number(answer.headers.get('retry-after'));
  if (later && !problem.retry_after_s) problem.retry_after_s = later;
  throw new Refused(answer.status, problem);
}

/** Whether asking again later may help. @param {unknown} error */
function passes(error) {
  return !(error instanceof Refused) || [429, 502, 503, 504].includes(error.status);
}

/**
 * Asks until there is an answer or a refusal that stands.
 * @param {() => Promise<any>} once
 * @param {AbortSignal} [stop]
 * @returns {Promise<any>}
 */
async function insist(once, stop) {
  for (let tries = 0; ; tries += 1) {
    try {
      const answer = await once();
      trouble.value = '';
      return answer;
    } catch (error) {
      if (stop?.aborted || !passes(error)) throw error;
      const refused = error instanceof Refused ? error : undefined;
      trouble.value = refused ? 'busy' : 'away';
      const named = refused?.problem.retry_after_s;
      const pause = named ? named * 1000 : Math.min(500 * 2 ** tries, 15_000);
      await rest(pause * (0.75 + Math.random() / 2), stop);
    }
  }
}

/** @param {string} path @param {Params} [params] @param {AbortSignal} [stop] */
export const ask = (path, params, stop) => insist(() => send('GET', url(path, params), undefined, stop), stop);

/** A question that changes nothing and is too long for an address. @param {string} path @param {unknown} body @param {AbortSignal} [stop] */
export const inquire = (path, body, stop) => insist(() => send('POST', path, body, stop), stop);

/** @param {number} pause in ms @param {AbortSignal} [stop] */
export function rest(pause, stop) {
  return /** @type {Promise<void>} */ (
    new Promise((done, fail) => {
      const timer = setTimeout(done, pause);
      stop?.addEventListener('abort', () => {
        clearTimeout(timer);
        fail(stop.reason);
      });
    })
  );
}

/** @param {string} path @param {unknown} [body] @returns {Promise<any>} */
export const post = (path, body = {}) => send('POST', path, body);
/** @param {string} path @param {unknown} body @returns {Promise<any>} */
export const put = (path, body) => send('PUT', path, body);
/** @param {string} path @returns {Promise<any>} */
export const remove = (path) => send('DELETE', path);

/** Learns who is signed in. */
export async function know() {
  try {
    caller.value = await ask('/api/v1/session');
  } catch {
    caller.value = null;
  }
}

/** @param {string} key */
export async function signIn(key) {
  caller.value = await send('POST', '/api/v1/session', { key });
}

export async function signOut() {
  await send('DELETE', '/api/v1/session');
  caller.value = null;
}

/**
 * The answer to a question, asked again when it changes. What was answered last stays until there is a new answer.
 * @template T
 * @param {string | null} path null asks nothing
 * @param {Params} [params]
 * @param {number} [every] also again after so many ms
 */
export function useAsk(path, params = {}, every) {
  return useAnswer(path, url(path ?? '', params), (stop) => ask(path ?? '', params, stop), every);
}

/**
 * The answer to a question in SQL, likewise.
 * @param {string | null} sql null asks nothing
 * @param {{ at?: string, limit?: number }} [more]
 * @param {number} [every] also again after so many ms
 */
export function useQuestion(sql, more = {}, every) {
  const body = { sql, ...more };
  return useAnswer(sql === null ? null : 'sql', JSON.stringify(body), (stop) => inquire('/api/v1/sql', body, stop), every);
}

/**
 * @template T
 * @param {string | null} path of one path the last answer stays; null asks nothing
 * @param {string} key tells questions apart
 * @param {(stop: AbortSignal) => Promise<any>} once
 * @param {number} [every]
 */
function useAnswer(path, key, once, every) {
  const [state, set] = useState(
    /** @type {{ data?: T, error?: unknown, isLoading: boolean }} */ ({ isLoading: true }),
  );
  const [round, setRound] = useState(0);
  const asked = useRef(/** @type {string | null} */ (null));
  useEffect(() => {
    if (!path) return undefined;
    const stop = new AbortController();
    const isOther = asked.current !== path;
    asked.current = path;
    set((before) => ({ data: isOther ? undefined : before.data, isLoading: true }));
    once(stop.signal).then(
      (data) => set({ data, isLoading: false }),
      (error) => !stop.signal.aborted && set((before) => ({ data: before.data, error, isLoading: false })),
    );
    return () => stop.abort();
  }, [path && key, round]);
  useEffect(() => {
    if (!every) return undefined;
    const timer = setInterval(() => !document.hidden && setRound((n) => n + 1), every);
    return () => clearInterval(timer);
  }, [every]);
  return { ...state, reload: () => setRound((n) => n + 1) };
}
