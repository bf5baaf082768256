// What this browser remembers of its reader's wishes. Works without storage, for as long as the page is open.

/** @type {Map<string, string>} */
const held = new Map();

/** @param {string} name @param {string} otherwise */
export function remembered(name, otherwise) {
  try {
    return localStorage.getItem(name) ?? held.get(name) ?? otherwise;
  } catch {
    return held.get(name) ?? otherwise;
  }
}

/** @param {string} name @param {string} value */
export function remember(name, value) {
  held.set(name, value);
  try {
    localStorage.setItem(name, value);
  } catch {
    // It holds until the page is closed.
  }
}
