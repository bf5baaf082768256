// Channels: the ways by which people are told, and how each does.
import { useState } from 'preact/hooks';
import { may, post, remove, useAsk } from '../../api.js';
import { html } from '../../html.js';
import { Empty, Failed, Loading, reason, tell, tellRefused } from '../../parts/feedback.js';
import { Icon } from '../../parts/icons.js';
import { State, Time } from '../../parts/marks.js';
import { plain } from '../../parts/text.js';
import { several, t } from '../../words.js';
import { ChannelForm } from './channel_form.js';
import { TYPES } from './channel_types.js';

/** @typedef {import('../../api.js').Schemas['Channel'] & Record<string, any>} Channel */

/** Where it leads, as far as that is no secret. @param {Channel} channel */
function leads(channel) {
  const { to, server, port, chat_id: chat, url, path } = channel;
  if (to) return `${[to].flat().join(', ')} · ${server}:${port}`;
  return chat ?? url ?? path ?? (server ? `${server}:${port}` : '');
}

/** @param {{ channel: Channel }} props */
function Standing({ channel }) {
  if (channel.without_effect) return html`<span class="state">${t('channels.without_effect')}</span>`;
  const { failing_since: since, waiting = 0, given_up: dead = 0 } = channel;
  return html`<${State} state=${since ? 'failed' : 'ok'} />
    ${since && html` <span class="soft">${t('channels.since')} <${Time} at=${since} /></span>`}
    ${waiting > 0 && html` <span class="soft">${several('channels.waiting', waiting)}</span>`}
    ${dead > 0 && html` <span class="soft">${several('channels.given_up', dead)}</span>`}`;
}

/** @param {{ channel: Channel, onChange: () => void, onGone: () => void }} props */
function One({ channel, onChange, onGone }) {
  const [tried, setTried] = useState(/** @type {{ isOn?: boolean, text?: string, isGood?: boolean }} */ ({}));
  const path = `/api/v1/channels/${encodeURIComponent(channel.name)}`;
  const onTest = async () => {
    setTried({ isOn: true });
    try {
      const { answer } = await post(`${path}/test`);
      setTried({ text: `${t('channels.delivered')} ${plain(answer ?? '', 200)}`, isGood: true });
    } catch (error) {
      setTried({ text: plain(reason(error), 600) });
    }
  };
  const onRemove = async () => {
    if (!confirm(t('channels.sure', { name: channel.name }))) return;
    try {
      await remove(path);
      tell(t('told.removed'));
      onGone();
    } catch (error) {
      tellRefused(error);
    }
  };
  return html`<li class="card channel">
    <header>
      <h2 class="mono">${plain(channel.name, 40)}</h2>
      ${channel.type && html`<span class="chip soft">${channel.type}</span>`}
      <${Standing} channel=${channel} />
      ${
        may('admin') &&
        html`<span class="push bar">
          ${!channel.without_effect && html`<button type="button" class="small" disabled=${tried.isOn} onClick=${onTest}>${t('channels.test')}</button>`}
          ${channel.made_by && channel.type && channel.type in TYPES && html`<button type="button" class="small" onClick=${onChange}>${t('channels.change')}</button>`}
          ${channel.made_by && html`<button type="button" class="small" onClick=${onRemove}>${t('do.remove')}</button>`}
        </span>`
      }
    </header>
    <p class="bar soft">
      ${leads(channel) && html`<span class="mono">${plain(leads(channel), 300)}</span>`}
      ${(channel.secrets ?? []).map((name) => html`<span class="chip soft">${name} ••••</span>`)}
      <span>${channel.made_by ? t('channels.made_by', { name: plain(channel.made_by, 60) }) : t('channels.of_file')}</span>
      ${channel.made_at && html`<${Time} at=${channel.made_at} />`}
    </p>
    <div role="status">${tried.isOn ? html`<p class="soft">${t('channels.testing')}</p>` : tried.text && html`<p class=${tried.isGood ? 'own' : 'failed'}>${tried.text}</p>`}</div>
  </li>`;
}

export function Channels() {
  const { data, error, reload } = useAsk('/api/v1/channels', {}, 10_000);
  const [edited, setEdited] = useState(/** @type {Channel | 'new' | undefined} */ (undefined));
  const channels = /** @type {{ channels: Channel[] } | undefined} */ (data)?.channels;
  if (error && !channels) return html`<${Failed} error=${error} again=${reload} />`;
  if (!channels) return html`<${Loading} lines=${6} />`;
  const before = edited === 'new' ? undefined : edited;
  const close = () => setEdited(undefined);
  return html`<div class="bar">
      <span class="soft">${t('channels.how')}</span>
      ${may('admin') && html`<button type="button" class="push primary" onClick=${() => setEdited('new')}><${Icon} name="plus" />${t('channels.add')}</button>`}
    </div>
    ${
      channels.length
        ? html`<ul class="alerts">${channels.map((channel) => html`<${One} key=${channel.name} channel=${channel} onChange=${() => setEdited(channel)} onGone=${reload} />`)}</ul>`
        : html`<${Empty} title=${t('channels.none')}>${t('channels.none_more')}<br /><code>LOG_SENTINEL_ALERTS_FILE</code>, <code>ALERT_EMAIL_ENABLED</code>, <code>ALERT_TELEGRAM_ENABLED</code>, <code>ALERT_DISCORD_ENABLED</code><//>`
    }
    ${edited && html`<${ChannelForm} before=${before} names=${channels.map(({ name }) => name).filter((name) => name !== before?.name)} onClose=${close} onDone=${() => { close(); reload(); }} />`}`;
}
