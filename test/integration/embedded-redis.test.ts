import { closeSync, existsSync, statSync } from 'node:fs';
import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  startEmbeddedRedis,
  type EmbeddedRedis,
  type EmbeddedRedisOptions,
} from '../../src/redis/embedded/embedded-redis.ts';
import { EmbeddedRedisError } from '../../src/redis/embedded/embedded-redis-error.ts';
import { openLocked } from '../../src/redis/embedded/file-lock.ts';
import type { LogEvent } from '../../src/log-events.ts';
import { parseRedisUrl } from '../../src/redis/redis-url.ts';
import { identifyProcess } from '../support/process-identity.ts';
import { untilGone } from '../support/processes.ts';
import { SHARED_SERVER_CACHE, SILENT_LOGGER } from '../support/redis.ts';
import { usePathWithoutRedis } from '../support/search-path.ts';
import { until } from '../support/until.ts';

const pathWithoutRedis = usePathWithoutRedis();
let root: string;
let dataDirectory: string;
let open: (() => Promise<unknown>)[];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'smoothcert-test-'));
  dataDirectory = join(root, 'data');
  open = [];
});
afterEach(async () => {
  for (const close of open.toReversed()) await close();
  await rm(root, { recursive: true, force: true });
});

async function start(options: Partial<EmbeddedRedisOptions> = {}): Promise<EmbeddedRedis> {
  const server = await startEmbeddedRedis({
    dataDirectory,
    cacheDirectory: SHARED_SERVER_CACHE,
    searchPath: pathWithoutRedis(),
    logger: SILENT_LOGGER,
    temporaryDirectory: root,
    ...options,
  });
  open.push(() => server.close());
  return server;
}

function connect(server: EmbeddedRedis): Redis {
  // Commands wait for the server to come back, as those of BullMQ's workers do.
  const client = new Redis({ ...parseRedisUrl(server.url), maxRetriesPerRequest: null });
  client.on('error', () => {});
  open.push(async () => client.disconnect());
  return client;
}

function refusal(promise: Promise<unknown>): Promise<EmbeddedRedisError> {
  return promise.then(
    () => Promise.reject(new Error('it was not refused')),
    (error: unknown) => {
      expect(error).toBeInstanceOf(EmbeddedRedisError);
      return error as EmbeddedRedisError;
    },
  );
}

const socketDirectories = async (): Promise<string[]> =>
  (await readdir(root)).filter((name) => name.startsWith('smoothcert-redis-'));
const isFree = (): boolean =>
  ['owner.lock', 'server.lock'].every((name) => {
    const file = openLocked(join(dataDirectory, name), pathWithoutRedis());
    if (file !== null) closeSync(file);
    return file !== null;
  });

describe('a started server', () => {
  test('is private to this user, listens on no network and keeps every acknowledged write', async () => {
    const server = await start();
    const client = connect(server);
    const setting = async (name: string): Promise<unknown> => {
      const answer: unknown = await client.call('CONFIG', 'GET', name);
      return Array.isArray(answer) ? answer[1] : null;
    };
    expect(await setting('port')).toBe('0');
    expect(await setting('appendonly')).toBe('yes');
    expect(await setting('appendfsync')).toBe('always');
    expect(await setting('save')).toBe('');
    expect(await setting('maxmemory-policy')).toBe('noeviction');
    expect(statSync(server.socketPath).mode & 0o777).toBe(0o700);
    expect(statSync(dirname(server.socketPath)).mode & 0o777).toBe(0o700);
    expect(statSync(dataDirectory).mode & 0o777).toBe(0o700);
  });

  test('tells its version and where it was found', async () => {
    const server = await start();
    expect(server.version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(existsSync(server.executable)).toBe(true);
    expect(await connect(server).info('server')).toContain(`process_id:${server.pid()}`);
  });

  test.runIf(process.platform === 'linux')('is out of reach of the Ctrl-C meant for its owner', async () => {
    const server = await start();
    const fields = (await readFile(`/proc/${server.pid()}/stat`, 'utf8')).split(') ')[1]!.split(' ');
    expect(Number(fields[2])).toBe(server.pid());
  });

  test('keeps its data when it is closed and started again', async () => {
    const first = await start();
    await connect(first).set('kept', 'yes');
    await first.close();
    expect(await connect(await start()).get('kept')).toBe('yes');
  });
});

describe('a server that is killed', () => {
  test('is back on the same socket by itself, with everything that was acknowledged', async () => {
    const server = await start();
    const client = connect(server);
    const killed = server.pid()!;
    for (let index = 0; index < 50; index += 1) await client.rpush('list', index);
    process.kill(killed, 'SIGKILL');
    await until(() => client.ping(), { what: 'the server to answer again' });
    await untilGone(killed);
    expect(await client.lrange('list', 0, -1)).toEqual(
      Array.from({ length: 50 }, (_, index) => String(index)),
    );
    expect(await client.info('server')).toContain(`process_id:${server.pid()}`);
    expect(server.pid()).not.toBe(killed);
  });

  test('loses only a half-written command', async () => {
    const first = await start();
    await connect(first).set('whole', 'yes');
    await first.close();
    const folder = join(dataDirectory, 'appendonlydir');
    const file = (await readdir(folder)).find((name) => name.endsWith('.incr.aof'))!;
    await appendFile(join(folder, file), '*3\r\n$3\r\nSET\r\n$4\r\nhalf\r\n$3\r\ny');
    const client = connect(await start());
    expect(await client.mget('whole', 'half')).toEqual(['yes', null]);
  });

  test('while it rewrites its data loses none, and its draft is gone when it is back', async () => {
    const server = await start();
    const client = connect(server);
    await client.eval("for key = 1, 20000 do redis.call('SET', key, 'value') end", 0);
    // What a larger data set costs: each key a tenth of a millisecond.
    await client.config('SET', 'rdb-key-save-delay', '100');
    await client.bgrewriteaof();
    const draft = async (): Promise<string | undefined> =>
      (await readdir(dataDirectory)).find((name) => name.startsWith('temp-'));
    await until(draft, { what: 'the draft' });
    const killed = server.pid()!;
    process.kill(killed, 'SIGKILL');
    await untilGone(killed);
    expect(await client.dbsize()).toBe(20_000);
    expect(await draft()).toBeUndefined();
  });

  test('again and again is restarted each time', async () => {
    const server = await start();
    const client = connect(server);
    for (let round = 1; round <= 4; round += 1) {
      expect(await client.incr('rounds')).toBe(round);
      const pid = await until(() => server.pid(), { what: 'a server' });
      process.kill(pid, 'SIGKILL');
      await untilGone(pid);
    }
    expect(await client.get('rounds')).toBe('4');
  });

  test('and cannot come back is given up and reported once, never silently', async () => {
    const failures: EmbeddedRedisError[] = [];
    const errors: object[] = [];
    const server = await start({
      onFailure: (error) => failures.push(error),
      logger: { ...SILENT_LOGGER, error: (line) => errors.push(line) },
    });
    await connect(server).set('key', 'value');
    const folder = join(dataDirectory, 'appendonlydir');
    for (const name of await readdir(folder)) await writeFile(join(folder, name), 'spoilt');
    process.kill(server.pid()!, 'SIGKILL');
    await until(() => failures.length > 0, { what: 'the supervisor to give up' });
    expect(failures).toHaveLength(1);
    expect(failures[0]).toMatchObject({ code: 'redis_start_failed' });
    expect(failures[0]!.message).toMatch(/stopped more than 10 times in a minute/);
    expect(errors).toMatchObject([{ event: 'embedded_redis_failing', detail: failures[0]!.message }]);
    expect(server.pid()).toBeNull();
    await server.close();
    expect(isFree()).toBe(true);
  });
});

describe('closing', () => {
  test('leaves no process, no socket and no lock, and can be repeated', async () => {
    const server = await start();
    const pid = server.pid()!;
    await Promise.all([server.close(), server.close()]);
    await server.close();
    expect(identifyProcess(pid)).toBeNull();
    expect(server.pid()).toBeNull();
    expect(await socketDirectories()).toEqual([]);
    expect(isFree()).toBe(true);
  });

  test('in the middle of a restart leaves none either', async () => {
    let closed: Promise<void> | undefined;
    const warn = (line: { readonly event?: LogEvent }): void => {
      if (line.event === 'embedded_redis_stopped') closed = server.close();
    };
    const server = await start({ logger: { ...SILENT_LOGGER, warn } });
    process.kill(server.pid()!, 'SIGKILL');
    await until(() => closed !== undefined, { what: 'the restart to begin' });
    await closed;
    expect(server.pid()).toBeNull();
    expect(await socketDirectories()).toEqual([]);
    expect(isFree()).toBe(true);
  });

  test('takes a server that does not listen to SIGTERM by force', async () => {
    const server = await start();
    const pid = server.pid()!;
    process.kill(pid, 'SIGSTOP');
    await server.close();
    expect(identifyProcess(pid)).toBeNull();
  });
});

describe('a start that cannot succeed', () => {
  test('with a socket path over the limit is refused with both lengths, and leaves nothing', async () => {
    const error = await refusal(start({ temporaryDirectory: join(root, 'x'.repeat(100)) }));
    expect(error.code).toBe('redis_start_failed');
    expect(error.message).toMatch(/path of \d+ bytes; the limit is (107|103)\. Set TMPDIR/);
    expect(isFree()).toBe(true);
  });

  test('with spoilt data is refused with the words of the server, and leaves nothing', async () => {
    const first = await start();
    await connect(first).set('key', 'value');
    await first.close();
    const folder = join(dataDirectory, 'appendonlydir');
    for (const name of await readdir(folder)) await writeFile(join(folder, name), 'spoilt');
    const error = await refusal(start());
    expect(error.code).toBe('redis_start_failed');
    expect(error.message).toMatch(/did not start: it ended with status 1; its last words:\n.*AOF/is);
    expect(await socketDirectories()).toEqual([]);
    expect(isFree()).toBe(true);
  });
});
