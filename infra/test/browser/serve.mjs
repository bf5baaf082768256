// For who works on the page: the files of `web/` as they are now, in front of a program that runs.
//   node infra/test/browser/serve.mjs [http://127.0.0.1:8080] [8090]
import { readFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';

const behind = new URL(process.argv[2] ?? 'http://127.0.0.1:8080');
const port = Number(process.argv[3] ?? 8090);
const web = new URL('../../../crates/dashboard/web/', import.meta.url);
const media = { js: 'text/javascript', mjs: 'text/javascript', css: 'text/css', svg: 'image/svg+xml' };

createServer(async (asked, answer) => {
  const path = /^\/ui\/[0-9a-f]+\/([\w./-]+)$/.exec(asked.url ?? '')?.[1];
  if (path && !path.includes('..')) {
    try {
      const bytes = await readFile(new URL(path, web));
      answer.writeHead(200, { 'content-type': media[path.split('.').pop()] ?? 'text/plain', 'cache-control': 'no-store' });
      answer.end(bytes);
    } catch {
      answer.writeHead(404).end();
    }
    return;
  }
  const on = request({ hostname: behind.hostname, port: behind.port, path: asked.url, method: asked.method, headers: asked.headers }, (reply) => {
    answer.writeHead(reply.statusCode ?? 502, reply.headers);
    reply.pipe(answer);
  });
  on.on('error', () => answer.writeHead(502).end());
  answer.on('close', () => on.destroy());
  asked.pipe(on);
}).listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${port} with the files of web/, in front of ${behind.href}`));
