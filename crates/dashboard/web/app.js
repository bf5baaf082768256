// The frame: who is signed in, which screen is shown, and what holds everywhere.
import { effect, signal } from '@preact/signals';
import { render } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { caller, know, may, signOut, trouble } from './api.js';
import { html } from './html.js';
import { useKeys } from './keys.js';
import { open, watch } from './open.js';
import { Help } from './parts/help.js';
import { Failed, Loading, Told, tellRefused } from './parts/feedback.js';
import { Icon } from './parts/icons.js';
import { SignIn } from './parts/sign_in.js';
import { go, place } from './route.js';
import { language, short, speak, t, wanted } from './words.js';

/** @typedef {{ name: string, icon: any, word: import('./words.js').Word, load: () => Promise<any>, isFor?: () => boolean }} Screen */

/** @type {Screen[]} */
const SCREENS = [
  { name: 'overview', icon: 'overview', word: 'screen.overview', load: () => import('./screens/overview.js') },
  { name: 'signals', icon: 'signals', word: 'screen.signals', load: () => import('./screens/signals/screen.js') },
  { name: 'logs', icon: 'logs', word: 'screen.logs', load: () => import('./screens/logs/screen.js') },
  { name: 'patterns', icon: 'pattern', word: 'screen.patterns', load: () => import('./screens/patterns/screen.js') },
  { name: 'anomalies', icon: 'anomalies', word: 'screen.anomalies', load: () => import('./screens/anomalies/screen.js') },
  { name: 'hosts', icon: 'hosts', word: 'screen.hosts', load: () => import('./screens/hosts/screen.js') },
  { name: 'processes', icon: 'processes', word: 'screen.processes', load: () => import('./screens/processes/screen.js') },
  { name: 'alerts', icon: 'alerts', word: 'screen.alerts', load: () => import('./screens/alerts/screen.js') },
  { name: 'rules', icon: 'rules', word: 'screen.rules', load: () => import('./screens/rules/screen.js') },
  { name: 'models', icon: 'models', word: 'screen.models', load: () => import('./screens/models/screen.js') },
  { name: 'settings', icon: 'settings', word: 'screen.settings', load: () => import('./screens/settings/screen.js') },
];

/** Modules that came: each is asked for once. */
const loaded = signal(/** @type {Record<string, any>} */ ({}));

/** @param {{ screen: Screen }} props */
function Shown({ screen }) {
  const [error, setError] = useState(/** @type {unknown} */ (undefined));
  const [tries, setTries] = useState(0);
  const Part = loaded.value[screen.name];
  useEffect(() => {
    setError(undefined);
    if (loaded.value[screen.name]) return;
    screen.load().then(
      (module) => {
        loaded.value = { ...loaded.value, [screen.name]: module.default };
      },
      // After an update of the service its files have another address.
      (failed) => setError(failed),
    );
  }, [screen.name, tries]);
  if (Part) return html`<${Part} />`;
  if (error) return html`<div class="page"><${Failed} error=${error} again=${() => (tries ? location.reload() : setTries(1))} /></div>`;
  return html`<div class="page"><${Loading} /></div>`;
}

/** @param {{ current: string, onHelp: () => void }} props */
function Rail({ current, onHelp }) {
  const who = caller.value;
  const menu = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    // On a phone not all have room at once.
    menu.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
  }, [current]);
  return html`<div class="rail">
    <a class="brand" href="#/overview"><img src=${new URL('./icon.svg', import.meta.url).pathname} alt="" />Log Sentinel</a>
    <nav ref=${menu} aria-label=${t('frame.screens')}>
      <ul>
        ${SCREENS.map(
          ({ name, icon, word }) => html`<li key=${name}>
            <a class="to" href=${`#/${name}`} aria-current=${name === current ? 'page' : undefined}>
              <${Icon} name=${icon} /><span>${t(word)}</span>
              ${
                name === 'signals' &&
                open.value > 0 &&
                html`<span class="pip"><span aria-hidden="true">${short(open.value)}</span><span class="unseen">${t('frame.open', { n: open.value })}</span></span>`
              }
            </a>
          </li>`,
        )}
      </ul>
    </nav>
    <div class="foot">
      ${who?.name && who.kind !== 'open' && html`<span class="who" title=${who.name}>${who.name}</span>`}
      <button type="button" class="quiet help" onClick=${onHelp}><kbd>?</kbd> ${t('frame.help')}</button>
      ${
        who?.csrf_token &&
        html`<button type="button" class="quiet" onClick=${() => signOut().catch(tellRefused)}>${t('frame.sign_out')}</button>`
      }
    </div>
  </div>`;
}

function Trouble() {
  if (!trouble.value) return null;
  return html`<div class="trouble" role="status">${t(trouble.value === 'away' ? 'trouble.away' : 'trouble.busy')}</div>`;
}

function App() {
  const [hasHelp, setHelp] = useState(false);
  const main = useRef(/** @type {HTMLElement | null} */ (null));
  const screen = SCREENS.find(({ name }) => name === place.value.screen) ?? SCREENS[0];
  useKeys({
    '?': () => setHelp(true),
    // 1 to 9 and 0 in the order of the menu; settings are the last.
    ...Object.fromEntries(SCREENS.slice(0, 10).map(({ name }, at) => [String((at + 1) % 10), () => go(name)])),
    ',': () => go('settings'),
  });
  useEffect(() => {
    document.title = `${t(screen.word)} · Log Sentinel`;
    if (main.current) main.current.scrollTop = 0;
  }, [screen.name, language.value]);
  useEffect(() => (may('read') ? watch() : undefined), [caller.value?.id, language.value]);
  return html`<div class="frame">
    <${Rail} current=${screen.name} onHelp=${() => setHelp(true)} />
    <main ref=${main} tabindex="-1"><${Shown} key=${screen.name} screen=${screen} /></main>
    <${Trouble} />
    <${Told} />
    ${hasHelp && html`<${Help} screen=${screen.name} onClose=${() => setHelp(false)} />`}
  </div>`;
}

function Root() {
  if (caller.value === undefined) return html`<div class="page"><${Loading} /><${Trouble} /></div>`;
  return caller.value === null ? html`<${SignIn} />` : html`<${App} />`;
}

await speak(wanted());
const root = /** @type {HTMLElement} */ (document.getElementById('app'));
effect(() => {
  void language.value;
  render(html`<${Root} />`, root);
});
know();
