// A browser with the dashboard in it: what every test needs.
import { chromium } from 'playwright-core';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const OWN = fileURLToPath(new URL('../../../crates/dashboard/web/', import.meta.url));
const WEB = process.env.FROM_DISK?.includes('/') ? `${process.env.FROM_DISK}/` : OWN;
const MEDIA = { js: 'text/javascript', mjs: 'text/javascript', css: 'text/css', svg: 'image/svg+xml' };

export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--disable-dev-shm-usage',
    ],
  });
}

/**
 * A page of this size and theme, and what is wrong with it: errors on the console, requests to elsewhere, dialogs.
 * Where `FROM_DISK` is set, the files are those of `web/` (or of the folder that it names) as they are now, not those in the program.
 */
export async function open(browser, { base, width = 1280, height = 800, theme = 'light', language = 'en', more = {} }) {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: theme === 'dark' ? 'dark' : 'light',
    locale: language === 'pt' ? 'pt-BR' : 'en-GB',
    reducedMotion: 'reduce',
    timezoneId: 'America/Sao_Paulo',
    permissions: ['clipboard-read', 'clipboard-write'],
    ...more,
  });
  await context.addInitScript((chosen) => localStorage.setItem('theme', chosen), theme === 'contrast' ? 'contrast' : 'system');
  const page = await context.newPage();
  const wrong = [];
  const expected = [];
  page.on('console', (message) => {
    if (message.type() !== 'error' && message.type() !== 'warning') return;
    if (!expected.some((pattern) => pattern.test(message.text()))) wrong.push(`console: ${message.text()} ${message.location()?.url ?? ''}`);
  });
  page.on('pageerror', (error) => wrong.push(`error: ${error.stack ?? error}`));
  page.on('request', (request) => {
    const { origin, protocol } = new URL(request.url());
    if (protocol !== 'data:' && protocol !== 'blob:' && origin !== new URL(base).origin) wrong.push(`request to ${request.url()}`);
  });
  if (process.env.FROM_DISK) {
    // The page itself is of the program, but for which styles it names.
    await context.route(`${base}/`, async (route) => {
      const answer = await route.fetch();
      const page = await answer.text();
      const version = /\/ui\/([0-9a-f]+)\//.exec(page)?.[1] ?? '';
      const styles = (await readFile(`${WEB}index.html`, 'utf8')).match(/<link rel="stylesheet".*>/g) ?? [];
      const named = page.replace(/<link rel="stylesheet".*>\n/g, '');
      await route.fulfill({ response: answer, body: named.replace('</title>', `</title>${styles.join('').replaceAll('{{version}}', version)}`) });
    });
    await context.route('**/ui/*/**', async (route) => {
      const path = new URL(route.request().url()).pathname.split('/').slice(3).join('/');
      try {
        await route.fulfill({ body: await readFile(WEB + path), contentType: MEDIA[path.split('.').pop()] });
      } catch {
        await route.fulfill({ status: 404 });
      }
    });
  }
  return { page, context, wrong, expect: (pattern) => expected.push(pattern) };
}

/** Waits until nothing is being loaded on the screen that is shown. */
export async function settled(page) {
  await page.waitForFunction(() => document.querySelector('#app h1') && !document.querySelector('.loading, .waiting'), undefined, { timeout: 20_000 });
}
