// What comes from elsewhere is text: lines, fields, hosts, services, names of keys and agents. And other pages may ask nothing.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { HOSTILE, fill, setUp } from './data.mjs';
import { launch, open, settled } from './page.mjs';
import { places } from './places.mjs';
import { start } from './server.mjs';

const NAME = '<img src=x onerror=window.pwned=1>';

describe('what comes from elsewhere', () => {
  let server;
  let browser;
  before(async () => {
    server = await start();
    await fill(server.base);
    await setUp(server.base, ` ${NAME}`);
    const { patterns } = await (await fetch(`${server.base}/api/v1/patterns?limit=1`)).json();
    const named = await fetch(`${server.base}/api/v1/anomaly/templates/${patterns[0].id}/name`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ name: NAME }) });
    assert.equal(named.status, 200);
    // Signals whose words hold markup: of an agent that was taken over.
    const alert = { hostname: NAME, timestamp: new Date().toISOString(), alert_type: NAME, severity: 'high', description: `${NAME} <script>window.pwned=1</script>`, raw_log: NAME };
    const answer = await fetch(`${server.base}/ingest`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(alert) });
    assert.equal(answer.status, 200);
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  test('is never markup, on any screen and in any event', async () => {
    const { page, wrong, expect } = await open(browser, { base: server.base });
    expect(/status of 400/);
    const all = Object.values(await places(server.base));
    const { hits: odd } = await (await fetch(`${server.base}/api/v1/search?${new URLSearchParams({ q: 'source:"<b>bold</b>"', limit: '50' })}`)).json();
    assert.ok(odd.length >= HOSTILE.length, `${odd.length} events`);
    for (const { _id } of odd) all.push(`#/logs?from=now-24h&event=${_id}`, `#/logs?from=now-24h&event=${_id}&tab=json`);
    const { signals } = await (await fetch(`${server.base}/api/v1/signals?limit=50`)).json();
    for (const { id } of signals) all.push(`#/signals/${id}`);
    for (const pid of [900, 901, 902, 903, 904, 905]) all.push(`#/processes?host=web-1&pid=${pid}`);
    all.push(`#/processes/sql?sql=${encodeURIComponent('SELECT name AS "<b>name</b>", command, user, container FROM processes')}`);
    for (const place of all) {
      await page.goto(`${server.base}/${place}`);
      await settled(page);
      const found = await page.evaluate(() => ({
        pwned: 'pwned' in window,
        markup: document.querySelectorAll('#app b > b, #app script, #app iframe, #app img:not([alt=""]), #app u, #app [onerror], #app [onload], a[href^="javascript:"], a[href^="//"]').length,
      }));
      assert.deepEqual(found, { pwned: false, markup: 0 }, place);
    }
    assert.deepEqual(wrong, []);
  });

  test('links lead to http and https only, and are marked', async () => {
    const { page } = await open(browser, { base: server.base });
    const { hits } = await (await fetch(`${server.base}/api/v1/search?${new URLSearchParams({ q: '"ftp" example', limit: '1' })}`)).json();
    await page.goto(`${server.base}/#/logs?from=now-24h&event=${hits[0]._id}`);
    await settled(page);
    const links = await page.locator('.event-text a').evaluateAll((all) => all.map(({ href, rel, target, className }) => ({ href, rel, target, className })));
    assert.deepEqual(links.map(({ href }) => href), ['https://example.org/a?b=c&d=', 'http://example.org/']);
    for (const { rel, target, className } of links) {
      assert.match(rel, /noopener noreferrer/);
      assert.equal(target, '_blank');
      assert.equal(className, 'out');
    }
  });

  test('marks of direction and control characters are shown, not obeyed', async () => {
    const { page } = await open(browser, { base: server.base });
    const { hits } = await (await fetch(`${server.base}/api/v1/search?${new URLSearchParams({ q: 'opened admin*', limit: '1' })}`)).json();
    await page.goto(`${server.base}/#/logs?from=now-24h&event=${hits[0]._id}`);
    await settled(page);
    const text = await page.locator('.event-text').innerText();
    assert.match(text, /admin‹U\+202E›gnp\.exe opened by ‹U\+2066›user‹U\+2069›/);
    assert.doesNotMatch(await page.locator('#app').innerText(), /[\u202a-\u202e\u2066-\u2069]/);
  });

  test('names and arguments of processes are one line of text each, however long', async () => {
    const { page } = await open(browser, { base: server.base });
    await page.goto(`${server.base}/#/processes?host=web-1`);
    await settled(page);
    const text = await page.locator('table.processes').innerText();
    assert.doesNotMatch(text, /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
    for (const expected of ['two lines', '␛[31mred', '‹U+202E›gnp.exe', 'lossy\ufffd']) assert.ok(text.includes(expected), expected);
    const long = page.getByRole('row', { name: /^long/ });
    assert.ok((await long.boundingBox()).height < 70, 'it is not drawn over many lines');
    await long.locator('.name').click();
    await page.getByRole('dialog').locator('.event-text').waitFor();
    assert.match(await page.getByRole('dialog').locator('.event-text').innerText(), /a{4096}/);
  });

  test('a line of a megabyte is cut where it stands, and whole on demand', async () => {
    const long = 'y'.repeat(1_000_000);
    const record = { level: 'info', source: 'long', message: long };
    await fetch(`${server.base}/logs?wait=indexed`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(record) });
    const { hits } = await (await fetch(`${server.base}/api/v1/search?${new URLSearchParams({ q: 'source:long', limit: '1' })}`)).json();
    const { page, wrong } = await open(browser, { base: server.base });
    await page.goto(`${server.base}/#/logs?q=source:long&event=${hits[0]._id}`);
    await settled(page);
    assert.ok((await page.locator('.event-text .log-text').innerText()).length < 30_000);
    await page.locator('.event-text .more-text').click();
    assert.ok((await page.locator('.event-text .log-text').innerText()).length >= hits[0].message.length);
    assert.deepEqual(wrong, []);
  });

  test('the policy lets no inline script, no code of text and no other host in', async () => {
    const { page } = await open(browser, { base: server.base });
    await page.goto(`${server.base}/#/overview`);
    await settled(page);
    const tried = await page.evaluate(async () => {
      const refused = [];
      addEventListener('securitypolicyviolation', ({ effectiveDirective }) => refused.push(effectiveDirective));
      const script = document.createElement('script');
      try {
        script.textContent = 'window.pwned = 1';
        document.body.append(script);
      } catch {
        refused.push('thrown');
      }
      try {
        document.body.innerHTML += '<img src=x onerror="window.pwned=1">';
      } catch {
        refused.push('thrown');
      }
      // Not within the call of the driver, which policies do not bind.
      const evaluated = await new Promise((done) => {
        setTimeout(() => {
          try {
            done(Boolean((0, eval)('1')));
          } catch {
            refused.push('thrown');
            done(false);
          }
        });
      });
      const asked = await fetch('http://127.0.0.1:9/').then(
        () => true,
        () => false,
      );
      await new Promise((done) => setTimeout(done, 50));
      return { pwned: 'pwned' in window, evaluated, asked, refused };
    });
    assert.equal(tried.pwned, false);
    assert.equal(tried.evaluated, false);
    assert.equal(tried.asked, false);
    assert.ok(tried.refused.length >= 3, JSON.stringify(tried.refused));
    assert.ok(tried.refused.some((one) => one.startsWith('connect-src')), JSON.stringify(tried.refused));
  });

  test('a page of another origin can neither change nor read nor frame', async () => {
    const { signals } = await (await fetch(`${server.base}/api/v1/signals?limit=1`)).json();
    const other = createServer((_, response) => {
      response.setHeader('content-type', 'text/html');
      response.end(`<form id=f method=post enctype=text/plain action="${server.base}/api/v1/signals/${signals[0].id}/resolve" target=t><input name='{"by":"evil","note":"' value='"}'></form><iframe name=t></iframe><iframe id=framed src="${server.base}/"></iframe>`);
    });
    await new Promise((done) => other.listen(0, '127.0.0.1', done));
    const context = await browser.newContext();
    const page = await context.newPage();
    const answers = [];
    page.on('response', (response) => answers.push(`${response.request().method()} ${response.status()} ${new URL(response.url()).pathname}`));
    await page.goto(`http://127.0.0.1:${other.address().port}/`);
    await page.evaluate(() => document.querySelector('#f').submit());
    const read = await page.evaluate(async (base) => {
      const tries = [fetch(`${base}/api/v1/signals`), fetch(`${base}/api/v1/keys`, { method: 'POST', mode: 'no-cors', body: '{"scopes":["admin"]}' })];
      return (await Promise.allSettled(tries)).map((one) => (one.status === 'fulfilled' ? `${one.value.type} ${one.value.status}` : 'refused'));
    }, server.base);
    assert.deepEqual(read, ['refused', 'refused']);
    await page.waitForTimeout(300);
    const after = await (await fetch(`${server.base}/api/v1/signals/${signals[0].id}`)).json();
    assert.notEqual(after.state, 'resolved');
    const { keys } = await (await fetch(`${server.base}/api/v1/keys`)).json();
    assert.deepEqual(keys, []);
    assert.ok(answers.some((one) => one.startsWith('POST 403')), answers.join('\n'));
    const framed = page.frames().find((frame) => frame.url().startsWith(server.base));
    assert.ok(!framed || (await framed.locator('#app').count()) === 0, 'it is framed');
    other.close();
    await context.close();
  });
});
