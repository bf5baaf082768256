// Figures of the page, by hand:
//   PROGRAM=… node measure.mjs [--corpus FILE] [--live MINUTES]
// What the first load weighs, file by file; first paint and script time of a warm service, with the lines of FILE (NDJSON) beside
// the sample data; frames while a list of 100,000 lines is scrolled with the processor slowed down four times; and what memory does
// while a live tail takes 1,000 events a second.
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { fill } from './data.mjs';
import { launch, open, settled } from './page.mjs';
import { start } from './server.mjs';

const option = (name) => (process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : undefined);
const corpus = option('--corpus');
const minutes = Number(option('--live') ?? 0);

const server = await start();
await fill(server.base);
if (corpus) await send(corpus);
const browser = await launch();
const { total } = await (await fetch(`${server.base}/api/v1/search?limit=0`)).json();
console.log(`events: ${total}`);

await weigh();
for (const place of ['#/overview', '#/signals', '#/logs?from=all', '#/patterns', '#/processes?host=web-1', '#/settings/health']) await paint(place);
await scroll();
if (minutes) await follow(minutes);
await browser.close();
await server.stop();

/** A median. */
function median(list) {
  return Math.round([...list].sort((one, other) => one - other)[Math.floor(list.length / 2)]);
}

/** Sends the lines of a file. */
async function send(file) {
  let lines = [];
  const post = async (query = '') => {
    const answer = await fetch(`${server.base}/logs${query}`, { method: 'POST', headers: { 'content-type': 'application/x-ndjson' }, body: lines.join('\n') });
    if (answer.status === 429) {
      await new Promise((done) => setTimeout(done, 1000));
      return post(query);
    }
    if (!answer.ok) throw new Error(`POST /logs: ${answer.status} ${await answer.text()}`);
    lines = [];
    return undefined;
  };
  for await (const line of createInterface({ input: createReadStream(file) })) {
    lines.push(line);
    if (lines.length === 10_000) await post();
  }
  if (lines.length) await post('?wait=indexed&timeout=300s');
}

/** What the first load of the overview weighs, packed. */
async function weigh() {
  const { page, context } = await open(browser, { base: server.base });
  const session = await context.newCDPSession(page);
  await session.send('Network.enable');
  const paths = new Map();
  const bytes = new Map();
  session.on('Network.responseReceived', ({ requestId, response }) => paths.set(requestId, new URL(response.url).pathname));
  session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => bytes.set(paths.get(requestId), encodedDataLength));
  await page.goto(`${server.base}/#/overview`);
  await settled(page);
  const files = [...bytes].filter(([path]) => path === '/' || path?.startsWith('/ui/')).map(([path, size]) => [path.replace(/^\/ui\/\w+\//, '') || '/', size]);
  files.sort(([, one], [, other]) => other - one);
  console.log(`first load of the overview: ${files.length} files, ${files.reduce((sum, [, size]) => sum + size, 0)} bytes with headers`);
  for (const [path, size] of files.slice(0, 16)) console.log(`  ${String(size).padStart(6)} ${path}`);
  await context.close();
}

/** First paint and script time. */
async function paint(place) {
  const [paints, scripts, whole] = [[], [], []];
  for (let round = 0; round < 5; round += 1) {
    const { page, context } = await open(browser, { base: server.base });
    const session = await context.newCDPSession(page);
    await session.send('Performance.enable');
    await page.goto(`${server.base}/${place}`);
    await settled(page);
    whole.push(await page.evaluate(() => performance.now()));
    const { metrics } = await session.send('Performance.getMetrics');
    scripts.push(metrics.find(({ name }) => name === 'ScriptDuration').value * 1000);
    paints.push(await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0].startTime));
    await context.close();
  }
  console.log(`${place}: first contentful paint ${median(paints)} ms, script ${median(scripts)} ms, all of it there after ${median(whole)} ms (medians of 5)`);
}

/** Frames of a list of 100,000 lines. They are made up here, so that the service's pace does not count. */
async function scroll() {
  const { page, context } = await open(browser, { base: server.base });
  const MOST = 100_000;
  await context.route('**/api/v1/search?*', (route) => {
    const from = Number(new URL(route.request().url()).searchParams.get('cursor') ?? 0);
    const hits = Array.from({ length: 500 }, (_, n) => ({
      _id: `made-up-${from + n}`,
      '@timestamp': new Date(Date.now() - (from + n) * 10).toISOString(),
      log: { level: ['info', 'warn', 'error'][n % 3] },
      service: { name: 'shop' },
      host: { name: `web-${n % 9}` },
      message: `order ${from + n} placed in ${n % 97} ms `.repeat(1 + (n % 4)),
    }));
    const next = from + 500 < MOST ? String(from + 500) : null;
    return route.fulfill({ json: { total: MOST, hits, next, took_ms: 1 } });
  });
  await page.goto(`${server.base}/#/logs?from=now-24h`);
  await settled(page);
  const reach = () => {
    const rows = document.querySelector('.rows');
    rows.scrollTop = rows.scrollHeight;
    return Math.round(rows.scrollHeight / 24);
  };
  const end = Date.now() + 180_000;
  while ((await page.evaluate(reach)) < MOST && Date.now() < end) await page.waitForTimeout(5);
  const lines = await page.evaluate(reach);
  const session = await context.newCDPSession(page);
  const heap = await held(session);
  const { scrolled, spent } = await frames(page, session, '.rows');
  const drawn = await page.locator('.rows .line').count();
  await page.goto('about:blank');
  await page.setContent('<!doctype html><div id="empty" style="height: 600px; overflow: auto"><div style="height: 2400000px"></div></div>');
  const floor = (await frames(page, session, '#empty')).scrolled;
  console.log(`${lines} lines, ${drawn} drawn: a frame takes ${scrolled.median} ms, 95 % ${scrolled.p95} ms, the worst ${scrolled.worst} ms (of each: script ${spent.script} ms, style and layout ${spent.layout} ms, all of the main thread's tasks ${spent.task} ms); heap ${heap} MB after garbage was collected`);
  console.log(`a page with nothing on it, scrolled likewise: ${floor.median} ms, 95 % ${floor.p95} ms, the worst ${floor.worst} ms`);
  await context.close();
}

/** What stands on the heap when all that can go is gone, in MB. */
async function held(session) {
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  return Math.round(usedSize / 1e6);
}

/** Scrolls so far that all lines in sight are others in each of 300 frames, the processor slowed down 4 times. All in ms. */
async function frames(page, session, selector) {
  await session.send('Emulation.setCPUThrottlingRate', { rate: 4 });
  await session.send('Performance.enable');
  const spent = async () => {
    const { metrics } = await session.send('Performance.getMetrics');
    const of = (wanted) => metrics.find(({ name }) => name === wanted).value * 1000;
    return { script: of('ScriptDuration'), layout: of('LayoutDuration') + of('RecalcStyleDuration'), task: of('TaskDuration') };
  };
  const before = await spent();
  const took = await page.locator(selector).evaluate(async (rows) => {
    const all = [];
    rows.scrollTop = 0;
    let last = performance.now();
    for (let at = 0; at < 300; at += 1) {
      rows.scrollTop += 700;
      await new Promise(requestAnimationFrame);
      const now = performance.now();
      all.push(now - last);
      last = now;
    }
    return all.sort((one, other) => one - other);
  });
  const after = await spent();
  await session.send('Emulation.setCPUThrottlingRate', { rate: 1 });
  const each = (part) => ((after[part] - before[part]) / 300).toFixed(1);
  return {
    scrolled: { median: took[150].toFixed(1), p95: took[285].toFixed(1), worst: took[299].toFixed(1) },
    spent: { script: each('script'), layout: each('layout'), task: each('task') },
  };
}

/** Memory over a live tail: what stands on the heap after garbage is collected, and how many nodes there are. */
async function follow(most) {
  const { page, context } = await open(browser, { base: server.base });
  const session = await context.newCDPSession(page);
  await session.send('Performance.enable');
  await page.goto(`${server.base}/#/logs?from=now-24h`);
  await settled(page);
  await page.keyboard.press('l');
  await page.locator('.live-state .live-mark.on').waitFor();
  let sent = 0;
  const begun = Date.now();
  const timer = setInterval(() => {
    // As many as are due, in bodies of a tenth of a second.
    const due = Math.min(Date.now() - begun - sent, 2_000);
    if (due <= 0) return;
    const body = Array.from({ length: due }, (_, n) => JSON.stringify({ level: ['info', 'warn', 'error'][n % 3], source: 'tail', host: `web-${n % 9}`, message: `request ${sent + n} of session ${n % 31} took ${n % 97} ms` })).join('\n');
    sent += due;
    fetch(`${server.base}/logs`, { method: 'POST', headers: { 'content-type': 'application/x-ndjson' }, body }).catch(() => undefined);
  }, 100);
  for (let round = 0; round <= most * 2; round += 1) {
    await session.send('HeapProfiler.collectGarbage');
    const { metrics } = await session.send('Performance.getMetrics');
    const of = (wanted) => metrics.find(({ name }) => name === wanted).value;
    console.log(`  live for ${Math.round((Date.now() - begun) / 1000)} s, ${sent} events sent: heap ${(of('JSHeapUsedSize') / 1e6).toFixed(1)} MB, ${of('Nodes')} nodes, script ${(of('ScriptDuration')).toFixed(1)} s`);
    if (round < most * 2) await new Promise((done) => setTimeout(done, 30_000));
  }
  clearInterval(timer);
  await context.close();
}
