// The program under test, on free ports and with a data folder of its own.
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const PROGRAM = process.env.PROGRAM ?? 'target/release/log-sentinel';

/** Starts it. `settings` go to its environment; `data` and `port` are those of an earlier one, where it is to go on. */
export async function start(settings = {}, { data, port = 0 } = {}) {
  const folder = data ?? (await mkdtemp(join(tmpdir(), 'log-sentinel-page-')));
  await mkdir(join(folder, 'rules'), { recursive: true });
  const child = spawn(PROGRAM, [], {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      LOG_SENTINEL_DATA: join(folder, 'data'),
      LOG_SENTINEL_DIR: join(folder, 'watched'),
      LOG_SENTINEL_RULES_DIR: join(folder, 'rules'),
      LOG_SENTINEL_ADDR: `127.0.0.1:${port}`,
      LOG_SENTINEL_ANOMALY_ADDR: '127.0.0.1:0',
      LOG_SENTINEL_ANOMALY_GRPC_ADDR: '127.0.0.1:0',
      ...settings,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // Whatever becomes of the tests, it does not outlive them.
  const endNow = () => child.kill('SIGKILL');
  process.on('exit', endNow);
  let said = '';
  child.stderr.on('data', (bytes) => {
    said = (said + bytes).slice(-20_000);
  });
  const ended = new Promise((done) => {
    child.on('exit', (code) => {
      process.off('exit', endNow);
      done(code);
    });
  });
  const base = await new Promise((done, fail) => {
    let out = '';
    child.stdout.on('data', (bytes) => {
      out += bytes;
      const address = /collector\s+(http:\/\/\S+)/.exec(out)?.[1];
      // Its listeners answer a moment before all of it runs, which is when it says so.
      if (address && out.includes('/predict')) done(address);
    });
    ended.then((code) => fail(new Error(`it ended with ${code}: ${said}`)));
  });
  const end = async () => {
    child.kill('SIGTERM');
    await ended;
  };
  return {
    base,
    folder,
    end,
    stop: async () => {
      await end();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
