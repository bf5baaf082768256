// Signing in and out, and a service that goes away and comes back.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { AxeBuilder } from '@axe-core/playwright';
import { launch, open, settled } from './page.mjs';
import { start } from './server.mjs';

const KEY = 'a-key-that-is-long-enough-for-tests-0001';

describe('the service', () => {
  let browser;
  /** One that ends with the test, however that ends. */
  const service = async (t, ...settings) => {
    const server = await start(...settings);
    t.after(() => server.stop());
    return server;
  };
  before(async () => {
    browser = await launch();
  });
  after(() => browser?.close());

  test('asks who comes, and lets out again', async (t) => {
    const server = await service(t, { API_KEYS: KEY });
    const { page, wrong, expect } = await open(browser, { base: server.base, width: 390, height: 844 });
    expect(/status of 401/);
    await page.goto(`${server.base}/#/settings/health`);
    await page.getByLabel('Key').fill('wrong-key-wrong-key-wrong-key');
    const { violations } = await new AxeBuilder({ page }).analyze();
    assert.deepEqual(violations.map(({ id }) => id), []);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').waitFor();
    await page.getByLabel('Key').fill(KEY);
    await page.keyboard.press('Enter');
    // It goes on where it was to go.
    await page.getByRole('heading', { name: 'Where every event is' }).waitFor();
    // A write brings the token; without it the same is refused.
    const bare = await page.evaluate(async () => (await fetch('/api/v1/keys', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"scopes":["read"]}' })).status);
    assert.equal(bare, 403);
    expect(/status of 403/);
    await page.goto(`${server.base}/#/settings/keys`);
    await page.getByLabel('Name').fill('grafana');
    await page.getByRole('button', { name: 'Make a key' }).click();
    await page.getByRole('dialog').locator('code').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('row', { name: /grafana/ }).waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Key').waitFor();
    assert.equal(await page.evaluate(async () => (await fetch('/api/v1/signals')).status), 401);
    assert.deepEqual(wrong.filter((one) => !/status of 40[13]/.test(one)), []);
  });

  test('the first key locks it, and whoever made that goes on; then an agent is added and removed', async (t) => {
    const server = await service(t);
    const { page, wrong, expect } = await open(browser, { base: server.base });
    expect(/status of 401/);
    await page.goto(`${server.base}/#/settings/agents`);
    await page.getByRole('link', { name: 'Make a key' }).click();
    // The place that is left has a field of the same name.
    await page.getByRole('button', { name: 'Make a key' }).waitFor();
    // What is still being asked when the first key locks it is refused, before the page has the key.
    await page.route('**/api/v1/keys', async (route) => {
      const response = await route.fetch();
      if (route.request().method() === 'POST') {
        await page.evaluate(async () => {
          const { ask } = await import(new URL('api.js', document.querySelector('script[type=module][src]').src).href);
          await ask('/api/v1/signals').catch(() => undefined);
        });
      }
      await route.fulfill({ response });
    });
    await page.getByLabel('Name').fill('<b>mine</b>');
    await page.getByLabel('Name').press('Enter');
    const dialog = page.getByRole('dialog');
    await dialog.waitFor();
    const key = await dialog.locator('code').innerText();
    assert.match(key, /^ls_/);
    await page.keyboard.press('Escape');
    await page.getByRole('row', { name: '<b>mine</b>' }).waitFor();
    assert.equal((await fetch(`${server.base}/api/v1/signals`)).status, 401);
    await page.getByRole('link', { name: 'Agents' }).click();
    await page.getByRole('button', { name: 'Add an agent' }).waitFor();
    await page.getByLabel('Name').fill('web-9');
    await page.getByLabel('Name').press('Enter');
    await dialog.waitFor();
    assert.match(await dialog.locator('code').innerText(), /lse_/);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    page.once('dialog', (asked) => asked.accept());
    await page.getByRole('row', { name: /web-9/ }).getByRole('button', { name: 'Remove' }).click();
    await page.getByText('Removed.').waitFor();
    assert.deepEqual(wrong, []);
  });

  test('goes away and comes back: said calmly, and nothing typed is lost', async (t) => {
    let again;
    // Before the other, whose folder it has.
    t.after(() => again?.end());
    const server = await service(t);
    const { port } = new URL(server.base);
    const { page } = await open(browser, { base: server.base });
    await page.goto(`${server.base}/#/logs?from=now-1h`);
    await settled(page);
    await page.getByRole('combobox').fill('half a quer');
    await server.end();
    await page.keyboard.press('Enter');
    await page.getByText('The service is not reached').waitFor();
    assert.equal(await page.getByRole('combobox').inputValue(), 'half a quer');
    again = await start({}, { data: server.folder, port });
    await page.getByText('The service is not reached').waitFor({ state: 'detached', timeout: 40_000 });
    assert.equal(await page.getByRole('combobox').inputValue(), 'half a quer');
    await page.getByText('No logs yet').or(page.getByText('Nothing was found')).first().waitFor();
  });
});
