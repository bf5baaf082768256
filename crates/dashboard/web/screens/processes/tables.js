// The tables that can be asked, with their columns; a name goes into the question where the cursor is.
import { useAsk } from '../../api.js';
import { html } from '../../html.js';
import { Failed, Loading } from '../../parts/feedback.js';
import { t } from '../../words.js';

/** @typedef {{ name: string, what: string, columns: { name: string, type: string, what: string }[] }} Table */

/** @param {{ onName: (name: string) => void }} props */
export function Tables({ onName }) {
  const { data, error, reload } = useAsk('/api/v1/sql/tables');
  const tables = /** @type {{ tables: Table[] } | undefined} */ (data)?.tables;
  return html`<section class="card tables" aria-labelledby="tables"><h2 id="tables">${t('sql.tables')}</h2>
    ${error && !tables ? html`<${Failed} error=${error} again=${reload} />` : !tables ? html`<${Loading} />` : tables.map(
      ({ name, what, columns }) => html`<details key=${name}><summary><code>${name}</code> <span class="soft">${what}</span></summary>
        <ul>${columns.map((column) => html`<li><button type="button" class="quiet small mono" onClick=${() => onName(column.name)}>${column.name}</button> <span class="soft">${column.what}</span></li>`)}</ul>
      </details>`,
    )}
  </section>`;
}
