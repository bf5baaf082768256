// What the tests and pictures show: a day of a small shop as its machines would log it, and lines that try to be
// more than text. The same each time, but for the day, which is the last 24 hours.

import { tell } from './processes.mjs';

/** A generator of numbers from 0 to 1 that gives the same each time (a linear congruence of Numerical Recipes). */
function chance(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const MINUTE = 60_000;

/** Lines that try to be markup, to turn what stands beside them around, or to be too much. */
export const HOSTILE = [
  '<script>window.pwned=1</script>',
  '<img src=x onerror="window.pwned=1">',
  '"><svg/onload=window.pwned=1>',
  'javascript:window.pwned=1 and [click](javascript:window.pwned=1)',
  '{{constructor.constructor("window.pwned=1")()}} ${window.pwned=1}',
  'admin\u202egnp.exe opened by \u2066user\u2069',
  'nul \u0000 bell \u0007 escape \u001b[31mred\u001b[0m delete \u007f',
  'emoji 👩‍🚒🔥 combining Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔ right to left שלום عالم',
  `wide ${'x'.repeat(4000)}`,
  'see https://example.org/a?b=c&d=<e> and http://example.org/) and ftp://example.org/x',
];

/** Log records of the last day, in order; with lines that try to be more than text unless it is for a picture. */
export function records(now = Date.now(), isHostile = true) {
  const random = chance(17);
  const pick = (list) => list[Math.floor(random() * list.length)];
  const begin = now - 24 * 60 * MINUTE;
  const all = [];
  const add = (at, level, source, host, message, more = {}) =>
    all.push({ timestamp: new Date(at).toISOString(), level, source, host, message, ...more });
  for (let minute = 0; minute < 24 * 60; minute += 1) {
    const at = begin + minute * MINUTE;
    const hour = new Date(at).getUTCHours();
    const load = 1 + Math.round(3 * Math.max(0, Math.sin(((hour - 6) / 24) * 2 * Math.PI)));
    for (let n = 0; n < load; n += 1) {
      const when = at + Math.floor(random() * MINUTE);
      const order = 10_000 + Math.floor(random() * 90_000);
      const ms = 5 + Math.floor(random() ** 3 * 900);
      add(when, 'info', 'shop', pick(['web-1', 'web-2']), `order ${order} placed in ${ms} ms`, { duration_ms: ms });
      if (random() < 0.3) add(when, 'debug', 'shop', 'web-1', `cart ${order} read from cache`);
      if (random() < 0.05) add(when, 'warn', 'shop', 'web-2', `payment of order ${order} is slow: ${ms * 9} ms`);
    }
    if (minute % 5 === 0) add(at, 'info', 'postgres', 'db-1', `checkpoint complete: wrote ${minute % 97} buffers`);
    if (minute % 7 === 0) add(at, 'info', 'sshd', 'gate', `Accepted publickey for deploy from 10.0.0.${minute % 9} port 50${minute % 900} ssh2`);
  }
  const night = now - 3 * 60 * MINUTE;
  for (let n = 0; n < 180; n += 1) {
    add(night + n * 2500, 'error', 'shop', 'web-2', `connection to db-1:5432 refused, try ${n % 5}`);
    if (n < 60) add(night + n * 2000, 'info', 'sshd', 'gate', `Failed password for root from 203.0.113.9 port 4${1000 + n} ssh2`);
  }
  add(night + 130_000, 'info', 'sshd', 'gate', 'Accepted password for root from 203.0.113.9 port 41999 ssh2');
  add(night + 500_000, 'fatal', 'postgres', 'db-1', 'could not write to file "base/16384/2619": No space left on device');
  for (const message of isHostile ? HOSTILE : []) {
    add(now - 10 * MINUTE, 'warn', '<b>bold</b>', 'web-1"><i>x</i>', message, { '<u>field</u>': '<a href=//x>value</a>' });
  }
  return all.sort((one, other) => one.timestamp.localeCompare(other.timestamp));
}

/** Samples of hosts of the last day, every two minutes, in order. */
export function samples(now = Date.now(), isHostile = true) {
  const random = chance(23);
  const names = ['web-1', 'web-2', 'db-1', 'gate', ...(isHostile ? ['<b onmouseover=window.pwned=1>host</b>'] : [])];
  const all = [];
  for (let minute = 24 * 60; minute >= 0; minute -= 2) {
    for (const [n, agent_name] of names.entries()) {
      const isBusy = agent_name === 'web-2' && minute > 150 && minute < 190;
      const cpu = isBusy ? 93 + random() * 5 : 8 + n * 6 + random() * 12;
      const disk = agent_name === 'db-1' ? 91 + ((1440 - minute) / 1440) * 5 : 40 + n;
      all.push({
        agent_name,
        timestamp: new Date(now - minute * MINUTE).toISOString(),
        interval: 120,
        os: 'Debian GNU/Linux 12',
        labels: n > 3 ? { role: '<i onmouseover=window.pwned=1>x</i>' } : n < 2 ? { role: 'web', env: 'prod' } : n === 2 ? { role: 'db' } : {},
        version: '0.1.0',
        metrics: {
          cpu: { percent: cpu, load: [cpu / 25, cpu / 30, cpu / 30] },
          ram: { percent: 35 + n * 8 + random() * 3, total: 16e9 },
          disk: { '/': { percent: disk }, ...(agent_name === 'db-1' ? { '/var/lib/postgresql': { percent: 71 } } : {}) },
          network: { eth0: { in_kb_s: 300 + random() * 400, out_kb_s: 900 + random() * 900 } },
          services: { nginx: n < 2 ? 'running' : 'unknown', ...(agent_name === 'web-2' ? { shop: minute < 60 ? 'stopped' : 'running' } : {}) },
          top: [
            { pid: 812, name: isHostile && n > 3 ? '<i>x</i>' : 'shop', user: 'www-data', cpu_percent: cpu * 0.7, rss_bytes: 812e6, command: '/usr/bin/shop --serve' },
            { pid: 640, name: 'nginx', user: 'www-data', cpu_percent: 2.1, rss_bytes: 48e6 },
          ],
        },
      });
    }
  }
  return all;
}

/** Sends them, and waits until what was found in them is told. */
export async function fill(base, now, isHostile) {
  const all = records(now, isHostile);
  for (let start = 0; start < all.length; start += 2000) {
    const body = all.slice(start, start + 2000).map((one) => JSON.stringify(one)).join('\n');
    const answer = await fetch(`${base}/logs?wait=indexed`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body,
    });
    if (!answer.ok) throw new Error(`POST /logs: ${answer.status} ${await answer.text()}`);
  }
  const measured = samples(now, isHostile);
  for (let start = 0; start < measured.length; start += 500) {
    const answer = await fetch(`${base}/data`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(measured.slice(start, start + 500)),
    });
    if (!answer.ok) throw new Error(`POST /data: ${answer.status} ${await answer.text()}`);
  }
  await tell(base, now, isHostile);
  return found(base, all.length);
}

/** What was found, once all is looked at. */
async function found(base, events) {
  const answer = await fetch(`${base}/api/v1/signals?wait=detected&limit=0`);
  return { events, signals: (await answer.json()).total };
}

/** What a model that knows the shop has never seen. */
export const STRANGE = [
  { level: 'fatal', source: 'shop', host: 'web-2', message: 'kernel panic in ring zero of the payment core' },
  { level: 'fatal', source: 'postgres', host: 'db-1', message: 'checksum of page 4711 does not match' },
  { level: 'fatal', source: 'shop', host: 'web-1', message: 'order xyz vanished from the <b>ledger</b> of the bank' },
];

/** A rule of one's own. */
const rule = (level, odd) => `title: 'No space at the shop${odd}'
id: 7b7a3f0e-2a55-4c5e-9a44-1a2b3c4d5e6f
description: The disk of a database is full, and orders are lost from then on.
logsource:
  product: linux
detection:
  words:
    - No space left on device
  condition: words
level: ${level}
`;

/** Sets up who is told, and a rule of one's own, so that there is something to show; `odd` stands in what people write. */
export async function setUp(base, odd = '') {
  const until = new Date(Date.now() + 20 * 60 * MINUTE).toISOString();
  const made = [
    ['channels', { name: 'archive', type: 'stderr', format: 'json' }],
    ['channels', { name: 'night', type: 'telegram', bot_token: '1:a', chat_id: '-1001234567890' }],
    ['silences', { match: { host: 'db-9', kind: ['host_disk', 'host_load'] }, until, reason: `disks are exchanged, ticket 4711${odd}` }],
    ['host-groups/role=web', { cpu: { threshold: 95, learned: true }, network: { threshold: { in: 200000 } } }],
    ['host-groups/role=web,env=prod', { disk: { threshold: 85 } }],
  ];
  const send = async (method, what, body) => {
    const answer = await fetch(`${base}${what.startsWith('/') ? what : `/api/v1/${what}`}`, { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${method} ${what}: ${answer.status} ${await answer.text()}`);
  };
  for (const [what, body] of made) await send('POST', what, body);
  await send('POST', 'anomaly/train', { source: 'store', from: 'now-7d' });
  await send('POST', '/logs?wait=indexed', STRANGE);
  for (const level of ['medium', 'high']) await send('PUT', 'rule-files/shop.yml', { text: rule(level, odd) });
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  console.log(await fill(process.argv[2] ?? 'http://127.0.0.1:8080'));
}
