import { mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findExecutable } from '../../src/find-executable.ts';
import { startEmbeddedRedis } from '../../src/redis/embedded/embedded-redis.ts';
import { fetchServer } from '../../src/redis/embedded/fetch-server.ts';
import { locateServer, type LocatedServer } from '../../src/redis/embedded/locate-server.ts';
import { probeServer } from '../../src/redis/embedded/server-version.ts';
import { SHARED_SERVER_CACHE, SILENT_LOGGER } from '../support/redis.ts';
import { HAS_APT, usePathWithoutRedis, writeProgram } from '../support/search-path.ts';

const pathWithoutRedis = usePathWithoutRedis();
let root: string;
let cacheDirectory: string;
let programs: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'smoothcert-test-'));
  cacheDirectory = join(root, 'cache');
  programs = join(root, 'programs');
});
afterEach(() => rm(root, { recursive: true, force: true }));

const says = (version: string): string =>
  `echo "Redis server v=${version} sha=0 malloc=libc bits=64 build=0"`;

function locate(searchPath: string, cache = cacheDirectory, allowFetch = true): Promise<LocatedServer> {
  return locateServer({ cacheDirectory: cache, searchPath, allowFetch, logger: SILENT_LOGGER });
}

describe.runIf(HAS_APT)('fetching a server without root', () => {
  test('twice at once into one new folder gives one server that runs, and leaves nothing else', async () => {
    const results = await Promise.all([
      fetchServer(cacheDirectory, pathWithoutRedis()),
      fetchServer(cacheDirectory, pathWithoutRedis()),
    ]);
    const entries = await readdir(cacheDirectory);
    expect(entries).toHaveLength(1);
    expect(entries[0]).toMatch(new RegExp(`^server-\\d+\\.\\d+\\.\\d+-${process.arch}$`));
    const directory = join(cacheDirectory, entries[0]!);
    expect(results).toEqual([
      { fetched: true, directory },
      { fetched: true, directory },
    ]);
    expect(await probeServer(join(directory, 'redis-server'))).toMatchObject({ usable: true });
    expect(await locate('/nowhere')).toMatchObject({ executable: join(directory, 'redis-server') });
  });

  test('does not replace a broken copy that someone may look at, and still ends with one that runs', async () => {
    const { version } = await locate(pathWithoutRedis(), SHARED_SERVER_CACHE);
    const broken = join(cacheDirectory, `server-${version}-${process.arch}`);
    await writeProgram(broken, 'redis-server', 'exit 1');
    const found = await locate(pathWithoutRedis());
    expect(found.version).toBe(version);
    expect(dirname(found.executable)).not.toBe(broken);
    expect(await readdir(cacheDirectory)).toHaveLength(2);
  });
});

describe('the server that is taken', () => {
  test('is the one on PATH', async () => {
    const executable = await writeProgram(programs, 'redis-server', says('7.2.4'));
    expect(await locate(programs)).toEqual({ executable, version: '7.2.4' });
  });

  test('may be Valkey', async () => {
    const executable = await writeProgram(
      programs,
      'valkey-server',
      'echo "Valkey server v=8.0.1 sha=0 bits=64"',
    );
    expect(await locate(programs)).toEqual({ executable, version: '8.0.1' });
  });

  test('is one fetched earlier when that on PATH is too old', async () => {
    await writeProgram(programs, 'redis-server', says('5.0.14'));
    const fetched = await writeProgram(
      join(cacheDirectory, `server-7.0.15-${process.arch}`),
      'redis-server',
      says('7.0.15'),
    );
    expect(await locate(programs)).toEqual({ executable: fetched, version: '7.0.15' });
  });

  test('is never one unpacked for another architecture, or one being fetched', async () => {
    await writeProgram(join(cacheDirectory, 'server-7.0.15-sparc'), 'redis-server', says('7.0.15'));
    await writeProgram(join(cacheDirectory, '.fetch-abc', 'server'), 'redis-server', says('7.0.15'));
    await expect(locate(programs)).rejects.toMatchObject({ code: 'redis_server_unavailable' });
  });
});

describe('where no server can be had', () => {
  test('the error says in two lines what was tried and what to install or set', async () => {
    await mkdir(programs);
    const flock = findExecutable(['flock'], process.env['PATH'] ?? '');
    if (flock !== null) await symlink(flock, join(programs, 'flock'));
    const starting = startEmbeddedRedis({
      dataDirectory: join(root, 'data'),
      cacheDirectory,
      searchPath: programs,
      logger: SILENT_LOGGER,
      temporaryDirectory: root,
    });
    await expect(starting).rejects.toMatchObject({
      name: 'EmbeddedRedisError',
      code: 'redis_server_unavailable',
      message:
        'No Redis server to start: there is none on PATH; this system has no apt-get to fetch one.\n' +
        'Install Redis or Valkey 6.2 or later (Debian: apt-get install redis-server; macOS: brew install redis), ' +
        'or set REDIS_URL to a running one.',
    });
    expect((await readdir(join(root, 'data'))).toSorted()).toEqual(['owner.lock', 'server.lock']);
    expect((await readdir(root)).toSorted()).toEqual(['data', 'programs']);
  });

  test('it names a server that is too old', async () => {
    const old = await writeProgram(programs, 'redis-server', says('5.0.14'));
    await expect(locate(programs)).rejects.toThrow(
      `${old} is 5.0.14, older than 6.2; this system has no apt-get`,
    );
  });

  test('it says that fetching is switched off', async () => {
    await expect(locate(programs, cacheDirectory, false)).rejects.toThrow('fetching one is switched off');
  });

  test('it repeats what apt said, on the first line, and the abandoned fetch is gone', async () => {
    await writeProgram(
      programs,
      'apt-get',
      'echo "E: one" >&2; echo "E: Could not resolve the mirror" >&2; exit 100',
    );
    for (const name of ['dpkg-deb', 'dpkg-query']) await writeProgram(programs, name, 'exit 1');
    const error: unknown = await locate(programs).catch((reason: unknown) => reason);
    const lines = (error as Error).message.split('\n');
    expect(lines).toHaveLength(2);
    expect(lines[0]).toContain('fetching one failed: E: Could not resolve the mirror');
    expect(await readdir(cacheDirectory)).toEqual([]);
  });
});
