// Signals: the inbox, and the one that is read.
import { useEffect, useRef, useState } from 'preact/hooks';
import { ask, may, useAsk } from '../../api.js';
import { html } from '../../html.js';
import { useKeys } from '../../keys.js';
import { hear, isLive } from '../../open.js';
import { Empty, Failed, Loading, tellRefused } from '../../parts/feedback.js';
import { Icon } from '../../parts/icons.js';
import { useMatch } from '../../parts/match.js';
import { address, go, place, turn } from '../../route.js';
import { zone } from '../../time.js';
import { language, named, several, t } from '../../words.js';
import { Judge } from './actions.js';
import { acknowledge, act, resolve } from './acts.js';
import { Card } from './card.js';
import { List } from './list.js';

/** @typedef {import('../../api.js').Schemas['Signal']} Signal */
/** @typedef {(act: import('./acts.js').Act, signals: Signal[]) => void} OnAct */

const VIEWS = /** @type {const} */ (['open', 'acknowledged', 'resolved', 'hidden', 'all']);
const SEVERITIES = ['critical', 'high', 'medium', 'low', 'info'];
const PAGE = 100;

/** What the list asks for. @param {Record<string, string>} params */
function asked(params) {
  const view = params.view || 'open';
  return {
    state: view === 'hidden' || view === 'all' ? undefined : view,
    hidden: view === 'hidden' ? true : undefined,
    severity: params.severity,
    q: params.q,
    limit: PAGE,
    zone,
    lang: language.value,
  };
}

/** The list as it was asked for, with what happened to its signals since. @param {Record<string, string>} params */
function useList(params) {
  const question = asked(params);
  const { data, error, isLoading, reload } = useAsk('/api/v1/signals', question);
  const [list, setList] = useState(/** @type {Signal[] | undefined} */ (undefined));
  const [next, setNext] = useState(/** @type {string | null} */ (null));
  const [fresh, setFresh] = useState(() => /** @type {Set<string>} */ (new Set()));
  useEffect(() => {
    const found = /** @type {any} */ (data);
    setList(found?.signals);
    setNext(found?.next ?? null);
    setFresh(new Set());
  }, [data]);
  const known = useRef(list);
  known.current = list;
  /** @param {Signal} signal */
  const put = (signal) => setList((before) => before?.map((one) => (one.id === signal.id ? { ...one, ...signal, title: one.title } : one)));
  useEffect(
    () =>
      hear((change) => {
        if (!change) {
          reload();
        } else if (known.current?.some((one) => one.id === change.signal.id)) {
          setList((before) => before?.map((one) => (one.id === change.signal.id ? change.signal : one)));
        } else if (change.what !== 'hidden' && fits(change.signal, params)) {
          // What is read must not move: new ones wait until they are asked for.
          setFresh((before) => new Set(before).add(change.signal.id));
        }
      }),
    [params.view, params.severity, params.q],
  );
  const more = async () => {
    try {
      const page = await ask('/api/v1/signals', { ...question, cursor: next ?? '' });
      setList((before) => [...(before ?? []), ...page.signals]);
      setNext(page.next);
    } catch (failed) {
      tellRefused(failed);
    }
  };
  return { list, total: /** @type {any} */ (data)?.total ?? 0, error, isLoading, reload, put, fresh: fresh.size, more: next ? more : undefined };
}

/** Whether a signal that is told of belongs into the view. @param {Signal} signal @param {Record<string, string>} params */
function fits(signal, params) {
  const view = params.view || 'open';
  const isOpen = !['acknowledged', 'resolved'].includes(signal.state);
  const stands = view === 'all' || (view === 'open' ? isOpen : signal.state === view);
  const isGrave = !params.severity || params.severity.split(',').includes(signal.severity);
  return stands && isGrave && !params.q;
}

/** @param {{ params: Record<string, string>, search: any }} props */
function Filters({ params, search }) {
  const view = params.view || 'open';
  const chosen = new Set((params.severity ?? '').split(',').filter(Boolean));
  /** @param {string} level */
  const toggle = (level) => {
    if (!chosen.delete(level)) chosen.add(level);
    turn({ severity: SEVERITIES.filter((one) => chosen.has(one)).join(',') });
  };
  return html`<div class="filters">
    <nav class="tabs" aria-label=${t('signals.views')}>
      ${VIEWS.map(
        (one) => html`<a key=${one} href=${address('signals', { ...params, view: one === 'open' ? '' : one })} aria-current=${one === view ? 'page' : undefined}>${t(`view.${one}`)}</a>`,
      )}
    </nav>
    <form
      class="bar"
      role="search"
      onSubmit=${(/** @type {any} */ event) => {
        event.preventDefault();
        turn({ q: String(new FormData(event.currentTarget).get('q') ?? '').trim() });
      }}
    >
      <input ref=${search} type="search" name="q" key=${params.q} value=${params.q ?? ''} aria-label=${t('signals.search')} placeholder=${t('signals.search')} />
      <span class="bar" role="group" aria-label=${t('signals.severity')}>
        ${SEVERITIES.map(
          (level) => html`<button key=${level} type="button" class="small" aria-pressed=${chosen.has(level)} onClick=${() => toggle(level)}>${named('severity', level)}</button>`,
        )}
      </span>
    </form>
  </div>`;
}

/** @param {{ picked: Signal[], onAct: OnAct, onNone: () => void }} props */
function Bulk({ picked, onAct, onNone }) {
  return html`<div class="bulk bar" role="toolbar" aria-label=${t('signals.bulk')}>
    <b>${several('signals.picked', picked.length)}</b>
    <button type="button" onClick=${() => onAct(acknowledge, picked)}><${Icon} name="check" />${t('do.acknowledge')}</button>
    <button type="button" onClick=${() => onAct(resolve, picked)}>${t('do.resolve')}</button>
    <${Judge} signals=${picked} onAct=${onAct} />
    <button type="button" class="quiet" onClick=${onNone}>${t('signals.pick_none')}</button>
  </div>`;
}

/** @param {{ list: ReturnType<typeof useList>, view: string, isFiltered: boolean, children: any }} props */
function Listed({ list, view, isFiltered, children }) {
  if (list.error && !list.list) return html`<${Failed} error=${list.error} again=${list.reload} />`;
  if (!list.list) return html`<${Loading} lines=${6} />`;
  const isClear = view === 'open' && !isFiltered;
  return html`${list.error && html`<${Failed} error=${list.error} again=${list.reload} />`}
    ${list.fresh > 0 && html`<button type="button" class="fresh" onClick=${list.reload}>${several('signals.fresh', list.fresh)}</button>`}
    ${
      list.list.length === 0
        ? html`<${Empty} title=${t(isClear ? 'signals.clear' : 'signals.none')}>${t(isClear ? 'signals.clear_more' : 'signals.none_more')}<//>`
        : children
    }
    ${list.more && html`<button type="button" onClick=${list.more}>${t('do.more')}</button>`}`;
}

export default function Signals() {
  const { part, params } = place.value;
  const view = params.view || 'open';
  const list = useList(params);
  const [picked, setPicked] = useState(() => /** @type {Set<string>} */ (new Set()));
  const [round, setRound] = useState(0);
  const [hasNote, setNote] = useState(false);
  const search = useRef(/** @type {HTMLInputElement | null} */ (null));
  const signals = list.list ?? [];
  // Where there is room beside the list, the first is read unless another was chosen.
  const isWide = useMatch('(width >= 1060px)');
  const selected = part || (isWide ? (signals[0]?.id ?? '') : '');
  const current = signals.find((one) => one.id === selected);
  /** @type {OnAct} */
  const onAct = (what, which) => {
    act(what, which, (after) => {
      list.put(after);
      setRound((n) => n + 1);
    });
  };
  // A change that comes from elsewhere is told of what is read, too.
  useEffect(() => hear((change) => (!change || change.signal.id === selected) && setRound((n) => n + 1)), [selected]);
  useEffect(() => setNote(false), [selected]);
  useEffect(() => {
    // Whoever came by a link sees where among the others it stands.
    if (part) document.querySelector('.inbox [aria-current]')?.scrollIntoView({ block: 'nearest' });
  }, [part, signals.length > 0]);
  /** @param {string} id @param {boolean} isPicked */
  const pick = (id, isPicked) => {
    const now = new Set(picked);
    if (isPicked) now.add(id);
    else now.delete(id);
    setPicked(now);
  };
  /** @param {number} by */
  const step = (by) => {
    const at = signals.findIndex((one) => one.id === part);
    const to = signals[at < 0 ? 0 : Math.min(Math.max(at + by, 0), signals.length - 1)];
    if (!to) return;
    go(`signals/${to.id}`, params, { inPlace: Boolean(part) });
    document.querySelector(`.inbox [data-id="${CSS.escape(to.id)}"]`)?.scrollIntoView({ block: 'nearest' });
  };
  const mayAct = may('admin');
  useKeys({
    j: () => step(1),
    k: () => step(-1),
    '/': () => search.current?.focus(),
    a: () => mayAct && current && onAct(acknowledge, [current]),
    e: () => mayAct && current && onAct(resolve, [current]),
    x: () => mayAct && current && pick(current.id, !picked.has(current.id)),
    n: () => mayAct && selected && setNote(true),
    Escape: () => (picked.size ? setPicked(new Set()) : part && go('signals', params)),
  });
  const marked = signals.filter((one) => picked.has(one.id));
  return html`<div class=${`signals ${part ? 'has-card' : ''}`}>
    <section class="list-pane" aria-label=${t('screen.signals')}>
      <header class="bar"><h1>${t('screen.signals')}</h1><span class="soft">${list.list && several('signals.count', list.total)}</span>
        <span class=${`live-mark push ${isLive.value ? 'on' : ''}`}>${t(isLive.value ? 'live.on' : 'live.off')}</span></header>
      <${Filters} params=${params} search=${search} />
      ${marked.length > 0 && html`<${Bulk} picked=${marked} onAct=${(/** @type {any} */ what, /** @type {any} */ which) => { onAct(what, which); setPicked(new Set()); }} onNone=${() => setPicked(new Set())} />`}
      <${Listed} list=${list} view=${view} isFiltered=${Boolean(params.q || params.severity)}>
        <${List} signals=${signals} selected=${selected} params=${params} picked=${picked} mayAct=${mayAct} onPick=${pick} />
      <//>
    </section>
    <section class="card-pane" aria-label=${t('signal.one')}>
      ${
        selected
          ? html`<a class="button back" href=${address('signals', params)}><${Icon} name="back" />${t('signals.back')}</a>
              <${Card} key=${selected} id=${selected} round=${round} params=${params} onAct=${onAct} hasNote=${hasNote} setNote=${setNote} />`
          : html`<${Empty} title=${t('signals.choose')}>${t('signals.choose_more')} <kbd>j</kbd> <kbd>k</kbd><//>`
      }
    </section>
  </div>`;
}
