// A service with the sample data, and a page of it that is opened anew for each test.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach } from 'node:test';
import { fill } from './data.mjs';
import { launch, open, settled } from './page.mjs';
import { start } from './server.mjs';

/**
 * For all tests of the `describe` that it is called in: `opened` gets the service and, before each test, the page that was opened;
 * nothing may be wrong on it when the test is over. Gives what tests do with them: `show` a place, `ask` the API.
 */
export function world(opened) {
  let server;
  let browser;
  let now;
  before(async () => {
    server = await start();
    await fill(server.base);
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });
  beforeEach(async () => {
    now = await open(browser, { base: server.base });
    opened({ server, opened: now, page: now.page });
  });
  afterEach(async () => {
    await now.context.close();
    assert.deepEqual(now.wrong, []);
  });
  return {
    show: async (place) => {
      await now.page.goto(`${server.base}/${place}`);
      await settled(now.page);
    },
    ask: async (path) => (await fetch(server.base + path)).json(),
  };
}
