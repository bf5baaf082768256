// Who is told: channels, routes and silences, through the page, against a receiver that takes or refuses.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { fill } from './data.mjs';
import { world } from './world.mjs';

/** A web server that counts what it was sent, and answers with `status`. */
async function receiver() {
  const got = [];
  const state = { status: 200, got };
  const server = createServer((request, answer) => {
    let body = '';
    request.on('data', (bytes) => {
      body += bytes;
    });
    request.on('end', () => {
      got.push({ url: request.url, headers: request.headers, body });
      answer.writeHead(state.status).end('<b>as you like</b>');
    });
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  state.at = `http://127.0.0.1:${server.address().port}/hook-of-secrets`;
  state.stop = () => new Promise((done) => server.close(done));
  return state;
}

describe('who is told', () => {
  let hook;
  let server;
  let opened;
  let page;
  before(async () => {
    hook = await receiver();
  });
  after(() => hook?.stop());
  const { show, ask } = world((now) => {
    ({ server, opened, page } = now);
  });
  const channel = async (name) => (await ask('/api/v1/channels')).channels.find((one) => one.name === name);

  test('a channel is added by keyboard, tested, changed and removed; its secret is never shown', async () => {
    opened.expect(/status of (400|502)/);
    await show('#/alerts/channels');
    await page.getByText('No channel is set up yet').waitFor();
    await page.getByRole('button', { name: 'Add a channel' }).focus();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name', { exact: true }).fill('pager');
    await dialog.getByLabel('Type').selectOption('webhook');
    await dialog.getByLabel('Address').fill('nowhere');
    await page.keyboard.press('Enter');
    // What does not suit is said at its field, and nothing typed is lost.
    await dialog.getByRole('alert').waitFor();
    assert.equal(await dialog.getByLabel('Address').inputValue(), 'nowhere');
    assert.equal(await dialog.getByLabel('Name', { exact: true }).inputValue(), 'pager');
    await dialog.getByLabel('Address').fill(hook.at);
    await dialog.getByLabel('Secret that signs').fill('a-secret-that-is-never-shown');
    await page.keyboard.press('Enter');
    await dialog.waitFor({ state: 'detached' });
    const card = page.locator('.channel', { hasText: 'pager' });
    await card.getByText('made by').waitFor();
    await card.getByRole('button', { name: 'Test' }).click();
    await card.getByText('Delivered.').waitFor();
    assert.equal(hook.got.length, 1);
    assert.ok(hook.got[0].headers['webhook-signature'], 'it is signed');
    hook.status = 403;
    await card.getByRole('button', { name: 'Test' }).click();
    await card.getByText(/403/).waitFor();
    hook.status = 200;

    await card.getByRole('button', { name: 'Change' }).click();
    await dialog.waitFor();
    assert.equal(await dialog.getByLabel('Address').inputValue(), '');
    await dialog.getByLabel(/Template/).fill('{"text": {{ title }}}');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.waitFor({ state: 'detached' });
    assert.deepEqual((await channel('pager')).secrets, ['url', 'secret']);
    await card.getByRole('button', { name: 'Test' }).click();
    await card.getByText('Delivered.').waitFor();
    assert.ok(JSON.parse(hook.got.at(-1).body).text, hook.got.at(-1).body);
    const shown = (await page.content()) + JSON.stringify(await ask('/api/v1/channels'));
    assert.ok(!/hook-of-secrets|a-secret-that/.test(shown));

    page.once('dialog', (asked) => asked.accept());
    await card.getByRole('button', { name: 'Remove' }).click();
    await page.getByText('No channel is set up yet').waitFor();
    assert.equal(await channel('pager'), undefined);
  });

  test('mail whose other members change keeps its password', async () => {
    await fetch(`${server.base}/api/v1/channels`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'mail', type: 'email', from: 'a@example.org', to: ['b@example.org'], server: 'mail.example.org', username: 'a', password: 'never-shown', timeout: '7s' }),
    });
    await show('#/alerts/channels');
    await page.locator('.channel', { hasText: 'mail' }).getByRole('button', { name: 'Change' }).click();
    await page.getByLabel('To', { exact: true }).fill('b@example.org, c@example.org');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('b@example.org, c@example.org').waitFor();
    const { to, secrets, timeout } = await channel('mail');
    assert.deepEqual({ to, secrets, timeout }, { to: ['b@example.org', 'c@example.org'], secrets: ['password'], timeout: '7s' });
    await fetch(`${server.base}/api/v1/channels/mail`, { method: 'DELETE' });
  });

  test('who would get an alert is asked from the alert itself', async () => {
    await fetch(`${server.base}/api/v1/channels`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'night', type: 'webhook', url: hook.at }),
    });
    await show('#/alerts');
    await page.locator('.alert').first().getByRole('link', { name: 'Who would get this' }).click();
    await page.locator('.plan b').getByText('night').waitFor();
    await page.getByLabel('Severity').selectOption('low');
    await page.getByRole('button', { name: 'Ask' }).click();
    await page.getByText('Nobody would be told.').waitFor();
    opened.expect(/status of 400/);
    await page.getByLabel('Kind').fill('nothing_like_this');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').waitFor();
    await fetch(`${server.base}/api/v1/channels/night`, { method: 'DELETE' });
  });

  test('a kind is silenced for a day with a reason, undone, and ended', async () => {
    await show('#/alerts');
    await page.locator('.alert', { hasText: '203.0.113.9' }).first().getByRole('link', { name: 'Silence…' }).click();
    await page.locator('.preview').getByText(/It would have hidden [1-9]/).waitFor();
    const hidden = async () => Number(/hidden (\d+)/.exec(await page.locator('.preview').innerText())[1]);
    const few = await hidden();
    await page.getByLabel('Host').fill('nothing-*');
    await page.getByText('It would have hidden 0 alerts').waitFor();
    await page.getByLabel('Host').fill('*');
    await page.waitForFunction((n) => Number(/hidden (\d+)/.exec(document.querySelector('.preview').innerText)?.[1]) >= n, few);
    await page.getByRole('button', { name: '1 d' }).click();
    await page.getByLabel('Reason').fill('a test of <b>ours</b>');
    await page.keyboard.press('Enter');
    const row = page.getByRole('row', { name: /a test of <b>ours<\/b>/ });
    await row.getByText('active').waitFor();
    let [made] = (await ask('/api/v1/silences')).silences;
    const hours = (Date.parse(made.until) - Date.now()) / 3_600_000;
    assert.ok(hours > 23.9 && hours < 24.1, `${hours} h`);
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByText('Undone.').waitFor();
    assert.ok((await ask('/api/v1/silences')).silences.every((one) => !one.is_active));
    await page.getByLabel('Kind').fill('log_tampering');
    await page.getByLabel('Reason').fill('another');
    await page.getByRole('button', { name: 'Silence', exact: true }).click();
    await page.getByRole('row', { name: /another/ }).getByRole('button', { name: 'End' }).click();
    await page.getByText('Ended: people are told again.').waitFor();
    [made] = (await ask('/api/v1/silences')).silences;
    assert.ok(!made?.is_active);
  });
});
