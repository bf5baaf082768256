// What people come for, done through the page, most of it by keyboard alone.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { fill } from './data.mjs';
import { settled } from './page.mjs';
import { world } from './world.mjs';

describe('tasks', () => {
  let server;
  let opened;
  let page;
  const { show } = world((now) => {
    ({ server, opened, page } = now);
  });
  const send = async (records) => {
    const body = records.map((one) => JSON.stringify(one)).join('\n');
    const answer = await fetch(`${server.base}/logs`, { method: 'POST', headers: { 'content-type': 'application/x-ndjson' }, body });
    assert.equal(answer.status, 200);
  };
  const signal = async (id) => (await fetch(`${server.base}/api/v1/signals/${id}`)).json();
  const says = (text) => page.getByText(text, { exact: false }).first().waitFor();

  test('who attacked, and when', async () => {
    await show('#/overview');
    await page.getByRole('link', { name: /failed SSH logins from 203\.0\.113\.9/ }).click();
    await page.getByRole('heading', { name: /failed SSH logins/ }).waitFor();
    const text = await page.locator('article.signal').innerText();
    assert.match(text, /203\.0\.113\.9 failed to log in over SSH 60 times on gate/);
    assert.match(text, /\d\d:\d\d:\d\d/);
    // On to the lines themselves.
    await page.getByRole('link', { name: 'Show its logs' }).click();
    await page.locator('.rows .line').first().waitFor();
    await says('61 events');
  });

  test('a signal by keyboard: next, acknowledge, undo, resolve, note', async () => {
    await show('#/signals');
    await page.locator('.inbox li').first().waitFor();
    await page.keyboard.press('j');
    await page.locator('article.signal h2').waitFor();
    const id = await page.locator('.inbox li[aria-current]').getAttribute('data-id');
    await page.keyboard.press('a');
    await says('Acknowledged.');
    await page.locator('article.signal .state.acknowledged').waitFor();
    assert.equal((await signal(id)).state, 'acknowledged');
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.locator('article.signal .state.reopened').waitFor();
    assert.equal((await signal(id)).state, 'reopened');
    await page.keyboard.press('n');
    await page.keyboard.type('looked at it <b>twice</b>');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.locator('.timeline .note', { hasText: 'looked at it <b>twice</b>' }).waitFor();
    await page.keyboard.press('e');
    await page.locator('article.signal .state.resolved').waitFor();
    assert.equal((await signal(id)).state, 'resolved');
    await page.getByRole('button', { name: 'Reopen' }).click();
    await page.locator('article.signal .state.reopened').waitFor();
  });

  test('a wrong judgement is taken back, a snooze and an assignment too', async () => {
    await show('#/signals');
    await page.locator('.inbox li').first().waitFor();
    await page.locator('.inbox a.row').first().click();
    await page.locator('article.signal').waitFor();
    const id = await page.locator('.inbox li[aria-current]').getAttribute('data-id');
    const before = await signal(id);
    await page.getByRole('button', { name: 'Expected or real' }).click();
    await page.getByRole('button', { name: 'Expected, this one' }).click();
    await says('Judged as expected.');
    assert.equal((await signal(id)).label, 'expected');
    assert.ok((await signal(id)).confidence < before.confidence);
    await page.getByRole('button', { name: 'Undo' }).click();
    await says('Undone.');
    assert.equal((await signal(id)).label, null);
    assert.equal((await signal(id)).confidence, before.confidence);
    await page.getByRole('button', { name: 'Snooze' }).click();
    await page.getByRole('button', { name: 'For 4 hours' }).click();
    await page.getByText('Snoozed until').waitFor();
    assert.ok((await signal(id)).snoozed_until);
    await page.getByRole('button', { name: 'Assign' }).click();
    await page.getByLabel('To whom').fill('ada');
    await page.keyboard.press('Enter');
    await page.getByText('Looked after by').waitFor();
    assert.equal((await signal(id)).assignee, 'ada');
  });

  test('several signals at once', async () => {
    await show('#/signals');
    await page.locator('.inbox li').nth(1).waitFor();
    for (const at of [0, 1]) await page.locator('.inbox input[type=checkbox]').nth(at).check();
    await page.getByRole('toolbar').getByRole('button', { name: 'Acknowledge' }).click();
    await says('Acknowledged. 2 signals');
    const { total } = await (await fetch(`${server.base}/api/v1/signals?state=acknowledged&limit=0`)).json();
    assert.ok(total >= 2, `${total}`);
    await page.getByRole('button', { name: 'Undo' }).click();
    await says('Undone.');
  });

  test('a new signal comes by itself, and the list does not move under the reader', async () => {
    await show('#/signals');
    await page.locator('.inbox li').first().waitFor();
    await page.locator('.live-mark.on').first().waitFor();
    const before = await page.locator('.inbox li').count();
    const now = Date.now();
    await send(Array.from({ length: 12 }, (_, n) => ({ timestamp: new Date(now - 20_000 + n * 1000).toISOString(), level: 'info', source: 'sshd', host: 'gate', message: `Failed password for admin from 198.51.100.77 port 4${3000 + n} ssh2` })));
    await page.getByRole('button', { name: /new signal/ }).waitFor();
    assert.equal(await page.locator('.inbox li').count(), before);
    await page.getByRole('button', { name: /new signal/ }).click();
    await page.locator('.inbox li', { hasText: '198.51.100.77' }).first().waitFor();
  });

  test('a query with completion; a wrong one keeps what was found', async () => {
    opened.expect(/status of 400/);
    await show('#/logs?from=now-24h');
    await page.keyboard.press('/');
    await page.keyboard.type('service.n');
    await page.getByRole('option', { name: /^service\.name/ }).waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.getByRole('option', { name: /^postgres/ }).waitFor();
    await page.keyboard.type('postg');
    await page.waitForFunction(() => document.querySelectorAll('#completions [role=option]').length === 1);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => location.hash.includes('q=service.name%3Apostgres'));
    await says('level');
    await page.waitForFunction(() => [...document.querySelectorAll('.rows .line .before')].every((one) => / postgres +db-1/.test(one.textContent ?? '')));
    assert.ok((await page.locator('.rows .line').count()) > 5);
    await page.getByRole('combobox').fill('service.name:(postgres');
    await page.keyboard.press('Enter');
    await page.locator('.query-wrong').waitFor();
    assert.ok((await page.locator('.query-wrong').innerText()).length > 20);
    assert.equal(await page.getByRole('combobox').inputValue(), 'service.name:(postgres');
    assert.ok((await page.locator('.rows .line').count()) > 5, 'the last good answer stays');
  });

  test('an event by keyboard, its neighbours, a filter of its fields', async () => {
    await show('#/logs?from=now-24h&q=level:fatal');
    await page.locator('.rows .line').first().waitFor();
    await page.keyboard.press('j');
    await page.keyboard.press('e');
    await page.locator('aside.event').waitFor();
    assert.match(await page.locator('.event-text').innerText(), /No space left on device/);
    await page.keyboard.press('a');
    await page.locator('.around li.this').waitFor();
    assert.ok((await page.locator('.around li').count()) > 5);
    await page.getByRole('button', { name: 'Fields', exact: true }).last().click();
    await page.locator('aside.event').getByRole('button', { name: 'Without host.name db-1' }).click();
    await page.waitForFunction(() => decodeURIComponent(location.hash.replaceAll('+', ' ')).includes('level:fatal AND NOT host.name:db-1'));
    await says('Nothing was found');
    await page.goBack();
    await page.locator('.rows .line').first().waitFor();
  });

  test('a range is drawn over the histogram, and the way back leads back', async () => {
    await show('#/logs?from=now-24h');
    const plot = page.locator('.histogram svg');
    const box = await plot.boundingBox();
    await page.mouse.move(box.x + box.width * 0.8, box.y + 40);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.95, box.y + 40, { steps: 5 });
    await page.mouse.up();
    await page.waitForFunction(() => /from=2\d{3}-/.test(location.hash) && /to=2\d{3}-/.test(location.hash));
    const { from, to } = await page.evaluate(() => Object.fromEntries(new URLSearchParams(location.hash.split('?')[1])));
    const hours = (Date.parse(to) - Date.parse(from)) / 3_600_000;
    assert.ok(hours > 3 && hours < 4.2, `${hours} h`);
    await page.goBack();
    await page.waitForFunction(() => location.hash.includes('from=now-24h'));
  });

  test('a live tail pauses while it is read, and says how much is new', async () => {
    await show('#/logs?from=now-24h');
    await page.keyboard.press('l');
    await page.locator('.live-state .live-mark.on').waitFor();
    await send(Array.from({ length: 80 }, (_, n) => ({ level: 'info', source: 'tail', message: `tail one ${n}` })));
    await page.locator('.rows .line', { hasText: 'tail one 79' }).waitFor();
    await page.locator('.rows').evaluate((rows) => {
      rows.scrollTop = 400;
    });
    await says('paused');
    const top = await page.locator('.rows').evaluate((rows) => rows.scrollTop);
    await send(Array.from({ length: 5 }, (_, n) => ({ level: 'info', source: 'tail', message: `tail two ${n}` })));
    await page.getByRole('button', { name: '5 new lines' }).waitFor();
    assert.equal(await page.locator('.rows').evaluate((rows) => rows.scrollTop), top);
    await page.getByRole('button', { name: '5 new lines' }).click();
    await page.locator('.rows .line', { hasText: 'tail two 4' }).waitFor();
  });

  test('what is on the screen is downloaded and copied', async () => {
    await show('#/logs?from=now-24h&q=level:error AND source:shop');
    await page.getByRole('button', { name: 'Download' }).click();
    const [csv] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: /CSV/ }).click()]);
    const lines = (await readFile(await csv.path(), 'utf8')).trim().split('\n');
    assert.equal(lines.length, 181);
    assert.match(lines[0], /@timestamp.*service\.name.*message/);
    await page.getByRole('button', { name: 'Download' }).click();
    const [ndjson] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: /NDJSON/ }).click()]);
    assert.equal((await readFile(await ndjson.path(), 'utf8')).trim().split('\n').length, 180);
    await page.getByRole('button', { name: 'Download' }).click();
    await page.getByRole('button', { name: 'As a curl command' }).click();
    await says('Copied.');
    const command = await page.evaluate(() => navigator.clipboard.readText());
    assert.match(command, /^curl 'http:\/\/127\.0\.0\.1:\d+\/api\/v1\/search\?q=level%3Aerror\+AND\+source%3Ashop&from=2\d{3}-.*&to=2\d{3}-/);
  });

  test('lines that are chosen in the list are copied whole, and resting on a time shows UTC', async () => {
    const message = `begin ${'x'.repeat(400)} end`;
    await send(['one', 'two'].map((name) => ({ level: 'info', source: 'copy', host: 'web-1', message: `${name} ${message}` })));
    await show('#/logs?from=now-1h&q=source:copy');
    const lines = page.locator('.rows .line');
    await lines.nth(1).waitFor();
    assert.match(await lines.first().innerText(), /x…$/);
    await page.evaluate(() => getSelection()?.selectAllChildren(document.querySelector('.rows .block')));
    await page.keyboard.press('Control+c');
    const copied = (await page.evaluate(() => navigator.clipboard.readText())).split('\n');
    assert.equal(copied.length, 2);
    for (const one of copied) assert.match(one, /^\d{4}-\d\d-\d\d \S+ {2}info {2}copy {2}web-1 {2}(one|two) begin x{400} end$/);
    await page.evaluate(() => getSelection()?.removeAllRanges());
    await lines.first().locator('.before').hover();
    assert.match(await lines.first().locator('.before').getAttribute('title'), /UTC$/);
    await lines.first().click();
    await page.locator('aside.event').waitFor();
  });

  test('when a pattern first appeared', async () => {
    await show('#/logs?from=now-24h&q=level:error&view=patterns');
    const row = page.locator('.patterns tbody tr', { hasText: 'refused' });
    await row.waitFor();
    assert.match(await row.locator('time').first().getAttribute('title'), /UTC$/);
    await row.getByRole('button').click();
    await page.waitForFunction(() => location.hash.includes('sentinel.template.id'));
    await says('180 events');
  });

  test('what a host did, and which process used most', async () => {
    await show('#/hosts');
    await page.getByRole('row', { name: /db-1/ }).getByText('96 %').waitFor();
    await page.getByRole('link', { name: 'web-2' }).click();
    await page.getByRole('heading', { name: 'web-2' }).waitFor();
    // It is sampled less often than an hour's chart has room for: that is no gap between any two.
    await page.locator('.chart', { hasText: 'CPU' }).locator('polyline').first().waitFor();
    assert.equal(await page.locator('.chart', { hasText: 'CPU' }).locator('polyline').count(), 1);
    await page.getByRole('button', { name: '24 h' }).click();
    const plot = page.locator('.chart', { hasText: 'CPU' }).locator('svg');
    await plot.waitFor();
    await settled(page);
    const box = await plot.boundingBox();
    // 170 minutes before the end it was busy.
    await page.mouse.move(box.x + box.width * (1 - 170 / 1440), box.y + 30);
    await page.waitForFunction(() => /9\d[.\d]* %/.test(document.querySelector('.chart .value b')?.textContent ?? ''));
    assert.ok((await page.locator('.chart .cross').count()) >= 4, 'one cross-hair in all charts');
    // What used most then, and stays while the pointer goes there.
    await page.mouse.click(box.x + box.width * (1 - 170 / 1440), box.y + 30);
    await page.waitForFunction(() => location.hash.includes('at='));
    const most = page.getByRole('region', { name: 'Processes that used most' }).first();
    await most.getByRole('cell', { name: /^6\d[.\d]* %$/ }).waitFor();
    assert.match(await most.innerText(), /shop[\s\S]*812 MB/);
    await page.getByRole('button', { name: 'Now', exact: true }).click();
    await most.getByRole('cell', { name: /^[12]?\d[.\d]* %$/ }).first().waitFor();
    await page.locator('.brief a', { hasText: 'Service down' }).click();
    await page.getByRole('heading', { name: /Service down/ }).waitFor();
  });

  test('a threshold is lowered for one host, and taken back; a host is removed', async () => {
    const host = async (name) => (await (await fetch(`${server.base}/agents`)).json()).find((one) => one.name === name);
    await show('#/hosts/web-1');
    const disk = page.getByRole('group', { name: 'Disk' });
    assert.equal(await disk.getByRole('spinbutton').inputValue(), '90');
    await disk.getByRole('spinbutton').fill('35');
    await page.keyboard.press('Enter');
    await says('Saved; the agent takes it');
    await says('Version 1; the agent has not said yet');
    const { monitoring } = await host('web-1');
    assert.deepEqual([monitoring.disk.threshold, monitoring.cpu.threshold], [35, 80]);
    await page.getByRole('button', { name: 'Undo' }).click();
    await says('Undone.');
    const back = await host('web-1');
    assert.deepEqual([back.monitoring.disk.threshold, back.threshold_origins['disk.threshold'].from], [90, 'default']);
    await show('#/hosts/gate');
    page.once('dialog', (asked) => asked.accept());
    await page.getByRole('button', { name: 'Remove this host' }).click();
    await says('Removed.');
    await page.waitForFunction(() => location.hash === '#/hosts');
    assert.equal(await host('gate'), undefined);
  });

  test('hosts are chosen by a label, and have thresholds as a group', async () => {
    await show('#/hosts');
    await page.getByRole('link', { name: 'role=db' }).click();
    await says('1 host');
    await page.getByLabel('Label', { exact: true }).selectOption('role=web');
    await says('2 hosts');
    assert.equal(await page.getByRole('link', { name: 'db-1' }).count(), 0);
    const groups = page.getByRole('region', { name: 'Thresholds of groups' }).first();
    assert.equal(await groups.getByLabel('Labels').inputValue(), 'role=web');
    await groups.getByLabel(/^Disk/).fill('35');
    await page.keyboard.press('Enter');
    await says('it holds from each host’s next sample on');
    await groups.getByText('2 hosts').waitFor();
    // The host says where its threshold comes from; one of its own stands above it, until it is taken back.
    await show('#/hosts/web-1');
    const disk = page.getByRole('group', { name: 'Disk' });
    await disk.getByText('group role=web').waitFor();
    assert.equal(await disk.getByRole('spinbutton').inputValue(), '35');
    await page.getByRole('group', { name: 'CPU' }).getByText('default').waitFor();
    await disk.getByRole('spinbutton').fill('30');
    await page.keyboard.press('Enter');
    await disk.getByText('set here').waitFor();
    await disk.getByRole('button', { name: 'Take back' }).click();
    await disk.getByText('group role=web').waitFor();
    assert.equal(await disk.getByRole('spinbutton').inputValue(), '35');
    await disk.getByRole('link', { name: /role=web/ }).click();
    await page.getByRole('region', { name: 'Thresholds of groups' }).first().getByRole('button', { name: 'Remove' }).click();
    await says('Removed.');
    assert.deepEqual((await (await fetch(`${server.base}/api/v1/host-groups`)).json()).groups, []);
    await page.locator('.toast', { hasText: 'Removed.' }).getByRole('button', { name: 'Undo' }).click();
    await says('Undone.');
    const [group] = (await (await fetch(`${server.base}/api/v1/host-groups`)).json()).groups;
    assert.deepEqual([group.group, group.monitoring.disk], ['role=web', { threshold: 35 }]);
  });

  test('the language and the colours are chosen, and kept', async () => {
    await show('#/settings/page');
    await page.getByLabel('Language').selectOption('pt');
    await page.getByRole('heading', { name: 'Ajustes' }).waitFor();
    await page.getByLabel('Cores').selectOption('dark');
    await page.reload();
    await page.getByRole('heading', { name: 'Ajustes' }).waitFor();
    assert.equal(await page.evaluate(() => document.documentElement.lang), 'pt');
  });

  test('numbers and times are said as the browser’s own tables would say them', async () => {
    await show('#/settings/page');
    const differing = await page.evaluate(async () => {
      const folder = document.querySelector('link[rel=stylesheet]').href.replace(/style\/.*/, '');
      const [words, time] = await Promise.all(['words.js', 'time.js'].map((name) => import(folder + name)));
      const wrong = [];
      const same = (what, ours, theirs) => ours === theirs.replace(/\u00a0|\u202f/g, ' ') || wrong.push(`${what}: ${ours}, not ${theirs}`);
      for (const language of ['en', 'pt']) {
        await words.speak(language);
        const compact = new Intl.NumberFormat(language, { notation: 'compact', maximumFractionDigits: 1 });
        for (const n of [0, -0.0001, 7, 0.5, 0.123, 12.3456, 999, 1000, 1234, 99_999, 999_949, 999_951, 1_000_000, 12_345_678, 2e9, 3.21e12, -1234.5]) {
          same(`${language} ${n}`, words.number(n), new Intl.NumberFormat(language).format(Math.abs(n) < 0.0005 ? 0 : n));
          if (n >= 0) same(`${language} short ${n}`, words.short(n), compact.format(n));
        }
        const at = new Date(new Date().getFullYear() - 1, 10, 30, 6, 4, 8);
        const form = { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false };
        same(`${language} time`, time.stamp(at.getTime()), new Intl.DateTimeFormat(language === 'en' ? 'en-GB' : 'pt-BR', form).format(at));
      }
      same('zone', time.zone, new Intl.DateTimeFormat().resolvedOptions().timeZone);
      await words.speak('en');
      same('ago', time.ago(Date.now() - 3 * 3_600_000), new Intl.RelativeTimeFormat('en', { style: 'short' }).format(-3, 'hour'));
      same('ahead', time.ago(Date.now() + 3_600_000), time.stamp(Date.now() + 3_600_000));
      return wrong;
    });
    assert.deepEqual(differing, []);
  });

  test('which settings were set and from where, and how long the disk lasts', async () => {
    await show('#/settings/effective');
    const rows = page.locator('.effective tbody tr');
    const all = await rows.count();
    await page.getByLabel('Only what was set').check();
    await page.waitForFunction((n) => document.querySelectorAll('.effective tbody tr').length < n, all);
    await page.getByRole('row', { name: /LOG_SENTINEL_RULES_DIR.*environment/ }).getByText(server.folder).waitFor();
    await page.getByLabel('Words in settings').fill('retention');
    await says('No setting is like that');
    await page.getByLabel('Only what was set').uncheck();
    await page.getByRole('row', { name: /LOG_SENTINEL_RETENTION.*never default/ }).waitFor();
    await page.getByRole('link', { name: 'Health' }).click();
    const room = page.getByRole('region', { name: 'Retention and room' });
    await room.getByText('Events are kept for').waitFor();
    assert.match(await room.innerText(), /Pace\s+[\d.]+ .?B a day \(4,\d{3} events\)/);
  });

  test('help names the keys', async () => {
    await show('#/logs?from=now-24h');
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Shortcuts' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.keyboard.press('2');
    await page.getByRole('heading', { name: 'Signals', exact: true }).waitFor();
  });
});
