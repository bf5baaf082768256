// Where the reader is: `#/screen/part?name=value`. Every view has an address that can be sent to others.
import { signal } from '@preact/signals';

/** @typedef {{ screen: string, part: string, params: Record<string, string> }} Place */

/** @param {string} hash @returns {Place} */
function read(hash) {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split(/\?(.*)/s);
  const [screen = '', part = ''] = path.split('/');
  return { screen, part: decode(part), params: Object.fromEntries(new URLSearchParams(query)) };
}

/** @param {string} text */
function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export const place = signal(read(location.hash));

addEventListener('hashchange', () => {
  place.value = read(location.hash);
});

/**
 * @param {string} path such as `signals` or `signals/ID`
 * @param {Record<string, string | undefined>} [params] those that are empty are left out
 */
export function address(path, params = {}) {
  const given = /** @type {[string, string][]} */ (Object.entries(params).filter(([, value]) => value));
  const query = new URLSearchParams(given).toString();
  return `#/${path}${query && `?${query}`}`;
}

/**
 * @param {string} path
 * @param {Record<string, string | undefined>} [params]
 * @param {{ inPlace?: boolean }} [how] `inPlace`: without a step in the browser's history
 */
export function go(path, params, how = {}) {
  const to = address(path, params);
  if (how.inPlace) {
    history.replaceState(null, '', to);
    place.value = read(to);
  } else if (location.hash !== to) {
    location.hash = to;
  }
}

/** The same place with other parameters. @param {Record<string, string | undefined>} changed @param {{ inPlace?: boolean }} [how] */
export function turn(changed, how) {
  const { screen, part, params } = place.peek();
  go(part ? `${screen}/${encodeURIComponent(part)}` : screen, { ...params, ...changed }, how);
}
