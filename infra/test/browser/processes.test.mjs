// Processes through the page: found in the tree, as of another moment, by what is new and by rules; and asked in SQL.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { settled } from './page.mjs';
import { world } from './world.mjs';

describe('processes', () => {
  let page;
  let opened;
  const { show } = world((now) => {
    opened = now.opened;
    ({ page } = now);
  });
  const names = () => page.locator('table.processes .name').allInnerTexts();

  test('who started the miner, from its signal, by keyboard', async () => {
    await show('#/processes');
    await page.getByRole('row', { name: /web-1/ }).getByText('6 signals').waitFor();
    await page.getByRole('link', { name: 'web-1', exact: true }).click();
    await page.getByRole('treegrid').waitFor();
    assert.ok((await names()).length > 12);
    assert.ok(!(await names()).includes('kthreadd'), 'threads of the kernel are left out');
    await page.keyboard.press('/');
    await page.keyboard.type('pool 203');
    await page.waitForFunction(() => document.querySelectorAll('table.processes tbody tr').length === 5);
    assert.deepEqual(await names(), ['systemd', 'nginx', 'nginx', 'sh', 'kworker/u8:3']);
    await page.locator('table.processes tbody tr').first().focus();
    for (let n = 0; n < 4; n += 1) await page.keyboard.press('j');
    assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('aria-level')), '5');
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('ArrowLeft');
    await page.waitForFunction(() => document.querySelectorAll('table.processes tbody tr').length === 4);
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');
    const drawer = page.getByRole('dialog');
    await drawer.getByText('/tmp/.x/kworker --threads 4').first().waitFor();
    assert.match(await drawer.innerText(), /its file is gone[\s\S]*Started by\s*sh\s*2290/);
    await drawer.getByRole('link', { name: /deleted/ }).click();
    await page.getByRole('heading', { name: /whose file was deleted/ }).waitFor();
    await page.getByRole('link', { name: 'Show the process' }).click();
    await drawer.getByText('/tmp/.x/kworker --threads 4').first().waitFor();
    await page.keyboard.press('Escape');
    await drawer.waitFor({ state: 'detached' });
  });

  test('what is new, what changed and what ended since', async () => {
    await show('#/processes?host=web-1');
    await page.getByLabel('New since').selectOption('1h');
    await page.getByText('2 new, 1 changed').waitFor();
    await page.locator('table.processes .chip.new').first().waitFor();
    const marked = await page.locator('table.processes tbody tr:not(.ancestor) .name').allInnerTexts();
    assert.deepEqual(marked, ['sh', 'kworker/u8:3', 'shop']);
    await page.getByRole('region', { name: /changed and ended/ }).getByRole('row', { name: /ended backup/ }).first().waitFor();
    await page.getByLabel('Order').selectOption('memory');
    await page.getByRole('grid').waitFor();
    assert.deepEqual(await names(), ['shop', 'kworker/u8:3', 'sh']);
  });

  test('what ran at another moment', async () => {
    await show('#/processes?host=web-1');
    assert.ok(!(await names()).includes('backup'));
    // It ran from 30 minutes before the data was made to 28 minutes before. A clock of the zone that the browser has.
    const { started, ended } = await page.evaluate(async () => {
      const sql = "SELECT min(timestamp) AS started, max(timestamp) AS ended FROM process_events WHERE name = 'backup'";
      const answer = await fetch('/api/v1/sql', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ sql }) });
      const { rows } = await answer.json();
      return { started: Date.parse(rows[0][0]), ended: Date.parse(rows[0][1]) };
    });
    const text = await page.evaluate((at) => {
      const date = new Date(at);
      return new Date(at - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
    }, (started + ended) / 2);
    await page.getByLabel('As of').fill(text);
    await page.keyboard.press('Tab');
    await page.locator('table.processes .name', { hasText: 'backup' }).waitFor();
    await page.getByRole('button', { name: 'Now', exact: true }).click();
    await page.locator('table.processes .name', { hasText: 'backup' }).waitFor({ state: 'detached' });
    await page.goBack();
    await page.locator('table.processes .name', { hasText: 'backup' }).waitFor();
  });

  test('a question in SQL: its fault at its place, explained, answered, downloaded', async () => {
    opened.expect(/status of 400/);
    await show('#/processes/sql');
    const area = page.getByRole('textbox', { name: 'Question in SQL' });
    await area.fill('SELECT name, port\nFROM listening_ports l JOIN processes p USING (host, pid)\nWHERE nam = 1');
    await page.keyboard.press('Control+Enter');
    await page.getByRole('button', { name: 'Line 3, column 7' }).click();
    assert.equal(await area.evaluate((one) => one.value.slice(one.selectionStart, one.selectionEnd)), 'nam');
    assert.equal(await page.locator('.gutter .wrong').innerText(), '3');
    await page.keyboard.type('port');
    await page.keyboard.press('End');
    await page.keyboard.press('Backspace');
    await page.keyboard.type('22');
    await page.keyboard.press('Control+Enter');
    await page.getByRole('region', { name: 'Answer' }).getByRole('row', { name: 'sshd 22' }).first().waitFor();
    assert.match(await page.locator('section', { hasText: 'rows read in' }).last().innerText(), /2 rows/);
    await page.getByRole('button', { name: 'Explain' }).click();
    await page.locator('.explained pre', { hasText: 'SCAN' }).waitFor();
    const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'CSV' }).click()]);
    assert.equal((await readFile(await file.path(), 'utf8')).trim(), 'name,port\r\nsshd,22\r\nsshd,22');
    // One that is refused leaves the last answer where it is; a link leads to the question again.
    await area.fill('DELETE FROM processes');
    await page.keyboard.press('Control+Enter');
    await page.getByRole('alert').getByText('not allowed here').waitFor();
    await page.getByRole('region', { name: 'Answer' }).getByRole('row', { name: 'sshd 22' }).first().waitFor();
    await page.goBack();
    await page.reload();
    await settled(page);
    await page.getByRole('region', { name: 'Answer' }).getByRole('row', { name: 'sshd 22' }).first().waitFor();
    // A column goes where the cursor is.
    await area.fill('SELECT ');
    await page.locator('.tables summary', { hasText: /^hosts/ }).click();
    await page.locator('.tables').getByRole('button', { name: 'last_seen' }).click();
    assert.equal(await area.inputValue(), 'SELECT last_seen');
  });
});
