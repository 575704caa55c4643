import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findExecutable } from '../../src/find-executable.ts';
import { startEmbeddedRedis, type EmbeddedRedis } from '../../src/redis/embedded/embedded-redis.ts';
import { openLocked } from '../../src/redis/embedded/file-lock.ts';
import { descendantsOf } from '../support/live-processes.ts';
import { commandLineOf, identifyProcess } from '../support/process-identity.ts';
import { isAlive, runScript, type Script, startUnreaped, untilGone } from '../support/processes.ts';
import { SHARED_SERVER_CACHE, SILENT_LOGGER } from '../support/redis.ts';
import { usePathWithoutRedis, writeProgram } from '../support/search-path.ts';
import { until } from '../support/until.ts';

/** The compiled module: a child process runs JavaScript. `npm test` builds it first. */
const BUILT = new URL('../../dist/redis/embedded/embedded-redis.js', import.meta.url);

/** Whether this user may start processes that see only one another, as those of a container do. */
const MAY_UNSHARE =
  spawnSync('unshare', ['--pid', '--fork', '--mount-proc', 'true'], { stdio: 'ignore' }).status === 0;

const pathWithoutRedis = usePathWithoutRedis();
let root: string;
let dataDirectory: string;
let open: (() => Promise<unknown>)[];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'smoothcert-test-'));
  dataDirectory = join(root, 'data');
  await mkdir(dataDirectory, { mode: 0o700 });
  open = [];
});
afterEach(async () => {
  for (const close of open.toReversed()) await close();
  await rm(root, { recursive: true, force: true });
});

const settings = () => ({
  dataDirectory,
  cacheDirectory: SHARED_SERVER_CACHE,
  searchPath: pathWithoutRedis(),
  temporaryDirectory: root,
});

async function start(): Promise<EmbeddedRedis> {
  const server = await startEmbeddedRedis({ ...settings(), logger: SILENT_LOGGER });
  open.push(() => server.close());
  return server;
}

async function ask<T>(path: string, question: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis({ path, lazyConnect: true });
  try {
    await client.connect();
    return await question(client);
  } finally {
    client.disconnect();
  }
}

interface OwnerReport {
  readonly server: number;
  readonly socketPath: string;
}

/** A process that starts the server, says so, and then runs `afterwards`. */
function ownerProcess(afterwards: string, options = settings()): Script {
  const script = runScript(
    `import { startEmbeddedRedis } from ${JSON.stringify(BUILT.href)};
     const quiet = { debug() {}, info() {}, warn() {}, error() {} };
     const redis = await startEmbeddedRedis({ ...JSON.parse(process.argv[1]), logger: quiet });
     console.log(JSON.stringify({ server: redis.pid(), socketPath: redis.socketPath }));
     ${afterwards}`,
    [JSON.stringify(options)],
  );
  open.push(() => script.kill());
  return script;
}

describe('a process that owns a server', () => {
  test.runIf(process.platform === 'linux')(
    'takes it along when it is killed, and its data is kept',
    async () => {
      const owner = ownerProcess('setInterval(() => {}, 1000);');
      const { server, socketPath } = (await owner.nextLine()) as OwnerReport;
      await ask(socketPath, (client) => client.set('kept', 'yes'));
      await owner.kill();
      await untilGone(server);

      const successor = await start();
      expect(await ask(successor.socketPath, (client) => client.get('kept'))).toBe('yes');
      expect(existsSync(dirname(socketPath))).toBe(false);
      expect(await readFile(join(dataDirectory, 'owner.lock'), 'utf8')).toBe(String(process.pid));
    },
  );

  test('takes it along when it exits without closing, and leaves no socket and no lock', async () => {
    const owner = ownerProcess('process.exit(0);');
    const { server, socketPath } = (await owner.nextLine()) as OwnerReport;
    await untilGone(server, owner.child.pid!);
    expect(existsSync(dirname(socketPath))).toBe(false);
    expect(await readFile(join(dataDirectory, 'owner.lock'), 'utf8')).toBe('');
    await start();
  });

  test('can end by itself once it has closed: no handle is left', async () => {
    const owner = ownerProcess(
      'await redis.close(); console.log(JSON.stringify(process.getActiveResourcesInfo()));',
    );
    const exit = once(owner.child, 'exit');
    await owner.nextLine();
    // A timer would not keep it for ever, but it is left all the same.
    expect(await owner.nextLine()).not.toContain('Timeout');
    expect(await exit).toEqual([0, null]);
  });

  test('keeps others off its data, who are told its pid', async () => {
    const owner = ownerProcess('setInterval(() => {}, 1000);');
    const { server } = (await owner.nextLine()) as OwnerReport;
    await expect(start()).rejects.toMatchObject({
      code: 'redis_data_in_use',
      message: expect.stringContaining(`in use by process ${owner.child.pid}.`),
    });
    expect(identifyProcess(server)).not.toBeNull();
  });

  test.runIf(MAY_UNSHARE)('keeps off those of another container, who do not see it', async () => {
    const { socketPath } = await start();
    const code = `
      import { startEmbeddedRedis } from ${JSON.stringify(BUILT.href)};
      const logger = { debug() {}, info() {}, warn() {}, error() {} };
      await startEmbeddedRedis({ ...JSON.parse(process.argv[1]), logger }).catch(({ message }) => console.log(message));
      process.exit();`;
    const apart = ['--pid', '--fork', '--mount-proc', '--kill-child'];
    const node = [process.execPath, '--input-type=module', '--eval', code, '--', JSON.stringify(settings())];
    const { stdout } = await promisify(execFile)('unshare', apart.concat(node));
    expect(stdout).toContain(`The data directory ${dataDirectory} is in use by another process.`);
    expect(await ask(socketPath, (client) => client.ping())).toBe('PONG');
  });

  test('cannot start a second one on the same data', async () => {
    const first = await start();
    await expect(start()).rejects.toMatchObject({
      code: 'redis_data_in_use',
      message: expect.stringContaining(`in use by process ${process.pid}.`),
    });
    expect(await ask(first.socketPath, (client) => client.ping())).toBe('PONG');
  });
});

describe('a data directory that was replaced under its owner', () => {
  test('belongs to whoever got it then: the first owner starts no server on it, and says why', async () => {
    const first = await start();
    await rm(dataDirectory, { recursive: true });
    const second = await start();
    await ask(second.socketPath, (client) => client.set('key', 'the second'));
    process.kill(first.pid()!, 'SIGKILL');
    const trouble = await until(() => (first.trouble()?.includes('replaced') ? first.trouble() : null), {
      what: 'the first owner to say why',
    });
    expect(trouble).toContain(`The data directory ${dataDirectory} was removed or replaced.`);
    expect(first.pid()).toBeNull();
    expect(await ask(second.socketPath, (client) => client.get('key'))).toBe('the second');
  });
});

describe('of several processes that start at once', () => {
  test('exactly one gets the data, and the others are told its pid', async () => {
    const code = `
      import { acquireOwnerLock } from ${JSON.stringify(new URL('owner-lock.js', BUILT).href)};
      const quiet = { debug() {}, info() {}, warn() {}, error() {} };
      const [directory, path] = process.argv.slice(1);
      const outcome = await acquireOwnerLock(directory, path, quiet).then(() => null, (error) => error.message);
      console.log(JSON.stringify(outcome));
      setInterval(() => {}, 1000);`;
    const rivals = Array.from({ length: 10 }, () => runScript(code, [dataDirectory, pathWithoutRedis()]));
    for (const rival of rivals) open.push(() => rival.kill());
    const outcomes = await Promise.all(rivals.map((rival) => rival.nextLine()));
    const winners = rivals.filter((_, index) => outcomes[index] === null);
    expect(winners).toHaveLength(1);
    const losers = outcomes.filter((outcome) => outcome !== null);
    expect(losers).toHaveLength(9);
    for (const message of losers) expect(message).toContain(`process ${winners[0]!.child.pid}.`);
  });
});

describe.runIf(process.platform === 'linux')('an owner', () => {
  const idle = 'setInterval(() => {}, 1000);';

  test('that is stopped keeps its data, and the next one gets it when it is killed', async () => {
    const owner = ownerProcess(idle);
    await owner.nextLine();
    owner.child.kill('SIGSTOP');
    await expect(start()).rejects.toMatchObject({ code: 'redis_data_in_use' });
    await owner.kill();
    await start();
  });

  test('that is a zombie that nobody reaps is taken over from', async () => {
    const owner = await startUnreaped([
      'flock',
      '-n',
      '-F',
      join(dataDirectory, 'owner.lock'),
      'sleep',
      '600',
    ]);
    await until(() => commandLineOf(owner)[0] === 'sleep', { what: 'the lock' });
    await expect(start()).rejects.toMatchObject({ code: 'redis_data_in_use' });
    process.kill(owner, 'SIGKILL');
    await untilGone(owner);
    expect(process.kill(owner, 0)).toBe(true);
    await start();
  });

  test('keeps its data while its server is down', async () => {
    const owner = ownerProcess(idle);
    const { server } = (await owner.nextLine()) as OwnerReport;
    // Stopped, it does not start the next one.
    owner.child.kill('SIGSTOP');
    process.kill(server, 'SIGKILL');
    await untilGone(server);
    await expect(start()).rejects.toMatchObject({
      message: expect.stringContaining(`in use by process ${owner.child.pid}.`),
    });
  });
});

describe.runIf(process.platform === 'linux')('what a killed owner left', () => {
  /** A server whose owner was killed where nothing is found that lets the kernel end it with its owner. */
  async function startLeftover(): Promise<OwnerReport> {
    const programs = join(root, 'programs');
    await mkdir(programs);
    await symlink(findExecutable(['flock'], pathWithoutRedis())!, join(programs, 'flock'));
    const owner = ownerProcess('setInterval(() => {}, 1000);', { ...settings(), searchPath: programs });
    const report = (await owner.nextLine()) as OwnerReport;
    open.push(async () => {
      if (isAlive(report.server)) process.kill(report.server, 'SIGKILL');
    });
    await owner.kill();
    expect(isAlive(report.server)).toBe(true);
    return report;
  }

  test('includes its server, which has ended before its data is read', async () => {
    const { server, socketPath } = await startLeftover();
    await ask(socketPath, (client) => client.set('written by', 'the leftover'));
    const successor = await start();
    expect(isAlive(server)).toBe(false);
    expect(await ask(successor.socketPath, (client) => client.get('written by'))).toBe('the leftover');
    expect(existsSync(dirname(socketPath))).toBe(false);
  });

  test('includes the child of its server that rewrites the data, which is waited for', async () => {
    const { server, socketPath } = await startLeftover();
    await ask(socketPath, async (client) => {
      await client.eval("for key = 1, 20000 do redis.call('SET', key, 'value') end", 0);
      // What a larger data set costs: each key a tenth of a millisecond.
      await client.config('SET', 'rdb-key-save-delay', '100');
      await client.bgrewriteaof();
    });
    const child = await until(() => descendantsOf(server).at(0), { what: 'the child' });
    process.kill(server, 'SIGKILL');
    await untilGone(server);
    expect(openLocked(join(dataDirectory, 'server.lock'), pathWithoutRedis())).toBeNull();
    const successor = await start();
    expect(isAlive(child.pid)).toBe(false);
    expect(await ask(successor.socketPath, (client) => client.dbsize())).toBe(20_000);
  });

  test('never includes a process or a folder that is not its own', async () => {
    const precious = join(root, 'precious');
    await mkdir(precious);
    await writeFile(join(dataDirectory, 'owner.lock'), String(process.ppid));
    await writeFile(join(dataDirectory, 'server.lock'), join(precious, 'redis.sock'));
    await start();
    expect(identifyProcess(process.ppid)).not.toBeNull();
    expect(existsSync(precious)).toBe(true);
  });
});

describe('the claim of a build that knew no locks', () => {
  const claim = (owner: number, server: number): string =>
    `${JSON.stringify({ owner: { pid: owner, startTime: 1 }, held: true, server: { pid: server, startTime: 1 } })}\n`;
  const GONE = 2 ** 22 + 1;

  test.each([
    ['owner', process.ppid, GONE],
    ['server', GONE, process.ppid],
  ])('is respected while its %s lives', async (_what, owner, server) => {
    const path = join(dataDirectory, `owner-${owner}-1.lock`);
    await writeFile(path, claim(owner, server));
    await expect(start()).rejects.toMatchObject({
      code: 'redis_data_in_use',
      message: expect.stringContaining(`by process ${process.ppid}, as ${path} says.`),
    });
    expect(existsSync(path)).toBe(true);
  });

  test('is removed when both are gone', async () => {
    const path = join(dataDirectory, `owner-${GONE}-1.lock`);
    await writeFile(path, claim(GONE, GONE));
    await start();
    expect(existsSync(path)).toBe(false);
  });
});

describe('where files cannot be locked', () => {
  test.runIf(process.platform === 'linux')('no server is started, and the reason is said', async () => {
    const programs = join(root, 'programs');
    const path = join(dataDirectory, 'owner.lock');
    const starting = (): Promise<unknown> =>
      startEmbeddedRedis({ ...settings(), searchPath: programs, logger: SILENT_LOGGER });
    await expect(starting()).rejects.toMatchObject({
      code: 'redis_start_failed',
      message: expect.stringContaining(`${path} cannot be locked: there is no flock on PATH`),
    });
    // What flock(1) of util-linux says where a file system has none; BusyBox's ends with 1.
    const words = 'flock: 3: No locks available';
    for (const status of [71, 1]) {
      const flock = await writeProgram(programs, 'flock', `echo "${words}" >&2; exit ${status}`);
      await expect(starting()).rejects.toMatchObject({
        message: expect.stringContaining(`${flock} ended with status ${status}: ${words}. Two servers`),
      });
    }
  });
});
