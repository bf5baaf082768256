// Models and anomalies through the page: trained, compared, switched and taken back; what was strange is judged and unjudged.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { AxeBuilder } from '@axe-core/playwright';
import { STRANGE } from './data.mjs';
import { world } from './world.mjs';

describe('models and anomalies', () => {
  let server;
  let page;
  const { show, ask } = world((now) => {
    ({ server, page } = now);
  });
  const serving = async () => (await ask('/api/v1/anomaly/model')).version;

  test('a model is trained, another one compared, let serve and taken back, and one is exported', async () => {
    await show('#/models');
    await page.getByRole('button', { name: 'Train', exact: true }).click();
    await page.getByText(/has learned from [\d,]+ events/).waitFor();
    const first = await serving();
    await page.getByRole('region', { name: 'The model that serves' }).getByText(first).waitFor();
    await page.getByText(/events, \d+ of them past the threshold/).first().waitFor();
    await page.locator('.scores line').waitFor({ state: 'attached' });
    await page.getByRole('button', { name: 'Train', exact: true }).click();
    await page.waitForFunction((version) => !document.querySelector('section[aria-label="The model that serves"]')?.textContent?.includes(version), first);
    const second = await serving();
    assert.notEqual(second, first);
    const row = page.getByRole('row', { name: new RegExp(first) });
    await row.getByRole('button', { name: 'Compare' }).click();
    await page.getByRole('dialog').getByText('Rank correlation').waitFor();
    await page.keyboard.press('Escape');
    await row.getByRole('button', { name: 'Let it serve' }).click();
    await page.getByText('It serves now.').waitFor();
    assert.equal(await serving(), first);
    await page.locator('.toast', { hasText: 'It serves now.' }).getByRole('button', { name: 'Undo' }).click();
    await page.getByText('Undone.').waitFor();
    assert.equal(await serving(), second);
    await page.getByRole('button', { name: 'Roll back' }).click();
    await page.getByText('The one before serves again.').waitFor();
    assert.notEqual(await serving(), second);
    const [file] = await Promise.all([page.waitForEvent('download'), row.first().getByRole('link', { name: 'Export' }).click()]);
    assert.ok((await readFile(await file.path())).length > 1000);
  });

  test('what was strange is seen by source, read, judged as expected, and that is taken back', async () => {
    const train = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ source: 'store', from: 'now-7d' }) };
    assert.equal((await fetch(`${server.base}/api/v1/anomaly/train`, train)).status, 200);
    await fetch(`${server.base}/logs?wait=indexed`, { ...train, body: JSON.stringify(STRANGE) });
    await show('#/anomalies');
    const row = page.getByRole('row', { name: /kernel panic/ });
    await row.waitFor();
    assert.ok((await page.locator('.lanes circle').count()) >= 2);
    assert.ok((await page.locator('.lanes figure').count()) >= 2, 'a lane for each source');
    await row.getByRole('button').focus();
    await page.keyboard.press('Enter');
    const drawer = page.getByRole('dialog');
    await drawer.getByText('first time this template is seen').waitFor();
    const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']).analyze();
    assert.deepEqual(violations.map(({ id, nodes }) => `${id} ${nodes[0].html}`), []);
    await drawer.locator('.now').waitFor();
    const { threshold } = await ask('/api/v1/anomaly/model');
    await drawer.getByRole('button', { name: 'Real' }).click();
    await page.getByText('Judged as real.').waitFor();
    await page.waitForFunction((n) => Number(/be (\d+\.?\d*)/.exec(document.querySelector('.now').textContent)[1]) >= n, Math.floor(threshold * 1000) / 1000);
    assert.equal((await ask('/api/v1/anomaly/feedback')).feedback.length, 1);
    await page.keyboard.press('Escape');
    await drawer.waitFor({ state: 'detached' });
    await page.getByRole('row', { name: /real/ }).getByRole('button', { name: 'Take back' }).click();
    await page.getByText('Taken back.').waitFor();
    assert.equal((await ask('/api/v1/anomaly/feedback')).feedback.length, 0);
    await row.getByRole('button').click();
    await drawer.getByRole('button', { name: 'Expected' }).click();
    await page.getByText('Judged as expected.').waitFor();
    assert.equal((await ask('/api/v1/anomaly/feedback')).feedback[0].label, 'normal');
    await page.waitForFunction((n) => Number(/be (\d+\.?\d*)/.exec(document.querySelector('.now').textContent)[1]) < n, threshold);
    // What was said last is undone where it was said, the drawer still open or not.
    await page.keyboard.press('Escape');
    await page.locator('.toast', { hasText: 'Judged as expected.' }).getByRole('button', { name: 'Undo' }).click();
    await page.waitForFunction(() => !document.querySelector('.given'));
    assert.equal((await ask('/api/v1/anomaly/feedback')).feedback.length, 0);
  });
});
