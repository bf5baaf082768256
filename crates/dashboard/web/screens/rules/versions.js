// What a file of rules held before: what differs, and the way back.
import { useState } from 'preact/hooks';
import { ask, post } from '../../api.js';
import { html } from '../../html.js';
import { Dialog } from '../../parts/dialog.js';
import { tell, tellRefused } from '../../parts/feedback.js';
import { Time } from '../../parts/marks.js';
import { plain } from '../../parts/text.js';
import { bytes, t } from '../../words.js';
import { diff } from './diff.js';

/** @typedef {{ version: number, until: string | null, bytes: number }} Version */

/** @param {{ file: string, text: string, versions: Version[], onBack: () => void }} props `text`: what it holds now */
export function Versions({ file, text, versions, onBack }) {
  const [shown, setShown] = useState(/** @type {{ version: number, text: string } | undefined} */ (undefined));
  const path = `/api/v1/rule-files/${encodeURIComponent(file)}`;
  if (!versions.length) return null;
  /** @param {number} version */
  const onShow = async (version) => {
    try {
      setShown({ version, text: (await ask(path, { version })).text });
    } catch (error) {
      tellRefused(error);
    }
  };
  const onRollBack = async () => {
    try {
      const { kept } = await post(`${path}/roll-back`, { version: shown?.version });
      setShown(undefined);
      tell(t('rules.rolled_back'), { undo: kept ? () => post(`${path}/roll-back`, { version: kept }).then(onBack, tellRefused) : undefined });
      onBack();
    } catch (error) {
      tellRefused(error);
    }
  };
  return html`<section class="versions"><h3>${t('rules.versions')}</h3>
    <ul class="brief">${[...versions].reverse().map(
      ({ version, until, bytes: size }) => html`<li key=${version}><span class="mono">${version}</span>${until && html`<span class="soft">${t('rules.until')} <${Time} at=${until} /></span>`}<span class="soft">${bytes(size)}</span><button type="button" class="small push" onClick=${() => onShow(version)}>${t('rules.differs')}</button></li>`,
    )}</ul>
    ${
      shown &&
      html`<${Dialog} title=${t('rules.version', { n: shown.version })} kind="wide" onClose=${() => setShown(undefined)}>
        <div class="stack">
          <pre class="json diff" tabindex="0">${diff(text, shown.text).map(({ sign, line }) => html`<span class=${sign === '+' ? 'added' : sign === '-' ? 'gone' : undefined}>${sign} ${plain(line, 2000)}\n</span>`)}</pre>
          <div class="bar"><button type="button" class="primary" onClick=${onRollBack}>${t('rules.roll_back')}</button></div>
        </div>
      <//>`
    }
  </section>`;
}
