// Every screen in every size and theme: nothing wrong on the console, nothing asked of elsewhere, no finding of axe, nothing wider
// than the window. SIZES, THEMES and PLACES (a pattern of their names) choose; PICTURES names a folder for pictures of all.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { fill, setUp } from './data.mjs';
import { launch, open, settled } from './page.mjs';
import { places } from './places.mjs';
import { start } from './server.mjs';

const SIZES = (process.env.SIZES ?? '390,1280').split(',').map(Number);
const THEMES = (process.env.THEMES ?? 'light').split(',');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
/** What a browser says of an answer that refuses a query is no fault of the page. */
const REFUSED = /status of 400/;

describe('screens', () => {
  let server;
  let browser;
  let all;
  before(async () => {
    server = await start();
    await fill(server.base, undefined, !process.env.PICTURES);
    await setUp(server.base);
    const wanted = new RegExp(process.env.PLACES ?? '');
    all = Object.fromEntries(Object.entries(await places(server.base)).filter(([name]) => wanted.test(name)));
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });
  for (const width of SIZES) {
    for (const theme of THEMES) {
      test(`${width} px, ${theme}`, async () => {
        const { page, context, wrong, expect } = await open(browser, { base: server.base, width, height: width < 760 ? 844 : 800, theme });
        const faults = [];
        for (const [name, place] of Object.entries(all)) {
          if (name.includes('wrong')) expect(REFUSED);
          await page.goto(`${server.base}/${place}`);
          await settled(page);
          if (process.env.PICTURES) await page.screenshot({ path: join(process.env.PICTURES, `${name.replace(/\W+/g, '-')}-${width}-${theme}.png`) });
          const { violations } = await new AxeBuilder({ page }).withTags(TAGS).analyze();
          for (const { id, nodes } of violations) {
            faults.push(...nodes.slice(0, 3).map(({ html, any, all: every, none }) => `${name}: ${id}: ${html.slice(0, 160)} ${[...any, ...every, ...none][0]?.message ?? ''}`));
          }
          faults.push(...wrong.splice(0).map((one) => `${name}: ${one}`));
          const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
          if (wider > 0) faults.push(`${name} is ${wider} px wider than the window`);
        }
        assert.deepEqual(faults, []);
        await context.close();
      });
    }
  }
  test('nothing is wider than a window of 360 px, in both languages', async () => {
    for (const language of ['en', 'pt']) {
      const { page, context, wrong, expect } = await open(browser, { base: server.base, width: 360, height: 740, language });
      expect(REFUSED);
      for (const [name, place] of Object.entries(all)) {
        await page.goto(`${server.base}/${place}`);
        await settled(page);
        assert.equal(await page.evaluate(() => document.documentElement.lang), language);
        const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(wider <= 0, `${name} is ${wider} px wider`);
      }
      assert.deepEqual(wrong, []);
      await context.close();
    }
  });
});
