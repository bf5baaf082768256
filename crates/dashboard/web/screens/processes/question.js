// A question in SQL: written with what is wrong said at its place, answered as a table, explained, downloaded.
import { useEffect, useRef, useState } from 'preact/hooks';
import { inquire, useQuestion } from '../../api.js';
import { html } from '../../html.js';
import { Failed, Loading, reason, tellRefused } from '../../parts/feedback.js';
import { Menu } from '../../parts/menu.js';
import { plain } from '../../parts/text.js';
import { go, place } from '../../route.js';
import { t } from '../../words.js';
import { Text, goTo } from '../rules/text.js';
import { Answer } from './answer.js';
import { Moment } from './moment.js';
import { Tables } from './tables.js';

/** @typedef {import('../../api.js').Schemas['Problem'] & { column?: number }} Problem */

/** What was written and not asked yet: nothing typed is lost while the page is open. */
let draft = '';

/** To begin with, by the word that says what each asks. */
const EXAMPLES = /** @type {const} */ ([
  ['examples.memory', 'SELECT host, name, pid, user, rss_bytes / 1000000 AS megabytes\nFROM processes\nORDER BY rss_bytes DESC\nLIMIT 20'],
  ['examples.ports', "SELECT host, port, process, user, executable\nFROM listening_ports\nORDER BY host, port"],
  ['examples.temporary', "SELECT host, pid, user, executable, command\nFROM processes\nWHERE executable LIKE '/tmp/%' OR executable LIKE '/var/tmp/%' OR executable LIKE '/dev/shm/%'"],
  ['examples.deleted', 'SELECT host, pid, name, user, executable, started_at\nFROM processes\nWHERE executable_deleted = 1 AND kernel_thread = 0'],
  ['examples.new', "SELECT timestamp, host, user, name, command\nFROM process_events\nWHERE event = 'started' AND timestamp > ago('1h')\nORDER BY timestamp DESC\nLIMIT 100"],
  ['examples.levels', "SELECT host, service, level, count(*) AS events\nFROM logs\nWHERE timestamp > ago('1h') AND level IN ('error', 'fatal')\nGROUP BY host, service, level\nORDER BY events DESC"],
]);

/** Has the browser keep a text as a file. @param {string} text @param {string} name */
function keep(text, name) {
  const to = URL.createObjectURL(new Blob([text], { type: 'text/csv' }));
  const link = Object.assign(document.createElement('a'), { href: to, download: name });
  link.click();
  // The download has begun by then.
  setTimeout(() => URL.revokeObjectURL(to), 10_000);
}

/** How it would be answered. @param {{ told: { plan: string[], hints: string[], tables: string[] } }} props */
function Explained({ told }) {
  return html`<section class="card explained" aria-labelledby="explained"><h2 id="explained">${t('sql.plan')}</h2>
    <pre class="json" tabindex="0">${told.plan.join('\n') || t('sql.no_plan')}</pre>
    ${told.hints.length > 0 && html`<h3>${t('sql.hints')}</h3><ul class="reasons">${told.hints.map((one) => html`<li>${plain(one, 400)}</li>`)}</ul>`}
    ${told.tables.length > 0 && html`<p class="soft">${t('sql.reads')} <span class="mono">${told.tables.join(', ')}</span></p>`}
  </section>`;
}

/** What is wrong with it, and where. @param {{ error: unknown, onPlace: (line: number, column: number) => void }} props */
function Wrong({ error, onPlace }) {
  if (!error) return null;
  const { line, column = 1 } = /** @type {Problem} */ (/** @type {any} */ (error).problem ?? {});
  return html`<div class="failed sql-wrong" role="alert">${line && html`<button type="button" class="small" onClick=${() => onPlace(line, column)}>${t('sql.place', { line, column })}</button>`}<span>${plain(reason(error).replace(/^line \d+, column \d+: /, ''), 1000)}</span></div>`;
}

export function Question() {
  const { sql: asked = '', at = '' } = place.value.params;
  const [text, setText] = useState(draft || asked || EXAMPLES[0][1]);
  const [told, setTold] = useState(/** @type {{ plan: string[], hints: string[], tables: string[] } | undefined} */ (undefined));
  const [wrong, setWrong] = useState(/** @type {unknown} */ (undefined));
  const root = useRef(/** @type {HTMLElement | null} */ (null));
  const { data, error, isLoading, reload } = useQuestion(asked || null, { at: at || undefined });
  const answer = /** @type {import('./sql.js').Answer | undefined} */ (data);
  useEffect(() => {
    // Somebody went to another question, by a link or back.
    if (asked && !draft) setText(asked);
  }, [asked]);
  const onText = (/** @type {string} */ now) => {
    draft = now;
    setText(now);
  };
  const onAsk = () => {
    if (!text.trim()) return;
    setTold(undefined);
    setWrong(undefined);
    draft = '';
    if (text === asked) reload();
    else go('processes/sql', { sql: text, at });
  };
  const onExplain = async () => {
    try {
      setTold(await inquire('/api/v1/sql', { sql: text, explain: true }));
      setWrong(undefined);
    } catch (failed) {
      setWrong(failed);
    }
  };
  const onTake = async () => {
    try {
      keep(await inquire('/api/v1/sql?format=csv', { sql: asked, at: at || undefined, limit: 10_000 }), 'answer.csv');
    } catch (failed) {
      tellRefused(failed);
    }
  };
  /** @param {KeyboardEvent} event */
  const onKeyDown = (event) => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    onAsk();
  };
  const area = () => root.current?.querySelector('textarea');
  const onPlace = (/** @type {number} */ line, /** @type {number} */ column) => {
    const of = area();
    if (of) goTo(of, line, column);
  };
  const onName = (/** @type {string} */ name) => {
    const of = area();
    if (!of) return;
    const [start, end] = [of.selectionStart, of.selectionEnd];
    onText(`${text.slice(0, start)}${name}${text.slice(end)}`);
    requestAnimationFrame(() => {
      of.focus();
      of.setSelectionRange(start + name.length, start + name.length);
    });
  };
  // What is wrong stands beside the text that it is about.
  const fault = wrong ?? (text === asked ? error : undefined);
  const line = /** @type {Problem | undefined} */ (/** @type {any} */ (fault)?.problem)?.line;
  return html`<div class="ask">
    <section class="card stack" ref=${root} onKeyDown=${onKeyDown}>
      <${Text} text=${text} onText=${onText} label=${t('sql.question')} wrong=${new Set(line ? [line] : [])} described="sql-fault" rows=${7} />
      <div id="sql-fault"><${Wrong} error=${fault} onPlace=${onPlace} /></div>
      <div class="bar make">
        <span class="bar"><button type="button" class="primary" aria-keyshortcuts="Control+Enter" disabled=${!text.trim()} onClick=${onAsk}>${t('routes.ask')}<kbd>Ctrl ↵</kbd></button>
        <button type="button" disabled=${!text.trim()} onClick=${onExplain}>${t('sql.explain')}</button>
        <${Menu} label=${t('sql.examples')}>${(/** @type {() => void} */ close) => EXAMPLES.map(([word, sql]) => html`<button type="button" onClick=${() => { close(); onText(sql); }}>${t(word)}</button>`)}<//></span>
        <${Moment} at=${at} />
      </div>
    </section>
    <div class="answers">
      ${told && html`<${Explained} told=${told} />`}
      ${asked && !answer && isLoading && html`<${Loading} lines=${6} />`}
      ${asked && !answer && error && text !== asked ? html`<${Failed} error=${error} again=${reload} />` : null}
      ${answer && html`<${Answer} answer=${answer} isOld=${Boolean(error)} onTake=${onTake} />`}
    </div>
    <${Tables} onName=${onName} />
  </div>`;
}
