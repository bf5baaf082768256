// Figures of the page, by hand: PROGRAM=… node measure.mjs
// First paint and script time of a warm service, and frames while a list of 100,000 lines is scrolled with the
// processor slowed down four times. The lines are made up here, so that the service's pace does not count.
import { fill } from './data.mjs';
import { launch, open, settled } from './page.mjs';
import { start } from './server.mjs';

const server = await start();
await fill(server.base);
const browser = await launch();

for (const place of ['#/overview', '#/signals', '#/logs?from=now-24h']) {
  const paints = [];
  const scripts = [];
  for (let round = 0; round < 5; round += 1) {
    const { page, context } = await open(browser, { base: server.base });
    const session = await context.newCDPSession(page);
    await session.send('Performance.enable');
    await page.goto(`${server.base}/${place}`);
    await settled(page);
    const { metrics } = await session.send('Performance.getMetrics');
    scripts.push(metrics.find(({ name }) => name === 'ScriptDuration').value * 1000);
    paints.push(await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0].startTime));
    await context.close();
  }
  const median = (list) => Math.round([...list].sort((one, other) => one - other)[2]);
  console.log(`${place}: first contentful paint ${median(paints)} ms, script ${median(scripts)} ms (medians of 5)`);
}

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
for (let tries = 0; tries < 2000; tries += 1) {
  const height = await page.locator('.rows').evaluate((rows) => {
    rows.scrollTop = rows.scrollHeight;
    return rows.scrollHeight;
  });
  if (height >= MOST * 24) break;
  await page.waitForTimeout(5);
}
const session = await context.newCDPSession(page);
await session.send('Emulation.setCPUThrottlingRate', { rate: 4 });
await session.send('Performance.enable');
const spent = async () => {
  const { metrics } = await session.send('Performance.getMetrics');
  const of = (wanted) => metrics.find(({ name }) => name === wanted).value * 1000;
  return { script: of('ScriptDuration'), layout: of('LayoutDuration') + of('RecalcStyleDuration') };
};
const before = await spent();
const scrolled = await page.locator('.rows').evaluate(async (rows) => {
  const frames = [];
  rows.scrollTop = 0;
  let last = performance.now();
  for (let at = 0; at < 300; at += 1) {
    rows.scrollTop += 700;
    await new Promise(requestAnimationFrame);
    const now = performance.now();
    frames.push(now - last);
    last = now;
  }
  frames.sort((one, other) => one - other);
  return { lines: Math.round(rows.scrollHeight / 24), drawn: document.querySelectorAll('.rows .line').length, median: frames[150], p95: frames[285], worst: frames[299] };
});
const after = await spent();
const each = (part) => ((after[part] - before[part]) / 300).toFixed(1);
const heap = await page.evaluate(() => performance.memory.usedJSHeapSize / 1e6);
console.log(`${scrolled.lines} lines, ${scrolled.drawn} drawn: a frame takes ${scrolled.median.toFixed(1)} ms, 95 % ${scrolled.p95.toFixed(1)} ms, the worst ${scrolled.worst.toFixed(1)} ms (script ${each('script')} ms, layout ${each('layout')} ms of each); heap ${heap.toFixed(0)} MB`);
await browser.close();
await server.stop();
