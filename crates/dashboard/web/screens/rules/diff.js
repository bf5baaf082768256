// What differs between two texts, line by line.

/** @typedef {{ sign: ' ' | '+' | '-', line: string }} Row */

/** More lines that differ are not compared one by one. */
const COMPARED_MAX = 1_000;

/** @param {string} before @param {string} after @returns {Row[]} */
export function diff(before, after) {
  const [old, now] = [before.split('\n'), after.split('\n')];
  let start = 0;
  while (start < old.length && start < now.length && old[start] === now[start]) start += 1;
  let [oldEnd, nowEnd] = [old.length, now.length];
  while (oldEnd > start && nowEnd > start && old[oldEnd - 1] === now[nowEnd - 1]) {
    oldEnd -= 1;
    nowEnd -= 1;
  }
  const same = (/** @type {string[]} */ lines) => lines.map((line) => /** @type {Row} */ ({ sign: ' ', line }));
  return [...same(old.slice(0, start)), ...between(old.slice(start, oldEnd), now.slice(start, nowEnd)), ...same(old.slice(oldEnd))];
}

/** By the longest common subsequence. @param {string[]} old @param {string[]} now @returns {Row[]} */
function between(old, now) {
  const out = (/** @type {string[]} */ lines, /** @type {'+' | '-'} */ sign) => lines.map((line) => /** @type {Row} */ ({ sign, line }));
  if (old.length > COMPARED_MAX || now.length > COMPARED_MAX) return [...out(old, '-'), ...out(now, '+')];
  const common = Array.from({ length: old.length + 1 }, () => new Uint16Array(now.length + 1));
  for (let i = old.length - 1; i >= 0; i -= 1) {
    for (let j = now.length - 1; j >= 0; j -= 1) {
      common[i][j] = old[i] === now[j] ? common[i + 1][j + 1] + 1 : Math.max(common[i + 1][j], common[i][j + 1]);
    }
  }
  /** @type {Row[]} */
  const rows = [];
  let [i, j] = [0, 0];
  while (i < old.length && j < now.length) {
    if (old[i] === now[j]) {
      rows.push({ sign: ' ', line: old[i] });
      i += 1;
      j += 1;
    } else if (common[i + 1][j] >= common[i][j + 1]) {
      rows.push({ sign: '-', line: old[i] });
      i += 1;
    } else {
      rows.push({ sign: '+', line: now[j] });
      j += 1;
    }
  }
  return [...rows, ...out(old.slice(i), '-'), ...out(now.slice(j), '+')];
}
