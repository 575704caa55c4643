// The processes that chaos.mjs kills: a Redis server, an API and two workers of the build, restarted as a supervisor does.
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { startEmbeddedRedis } from '../dist/redis/embedded/embedded-redis.js';
import { readConfig } from '../dist/config/env.js';

const path = (relative) => fileURLToPath(new URL(`../${relative}`, import.meta.url));
const RESTART_MILLISECONDS = 500;

export async function startProcesses(workers) {
  const folder = mkdtempSync(join(tmpdir(), 'smoothcert-chaos-'));
  cpSync(path('models/mnist-cnn'), join(folder, 'models/mnist-cnn'), { recursive: true });
  const config = readConfig();
  const silent = { debug() {}, info() {}, warn() {}, error() {} };
  const redis = await startEmbeddedRedis({
    dataDirectory: join(folder, 'data'),
    cacheDirectory: join(config.cacheDirectory, 'redis'),
    searchPath: config.searchPath,
    logger: silent,
  });
  const port = await freePort();
  let closing = false;
  const ended = new Map();

  /** Keeps a process of the product running; `log` has what all its incarnations said, with the time. */
  function keep(command) {
    const kept = { command, child: null, log: [], lastWords: null };
    const start = () => {
      const child = spawn(process.execPath, [path('dist/main/cli.js'), command], {
        cwd: path('.'),
        env: {
          PATH: process.env.PATH,
          HOME: process.env.HOME,
          LOG_LEVEL: 'debug',
          REDIS_URL: redis.url,
          SMOOTHCERT_DEVICES: 'cpu',
          SMOOTHCERT_LANES: '1',
          SMOOTHCERT_PORT: String(port),
          SMOOTHCERT_MODELS_DIR: join(folder, 'models'),
        },
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      kept.child = child;
      createInterface({ input: child.stderr }).on('line', (line) => {
        if (line.startsWith('{')) kept.log.push(JSON.parse(line));
        else kept.lastWords = line;
      });
      child.once('exit', (code, signal) => {
        // Only what was killed may end: anything else is a fault of the product.
        if (!closing && signal !== 'SIGKILL')
          ended.set(`${command} ended with ${code}`, kept.lastWords ?? kept.log.at(-1)?.msg);
        if (!closing) setTimeout(start, RESTART_MILLISECONDS);
      });
    };
    start();
    return kept;
  }

  const api = keep('api');
  const pool = Array.from({ length: workers }, () => keep('worker'));
  return {
    url: `http://127.0.0.1:${port}`,
    redis,
    api,
    workers: pool,
    /** Processes that ended by themselves, with their last words. */
    ended,
    async close() {
      closing = true;
      for (const { child } of [api, ...pool]) {
        if (child.exitCode !== null || child.signalCode !== null) continue;
        const exited = once(child, 'exit');
        child.kill('SIGCONT');
        child.kill('SIGKILL');
        await exited;
      }
      await redis.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The living host of a worker, or undefined. */
export function hostOf({ log, child }) {
  const pid = log.findLast(
    (entry) => entry.event === 'device_host_started' && entry.pid === child.pid,
  )?.hostPid;
  return pid !== undefined && isAlive(pid) ? pid : undefined;
}

function isAlive(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return !'ZX'.includes(stat[stat.lastIndexOf(')') + 2]);
  } catch {
    return false;
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
