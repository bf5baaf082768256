// Rules through the page: found, read, tried; a file of one's own written with its faults at their lines, and taken back.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { AxeBuilder } from '@axe-core/playwright';
import { fill } from './data.mjs';
import { world } from './world.mjs';

const RULE = `title: No space at the shop
id: 7b7a3f0e-2a55-4c5e-9a44-1a2b3c4d5e6f
logsource:
  product: linux
detection:
  words:
    - No space left on device
  condition: words
level: high
`;

describe('rules', () => {
  let server;
  let page;
  const { show } = world((now) => {
    ({ server, page } = now);
  });
  const onDisk = (name) => readFile(join(server.folder, 'rules', name), 'utf8');

  test('a rule is found by its words, read, and tried on the last 24 hours', async () => {
    await show('#/rules');
    const all = await page.locator('.rules tbody tr').count();
    assert.ok(all > 20, `${all}`);
    await page.getByLabel('Words in rules').fill('sudo');
    await page.waitForFunction((n) => document.querySelectorAll('.rules tbody tr').length < n, all);
    await page.locator('.rules tbody a').first().focus();
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Try on the last 24 hours' }).click();
    await page.getByText(/events? (was|were) looked at/).waitFor();
    assert.match(await page.locator('pre.json').innerText(), /detection:/);
    // Who is told too often by it silences it from here.
    await page.getByRole('link', { name: 'Silence…' }).click();
    await page.getByLabel('Reason').fill('deployments until tomorrow');
    assert.match(await page.getByLabel('Rule').inputValue(), /^[\w-]{3,}$/);
    await page.getByRole('button', { name: 'Silence', exact: true }).click();
    await page.getByText('Nobody is told of these.').waitFor();
    await page.getByRole('row', { name: /rule .*deployments until tomorrow/ }).waitFor();
    await page.goBack();
    await page.getByRole('link', { name: 'All rules' }).click();
    assert.equal(await page.getByLabel('Words in rules').inputValue(), 'sudo');
  });

  test('a file is written, its faults at their lines, tried, changed, compared, rolled back, removed and brought back', async () => {
    await show('#/rules/files');
    await page.getByRole('button', { name: 'A new file' }).click();
    await page.getByLabel('File', { exact: true }).fill('shop.yml');
    const area = page.getByRole('textbox', { name: 'A new file' });
    await area.fill(RULE.replace('condition: words', 'condition: wrds').replace('level: high', 'level: hgh'));
    await page.locator('.faults li').first().waitFor();
    const line = /Line (\d+)/.exec(await page.locator('.faults').innerText())?.[1];
    assert.ok(Number(line) > 1, `line ${line}`);
    assert.equal(await page.locator('.gutter .wrong').first().innerText(), line);
    await page.locator('.faults button').first().click();
    assert.ok(await area.evaluate((one) => document.activeElement === one && one.selectionEnd > one.selectionStart), 'the line is chosen');
    const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']).analyze();
    assert.deepEqual(violations.map(({ id, nodes }) => `${id} ${nodes[0].html}`), []);
    assert.ok(await page.getByRole('button', { name: 'Save' }).isDisabled());
    // What was typed is there after looking elsewhere.
    await page.goto(`${server.base}/#/alerts`);
    await page.goBack();
    assert.match(await area.inputValue(), /wrds/);
    await area.fill(RULE);
    await page.getByText('Nothing is wrong with it.').waitFor();
    await page.getByRole('button', { name: 'Try on the last 24 hours' }).click();
    await page.getByText('would have told once').waitFor();
    await page.locator('.trial .evidence', { hasText: 'No space left on device' }).waitFor();
    await page.getByLabel('File', { exact: true }).fill('shop.yml');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Saved, and read again.').waitFor();
    assert.equal(await onDisk('shop.yml'), RULE);

    const kept = page.getByRole('textbox', { name: 'shop.yml' });
    await kept.waitFor();
    await kept.fill(RULE.replace('level: high', 'level: low'));
    await page.getByText('Nothing is wrong with it.').waitFor();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('button', { name: 'What differs' }).click();
    await page.locator('.diff .added', { hasText: 'level: high' }).waitFor();
    await page.locator('.diff .gone', { hasText: 'level: low' }).waitFor();
    await page.getByRole('button', { name: 'Roll back' }).click();
    await page.getByText('Rolled back.').waitFor();
    await page.waitForFunction(() => document.querySelector('.editor textarea')?.value.includes('level: high'));
    assert.equal(await onDisk('shop.yml'), RULE);
    page.once('dialog', (asked) => asked.accept());
    await page.getByRole('button', { name: 'Remove' }).click();
    await page.getByText('Removed.').waitFor();
    await assert.rejects(onDisk('shop.yml'));
    await page.getByText('Removed.').locator('..').getByRole('button', { name: 'Undo' }).click();
    await kept.waitFor();
    assert.equal(await onDisk('shop.yml'), RULE);
  });

  test('a rule that comes along becomes one of one’s own', async () => {
    await show('#/rules?origin=shipped');
    await page.locator('.rules tbody a').first().click();
    await page.getByRole('link', { name: 'Write one of my own from it' }).click();
    await page.locator('.editor textarea').waitFor();
    await page.getByLabel('File', { exact: true }).fill('mine/copy.yml');
    await page.getByText('Nothing is wrong with it.').waitFor();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Saved, and read again.').waitFor();
    assert.match(await onDisk('mine/copy.yml'), /^title: /m);
  });
});
