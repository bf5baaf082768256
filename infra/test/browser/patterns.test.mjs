// Patterns through the page: what became of them, and what people make of them, taken back again.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fill } from './data.mjs';
import { settled } from './page.mjs';
import { world } from './world.mjs';

describe('patterns', () => {
  let server;
  let page;
  const { show } = world((now) => {
    ({ server, page } = now);
  });
  const row = (text) => page.locator('.known tbody tr', { hasText: text });
  const template = async (id) => (await fetch(`${server.base}/api/v1/anomaly/templates/${id}`)).json();

  test('what is new is told apart from what was there before, with when it came', async () => {
    await show('#/patterns?period=24h');
    await row('order').first().waitFor();
    await page.waitForFunction(() => document.querySelectorAll('.sparkline rect').length > 20);
    // The attack of three hours ago stands in two bars at most.
    const bars = await row('connection to').first().locator('.sparkline rect').count();
    assert.ok(bars >= 1 && bars <= 2, `${bars} bars`);
    await page.getByRole('combobox', { name: /^Time/ }).selectOption('1h');
    await page.getByRole('button', { name: /^Gone/ }).click();
    await page.waitForFunction(() => location.hash.includes('change=gone'));
    await settled(page);
    for (const text of await page.locator('.known .change').allInnerTexts()) assert.equal(text, 'Gone');
    await page.getByRole('button', { name: /^New/ }).click();
    // Lines that try to be more than text came ten minutes ago, and never before.
    await row('window.pwned').first().waitFor();
    assert.equal(await page.evaluate(() => window.pwned), undefined);
  });

  test('a pattern is named, pinned and split, and each of these is taken back', async () => {
    await show('#/patterns?q=source:shop');
    await row('payment of order').first().getByRole('link').click();
    await page.getByRole('button', { name: 'Give it this name' }).waitFor();
    const id = await page.evaluate(() => location.hash.split(/[/?]/)[2]);
    await page.getByLabel('What people call it').fill('slow <b>payment</b>');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'slow <b>payment</b>' }).waitFor();
    assert.equal((await template(id)).name, 'slow <b>payment</b>');
    await page.getByRole('button', { name: 'Pin', exact: true }).click();
    await page.getByRole('button', { name: 'pinned' }).waitFor();
    assert.equal((await template(id)).pinned, true);
    const operations = page.locator('.brief li');
    await operations.nth(1).waitFor();
    await page.locator('.toast', { hasText: 'Done.' }).last().getByRole('button', { name: 'Undo' }).click();
    await page.getByRole('button', { name: 'Pin', exact: true }).waitFor();
    assert.equal((await template(id)).pinned, false);
    await page.getByLabel('By a line of it').fill('payment of order 4711 is slow: 8000 ms');
    await page.getByLabel('By a line of it').press('Enter');
    await page.locator('.brief b', { hasText: 'Split' }).waitFor();
    assert.equal((await template(id)).split, true);
    while (await page.getByRole('button', { name: 'Take back' }).count()) {
      const left = await page.getByRole('button', { name: 'Take back' }).count();
      await page.getByRole('button', { name: 'Take back' }).first().click();
      await page.waitForFunction((n) => [...document.querySelectorAll('.brief button')].length < n, left);
    }
    assert.equal((await template(id)).name, undefined);
  });

  test('two patterns become one, and two again', async () => {
    const send = (message) => fetch(`${server.base}/logs?wait=indexed`, { method: 'POST', headers: { 'content-type': 'application/x-ndjson' }, body: JSON.stringify({ level: 'info', source: 'pair', message }) });
    for (const message of ['heron gate opens wide', 'heron door shuts fast']) for (let n = 0; n < 3; n += 1) await send(message);
    await show('#/patterns?q=source:pair');
    await row('opens wide').waitFor();
    await row('shuts fast').waitFor();
    for (const at of [0, 1]) await page.locator('.known tbody input').nth(at).check();
    await page.getByRole('toolbar').getByRole('button', { name: 'Merge' }).click();
    await page.getByText('Done.').waitFor();
    const { operations } = await (await fetch(`${server.base}/api/v1/anomaly/templates/operations`)).json();
    assert.equal(operations.at(-1).operation, 'merge');
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByText('Undone.').waitFor();
    const after = await (await fetch(`${server.base}/api/v1/anomaly/templates/operations`)).json();
    assert.ok(after.operations.every((one) => one.operation !== 'merge'));
  });
});
