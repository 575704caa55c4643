import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startEmbeddedRedis, type EmbeddedRedis } from '../../src/redis/embedded/embedded-redis.ts';
import { locateServer } from '../../src/redis/embedded/locate-server.ts';
import { acquireOwnerLock } from '../../src/redis/embedded/owner-lock.ts';
import { thisProcess, writeClaim } from '../../src/redis/embedded/owner-claim.ts';
import { identifyProcess, type ProcessIdentity } from '../../src/redis/embedded/process-identity.ts';
import { serverArguments } from '../../src/redis/embedded/server-arguments.ts';
import { waitUntilReady } from '../../src/redis/embedded/wait-until-ready.ts';
import { runScript, type Script, startUnreaped, untilGone } from '../support/processes.ts';
import { SHARED_SERVER_CACHE, SILENT_LOGGER } from '../support/redis.ts';
import { usePathWithoutRedis } from '../support/search-path.ts';
import { until } from '../support/until.ts';

/** The compiled module: a child process runs JavaScript. `npm test` builds it first. */
const BUILT = new URL('../../dist/redis/embedded/embedded-redis.js', import.meta.url);

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
function ownerProcess(afterwards: string): Script {
  const script = runScript(
    `import { startEmbeddedRedis } from ${JSON.stringify(BUILT.href)};
     const quiet = { debug() {}, info() {}, warn() {}, error() {} };
     const redis = await startEmbeddedRedis({ ...JSON.parse(process.argv[1]), logger: quiet });
     console.log(JSON.stringify({ server: redis.pid(), socketPath: redis.socketPath }));
     ${afterwards}`,
    [JSON.stringify(settings())],
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
      expect((await readdir(dataDirectory)).filter((name) => name.endsWith('.lock'))).toHaveLength(1);
    },
  );

  test('takes it along when it exits without closing, and leaves no socket and no claim', async () => {
    const owner = ownerProcess('process.exit(0);');
    const { server, socketPath } = (await owner.nextLine()) as OwnerReport;
    await untilGone(server);
    await until(() => !existsSync(dirname(socketPath)), { what: 'the socket to be removed' });
    await until(async () => !(await readdir(dataDirectory)).some((name) => name.endsWith('.lock')), {
      what: 'the claim to be removed',
    });
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

  test('cannot start a second one on the same data', async () => {
    const first = await start();
    await expect(start()).rejects.toMatchObject({
      code: 'redis_data_in_use',
      message: expect.stringContaining(`in use by process ${process.pid}.`),
    });
    expect(await ask(first.socketPath, (client) => client.ping())).toBe('PONG');
  });
});

describe('of several processes that start at once', () => {
  test('exactly one gets the data, and the others are told its pid', async () => {
    const code = `
      import { acquireOwnerLock } from ${JSON.stringify(new URL('owner-lock.js', BUILT).href)};
      const quiet = { debug() {}, info() {}, warn() {}, error() {} };
      const outcome = await acquireOwnerLock(process.argv[1], quiet).then(() => null, (error) => error.message);
      console.log(JSON.stringify(outcome));
      setInterval(() => {}, 1000);`;
    const rivals = Array.from({ length: 5 }, () => runScript(code, [dataDirectory]));
    for (const rival of rivals) open.push(() => rival.kill());
    const outcomes = await Promise.all(rivals.map((rival) => rival.nextLine()));
    const winners = rivals.filter((_, index) => outcomes[index] === null);
    expect(winners).toHaveLength(1);
    const losers = outcomes.filter((outcome) => outcome !== null);
    expect(losers).toHaveLength(4);
    for (const message of losers) expect(message).toContain(`process ${winners[0]!.child.pid}.`);
  });
});

const DEAD: ProcessIdentity = { pid: process.pid, startTime: 1 };

describe('what a killed owner left', () => {
  test('is taken over, though its pid is that of another process now', async () => {
    writeClaim(dataDirectory, { owner: DEAD, held: true, server: null, socketPath: null });
    await start();
    expect((await readdir(dataDirectory)).filter((name) => name.endsWith('.lock'))).toEqual([
      `owner-${process.pid}-${thisProcess().startTime}.lock`,
    ]);
  });

  test.runIf(process.platform === 'linux')(
    'is taken over when the owner is a zombie that nobody reaps',
    async () => {
      const owner = identifyProcess(await startUnreaped())!;
      writeClaim(dataDirectory, { owner, held: true, server: null, socketPath: null });
      await expect(start()).rejects.toMatchObject({ code: 'redis_data_in_use' });
      process.kill(owner.pid, 'SIGKILL');
      await untilGone(owner.pid);
      expect(process.kill(owner.pid, 0)).toBe(true);
      await start();
    },
  );

  test('is refused as the data of a live owner that is still starting', async () => {
    const starting = spawn('/bin/sh', ['-c', 'exec sleep 60'], { stdio: 'ignore' });
    open.push(async () => starting.kill('SIGKILL'));
    await once(starting, 'spawn');
    const owner = identifyProcess(starting.pid!)!;
    writeClaim(dataDirectory, { owner, held: false, server: null, socketPath: null });
    await expect(acquireOwnerLock(dataDirectory, SILENT_LOGGER)).rejects.toMatchObject({
      message: expect.stringContaining(`process ${owner.pid}.`),
    });
  });

  test('includes its server, which is stopped before its data is read', async () => {
    const { executable } = await locateServer({ ...settings(), allowFetch: true, logger: SILENT_LOGGER });
    const socketPath = join(await mkdtemp(join(root, 'smoothcert-redis-')), 'redis.sock');
    const leftover = spawn(executable, serverArguments(dataDirectory, socketPath), { stdio: 'ignore' });
    open.push(async () => leftover.kill('SIGKILL'));
    const ready = { socketPath, silenceLimitMs: 10_000, signal: new AbortController().signal };
    expect(await waitUntilReady(ready)).toBe(true);
    await ask(socketPath, (client) => client.set('written by', 'the leftover'));
    const server = identifyProcess(leftover.pid!);
    writeClaim(dataDirectory, { owner: DEAD, held: true, server, socketPath });

    const successor = await start();
    expect(identifyProcess(leftover.pid!)).toBeNull();
    expect(await ask(successor.socketPath, (client) => client.get('written by'))).toBe('the leftover');
    expect(existsSync(dirname(socketPath))).toBe(false);
  });

  test.runIf(process.platform === 'linux')('never includes a process that is not its server', async () => {
    const bystander = spawn('/bin/sh', ['-c', 'exec sleep 60'], { stdio: 'ignore' });
    open.push(async () => bystander.kill('SIGKILL'));
    await once(bystander, 'spawn');
    const server = identifyProcess(bystander.pid!);
    const precious = join(root, 'precious');
    await mkdir(precious);
    writeClaim(dataDirectory, { owner: DEAD, held: true, server, socketPath: join(precious, 'redis.sock') });
    await start();
    expect(identifyProcess(bystander.pid!)).toEqual(server);
    expect(existsSync(precious)).toBe(true);
  });

  test('stays as it is when it cannot be understood', async () => {
    const path = join(dataDirectory, 'owner-1-1.lock');
    await writeFile(path, 'half a cl');
    await expect(start()).rejects.toThrow(`${path} is not an owner's claim`);
    expect(await readdir(dataDirectory)).toEqual(['owner-1-1.lock']);
  });
});
