// Files of one's own rules: which there are, and one of them to write.
import { useState } from 'preact/hooks';
import { useAsk } from '../../api.js';
import { html } from '../../html.js';
import { Empty, Failed, Loading } from '../../parts/feedback.js';
import { Icon } from '../../parts/icons.js';
import { plain } from '../../parts/text.js';
import { address, go, place } from '../../route.js';
import { t } from '../../words.js';
import { Editor } from './editor.js';

/** A random id as rules have them. */
function identity() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** What a new file begins with. */
const first = () => `title: ${t('rules.example')}
id: ${identity()}
logsource:
  product: linux
detection:
  words:
    - connection refused
  condition: words
level: medium
`;

/** A rule that comes along, as one of one's own. @param {{ id: string }} props */
function Copy({ id }) {
  const { data, error, reload } = useAsk(`/api/v1/rules/${encodeURIComponent(id)}`);
  const rule = /** @type {import('../../api.js').Schemas['Rule'] | undefined} */ (data);
  if (error && !rule) return html`<${Failed} error=${error} again=${reload} />`;
  if (!rule) return html`<${Loading} />`;
  const text = (rule.source ?? '').replace(/^id:.*$/m, `id: ${identity()}`);
  const name = (rule.file ?? 'rule.yml').split('/').pop() ?? 'rule.yml';
  return html`<${Editor} key=${`copy ${id}`} name="" proposed=${name} text=${text} versions=${[]} />`;
}

/** @param {{ name: string, line?: number }} props */
function Kept({ name, line }) {
  const { data, error, reload } = useAsk(`/api/v1/rule-files/${encodeURIComponent(name)}`);
  const file = /** @type {{ text: string, versions: any[] } | undefined} */ (data);
  if (error && !file) return /** @type {any} */ (error).status === 404 ? html`<${Empty} title=${t('rules.no_file')} />` : html`<${Failed} error=${error} again=${reload} />`;
  if (!file) return html`<${Loading} lines=${8} />`;
  return html`<${Editor} name=${name} text=${file.text} versions=${file.versions} line=${line} onWritten=${reload} />`;
}

export function Files() {
  const { params } = place.value;
  const { data, error, reload } = useAsk('/api/v1/rule-files');
  const rules = useAsk('/api/v1/rules');
  const [draft] = useState(first);
  const files = /** @type {{ files: string[] } | undefined} */ (data)?.files;
  const hasFolder = /** @type {any} */ (rules.data)?.has_folder;
  if (error && !files) return html`<${Failed} error=${error} again=${reload} />`;
  if (!files || hasFolder === undefined) return html`<${Loading} lines=${6} />`;
  if (!hasFolder) return html`<${Empty} title=${t('rules.no_folder')}>${t('rules.no_folder_more')} <code>LOG_SENTINEL_RULES_DIR</code><//>`;
  const isNew = params.new !== undefined || params.copy !== undefined;
  const shown = params.copy ? html`<${Copy} id=${params.copy} />` : params.new ? html`<${Editor} key="new" name="" proposed="" text=${draft} versions=${[]} />` : params.file ? html`<${Kept} key=${params.file} name=${params.file} line=${Number(params.line) || undefined} />` : null;
  return html`<div class="bar files">
      ${files.map((name) => html`<a key=${name} class="button mono" href=${address('rules/files', { file: name })} aria-current=${name === params.file ? 'page' : undefined}>${plain(name, 80)}</a>`)}
      <button type="button" class="push primary" disabled=${isNew} onClick=${() => go('rules/files', { new: '1' })}><${Icon} name="plus" />${t('rules.new')}</button>
    </div>
    ${shown ?? html`<${Empty} title=${t(files.length ? 'rules.choose' : 'rules.no_files')}>${t('rules.choose_more')}<//>`}`;
}
