// The fields that occur, and the most frequent values of each in what is looked at.
import { useEffect, useState } from 'preact/hooks';
import { useAsk } from '../../api.js';
import { html } from '../../html.js';
import { Loading } from '../../parts/feedback.js';
import { Icon } from '../../parts/icons.js';
import { plain } from '../../parts/text.js';
import { number, short, t } from '../../words.js';
import { fieldNames } from './query_bar.js';

/** @typedef {import('./events.js').Question} Question */

/** What most people ask for first. */
const FIRST = ['log.level', 'service.name', 'host.name', 'log.file.path', 'event.outcome', 'user.name', 'source.ip', 'http.response.status_code'];
/** Too many values to be worth counting, or no values to choose by. */
const LEFT_OUT = new Set(['@timestamp', 'event.created', 'message', '_id', 'event.original', 'sentinel.template.text']);
const SHOWN = 5;

/** @param {{ name: string, question: Question, onFilter: (name: string, value: string, isOut: boolean) => void }} props */
function Values({ name, question, onFilter }) {
  const { data, error } = useAsk('/api/v1/fields', { field: name, ...question, limit: SHOWN });
  const found = /** @type {any} */ (data);
  if (error && !found) return null;
  if (!found) return html`<${Loading} lines=${2} />`;
  if (!found.values.length) return html`<p class="soft values">${t('fields.none')}</p>`;
  return html`<ul class="values">
    ${found.values.map(
      (/** @type {{ value: string, count: number }} */ { value, count }) => html`<li key=${value}>
        <span class="value" title=${plain(value, 400)}><bdi>${plain(value, 100) || '""'}</bdi></span>
        <span class="soft" title=${number(count)}>${short(count)}</span>
        <button type="button" class="icon-only" aria-label=${t('fields.only', { value: plain(value, 60) })} title=${t('fields.only', { value: plain(value, 60) })} onClick=${() => onFilter(name, value, false)}><${Icon} name="plus" /></button>
        <button type="button" class="icon-only" aria-label=${t('fields.without', { value: plain(value, 60) })} title=${t('fields.without', { value: plain(value, 60) })} onClick=${() => onFilter(name, value, true)}><${Icon} name="minus" /></button>
        <i style=${{ width: `${(count / found.total) * 100}%` }}></i>
      </li>`,
    )}
    ${found.distinct > SHOWN && html`<li class="soft rest">${t('fields.more', { n: number(found.distinct - SHOWN) })}</li>`}
  </ul>`;
}

/**
 * @param {{ question: Question, columns: string[], onColumn: (name: string) => void,
 *   onFilter: (name: string, value: string, isOut: boolean) => void }} props
 */
export function Fields({ question, columns, onColumn, onFilter }) {
  const [names, setNames] = useState(/** @type {{ name: string, count: number }[] | undefined} */ (undefined));
  const [wanted, setWanted] = useState('');
  const [open, setOpen] = useState(() => new Set(['log.level', 'service.name']));
  useEffect(() => void fieldNames().then(setNames, () => setNames([])), [question]);
  if (!names) return html`<${Loading} lines=${8} />`;
  const place = (/** @type {string} */ name) => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length);
  const shown = names
    .filter(({ name }) => !LEFT_OUT.has(name) && name.toLowerCase().includes(wanted.toLowerCase()))
    .sort((one, other) => place(one.name) - place(other.name) || (one.name < other.name ? -1 : 1));
  /** @param {string} name */
  const toggle = (name) => {
    const now = new Set(open);
    if (!now.delete(name)) now.add(name);
    setOpen(now);
  };
  return html`<input type="search" aria-label=${t('fields.search')} placeholder=${t('fields.search')} onInput=${(/** @type {any} */ event) => setWanted(event.currentTarget.value)} />
    <ul class="field-list">
      ${shown.map(
        ({ name }) => html`<li key=${name}>
          <div class="field">
            <button type="button" class="quiet name" aria-expanded=${open.has(name)} title=${plain(name, 200)} onClick=${() => toggle(name)}><${Icon} name=${open.has(name) ? 'down' : 'forward'} /><bdi>${plain(name, 60)}</bdi></button>
            <button type="button" class="icon-only" aria-pressed=${columns.includes(name)} aria-label=${t('fields.column', { name: plain(name, 60) })} title=${t('fields.column', { name: plain(name, 60) })} onClick=${() => onColumn(name)}><${Icon} name="columns" /></button>
          </div>
          ${open.has(name) && html`<${Values} name=${name} question=${question} onFilter=${onFilter} />`}
        </li>`,
      )}
    </ul>`;
}
