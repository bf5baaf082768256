// Text of logs. It is always text: no markup, no sign that would turn what stands beside it around.
import { useState } from 'preact/hooks';
import { html } from '../html.js';
import { number, t } from '../words.js';

/** Signs that are not to be seen, or that change how others are: control characters, marks of direction, invisible ones. */
// eslint-disable-next-line no-control-regex
const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu;
/** What has none of them, seen at a glance. */
const PLAIN = /^[\x20-\x7e]*$/;
const LINK = /\bhttps?:\/\/[^\s"'<>\\^`{|}\u0000-\u0020\u007f-\u00a0\u200b-\u206f]+/gu;
/** How much is shown at first. */
const SHOWN = 20_000;

/** @param {string} sign */
function code(sign) {
  const point = sign.codePointAt(0) ?? 0;
  if (point < 0x20) return String.fromCodePoint(0x2400 + point);
  return `‹U+${point.toString(16).toUpperCase().padStart(4, '0')}›`;
}

/**
 * A text with its hidden signs shown, for places where there is no room for marks.
 * @param {string} text
 * @param {number} [most] signs
 */
export function plain(text, most = 2_000) {
  const cut = text.length > most ? `${text.slice(0, most)}…` : text;
  if (PLAIN.test(cut)) return cut;
  return cut.replace(HIDDEN, (sign) => (sign === '\n' ? ' ' : code(sign)));
}

/** @param {string} text */
function marked(text) {
  const parts = [];
  let end = 0;
  for (const found of text.matchAll(HIDDEN)) {
    if (found[0] === '\n') continue;
    parts.push(text.slice(end, found.index), html`<span class="hidden-sign">${code(found[0])}</span>`);
    end = found.index + found[0].length;
  }
  parts.push(text.slice(end));
  return parts;
}

/**
 * @param {{ text: string, links?: boolean, most?: number }} props `most`: how much is shown at first
 */
export function LogText({ text, links = false, most = SHOWN }) {
  const [isWhole, setWhole] = useState(false);
  const cut = isWhole ? text : text.slice(0, most);
  const parts = [];
  let end = 0;
  for (const found of links ? cut.matchAll(LINK) : []) {
    const address = found[0].replace(/[.,;:!?)\]]+$/, '');
    parts.push(...marked(cut.slice(end, found.index)));
    parts.push(
      html`<a class="out" href=${address} target="_blank" rel="noopener noreferrer nofollow">${address}</a>`,
    );
    end = found.index + address.length;
  }
  parts.push(...marked(cut.slice(end)));
  return html`<span class="log-text" dir="ltr">${parts}${
    cut.length < text.length &&
    html`<button type="button" class="more-text" onClick=${() => setWhole(true)}>
      ${t('text.rest', { n: number(text.length - cut.length) })}
    </button>`
  }</span>`;
}
