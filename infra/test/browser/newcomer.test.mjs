// What stopped somebody who had only the page: each of it, as it is now.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { world } from './world.mjs';

const MINUTE = 60_000;

describe('somebody new', () => {
  let server;
  let page;
  const { show, ask } = world((now) => {
    ({ server, page } = now);
  });
  const send = async (path, body, method = 'POST') => {
    const answer = await fetch(server.base + path, { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
    assert.ok(answer.ok, `${method} ${path}: ${answer.status}`);
  };
  const moved = () => page.evaluate(() => globalThis.moved);

  test('a tail that is stopped keeps what it showed, and counts it', async () => {
    // Of these alone: others leave the quarter of an hour meanwhile.
    await show('#/logs?from=now-15m&q=source:tail');
    await page.getByRole('button', { name: 'Live' }).click();
    await page.locator('.live-state .live-mark.on').waitFor();
    const count = async () => Number((await page.locator('.found').innerText()).replace(/\D/g, ''));
    assert.equal(await count(), 0);
    await send('/logs', Array.from({ length: 7 }, (_, n) => ({ level: 'info', source: 'tail', message: `seen live ${n}` })));
    await page.locator('.rows .line', { hasText: 'seen live 6' }).waitFor();
    assert.equal(await count(), 7);
    await page.getByRole('button', { name: 'Live' }).click();
    await page.locator('.live-state').waitFor({ state: 'detached' });
    await page.waitForFunction((n) => Number(document.querySelector('.found')?.textContent?.replace(/\D/g, '')) === n, 7);
    assert.equal(await page.locator('.rows .line', { hasText: 'seen live' }).count(), 7);
  });

  test('a signal that is judged says what became of its confidence', async () => {
    await show('#/signals');
    await page.locator('.inbox a.row').first().click();
    await page.locator('article.signal').waitFor();
    const id = await page.locator('.inbox li[aria-current]').getAttribute('data-id');
    const percent = async () => Math.round((await ask(`/api/v1/signals/${id}`)).confidence * 100);
    const before = await percent();
    await page.getByRole('button', { name: 'Expected or real' }).click();
    await page.getByRole('button', { name: 'Expected, this one' }).click();
    const said = await page.locator('.toast', { hasText: 'Judged as expected.' }).innerText();
    assert.match(said, new RegExp(`Confidence ${before} % → ${await percent()} %\\.`));
    assert.notEqual(await percent(), before);
  });

  test('a strange event names the score from which on it is strange, and only those before it', async () => {
    await send('/api/v1/anomaly/train', { source: 'store', from: 'now-7d' });
    const odd = (at) => ({ timestamp: new Date(at).toISOString(), level: 'fatal', source: 'shop', host: 'web-1', message: `order ${at % 100_000} placed in 7 ms` });
    const now = Date.now();
    await send('/logs?wait=indexed', [odd(now - 9000), odd(now - 6000), odd(now - 3000)]);
    const { hits } = await ask(`/api/v1/search?q=${encodeURIComponent('sentinel.anomaly.is_anomaly:true AND level:fatal AND placed')}&order=asc`);
    assert.ok(hits.length >= 2, `${hits.length}`);
    const { threshold } = await ask('/api/v1/anomaly/model');
    await show(`#/anomalies/${hits[1]._id}`);
    const drawer = page.getByRole('dialog');
    await drawer.getByText(`Strange is what scores ${Math.round(threshold * 1000) / 1000} or more.`).waitFor();
    const similar = drawer.locator('section', { hasText: 'Similar strange ones before' });
    await similar.waitFor();
    assert.deepEqual(await similar.locator('a').evaluateAll((all) => all.map((one) => new URLSearchParams(one.hash.split('?')[1]).get('event'))), [hits[0]._id]);
  });

  test('from a signal about a host to what it measured then, and what held the memory', async () => {
    const night = Date.now() - 4 * 60 * MINUTE;
    for (let minute = 0; minute < 12; minute += 1) {
      const isFull = minute > 4;
      await send('/data', {
        agent_name: 'db-2',
        timestamp: new Date(night + minute * MINUTE).toISOString(),
        interval: 60,
        metrics: { cpu: { percent: 20 }, ram: { percent: isFull ? 97 : 40, total: 16e9 }, top: [{ pid: 7, name: 'busy', cpu_percent: 30, rss_bytes: 1e8 }, { pid: 8, name: 'report', cpu_percent: 2, rss_bytes: isFull ? 12e9 : 2e8 }] },
      });
    }
    const { signals } = await ask('/api/v1/signals?wait=detected&kind=host_memory&entity=host:db-2');
    assert.equal(signals.length, 1);
    await show(`#/signals/${signals[0].id}?view=all`);
    await page.getByRole('link', { name: 'Show the host then' }).click();
    await page.getByRole('heading', { name: 'db-2' }).waitFor();
    assert.equal(await page.getByRole('button', { name: '6 h' }).getAttribute('aria-pressed'), 'true');
    const table = page.getByRole('region', { name: 'Processes that used most' }).last();
    await page.getByText('Measured at').waitFor();
    const first = () => table.locator('tbody tr').first().innerText();
    assert.match(await first(), /busy/);
    await table.getByRole('button', { name: 'Memory' }).click();
    assert.match(await first(), /report[\s\S]*12 GB/);
    assert.equal(await table.getByRole('columnheader', { name: 'Memory' }).getAttribute('aria-sort'), 'descending');
  });

  test('a host does not move as it comes, nor while the pointer is over its charts', async () => {
    await page.addInitScript(() => {
      globalThis.moved = 0;
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) globalThis.moved += entry.value;
      }).observe({ type: 'layout-shift', buffered: true });
    });
    await show('#/hosts/web-2?width=24h');
    await page.locator('.chart polyline').last().waitFor();
    await page.locator('.brief a').first().waitFor();
    assert.ok((await moved()) <= 0.05, `${await moved()}`);
    const chart = page.locator('.chart.two');
    const height = async () => (await chart.boundingBox()).height;
    const before = await height();
    await chart.locator('svg').hover();
    await page.locator('.chart .cross').first().waitFor({ state: 'attached' });
    assert.equal(await height(), before);
    assert.match(await chart.locator('.axis').innerText(), /\d\d:\d\d:\d\d\s+\d\d:\d\d:\d\d/);
  });

  test('what is found without a rule file is no dead end among the rules', async () => {
    await show('#/rules?words=ssh_brute_force');
    await page.getByText('No rule is like that').waitFor();
    await page.getByRole('link', { name: 'Silence a kind' }).click();
    await page.getByRole('heading', { name: 'Tell nobody for a while' }).waitFor();
  });

  test('a rule in SQL says when it is asked', async () => {
    const rule = (name, when, table) => `-- id: ${name}\n-- title: ${name}\n-- severity: low\n${when}\nSELECT name AS process, host FROM ${table} WHERE name = 'nobody-has-this'\n`;
    await send('/api/v1/rule-files/rows.sql', { text: rule('rows-asked', '-- on: process_events', 'process_events') }, 'PUT');
    await send('/api/v1/rule-files/time.sql', { text: rule('time-asked', '-- every: 10m', 'processes') }, 'PUT');
    await show('#/rules?words=-asked');
    await page.getByRole('row', { name: /rows-asked/ }).getByText('on: new rows of process_events').waitFor();
    await page.getByRole('row', { name: /time-asked/ }).getByText('every 10 min').waitFor();
    await page.getByRole('link', { name: 'rows-asked' }).click();
    await page.locator('.facts', { hasText: 'on: new rows of process_events' }).waitFor();
  });

  test('from the hosts to an agent; the first key is listed as soon as it is made', async () => {
    await show('#/hosts');
    await page.getByRole('link', { name: 'Add an agent' }).click();
    await page.getByRole('link', { name: 'Make a key' }).click();
    await page.getByLabel('Name').fill('ada');
    await page.getByRole('button', { name: 'Make a key' }).click();
    const made = page.getByRole('dialog', { name: 'The new key' });
    await made.waitFor();
    await page.locator('td', { hasText: 'ada' }).waitFor();
    assert.ok(await made.isVisible(), 'the key is still shown');
    await page.keyboard.press('Escape');
    await page.getByRole('link', { name: 'Agents' }).click();
    await page.getByLabel('Name').fill('web-3');
    await page.getByRole('button', { name: 'Add an agent' }).click();
    // What to do with the answer, too.
    await page.getByRole('dialog', { name: 'Enrol web-3' }).getByText(`log-sentinel agent --url ${server.base}`).waitFor();
  });
});
