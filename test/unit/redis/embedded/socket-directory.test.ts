import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeSocketDirectory, SOCKET_PATH_LIMIT } from '../../../../src/redis/embedded/socket-directory.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 's-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** A folder in which the path of a socket has exactly that many bytes. */
async function folderFor(bytes: number): Promise<string> {
  const spare = bytes - Buffer.byteLength(join(root, 'x', 'smoothcert-redis-XXXXXX', 'redis.sock'));
  const folder = join(root, `x${'y'.repeat(spare)}`);
  await mkdir(folder);
  return folder;
}

test('every call makes a folder of its own that only this user can enter', async () => {
  const paths = [await makeSocketDirectory(root), await makeSocketDirectory(root)];
  expect(new Set(paths.map((path) => dirname(path))).size).toBe(2);
  for (const path of paths) expect((await stat(dirname(path))).mode & 0o777).toBe(0o700);
});

test('a path of exactly the limit is accepted, and a socket can be made there', async () => {
  const path = await makeSocketDirectory(await folderFor(SOCKET_PATH_LIMIT));
  expect(Buffer.byteLength(path)).toBe(SOCKET_PATH_LIMIT);
  const server = createServer().listen(path);
  await once(server, 'listening');
  expect(await readdir(dirname(path))).toEqual(['redis.sock']);
  server.close();
  await once(server, 'close');
});

test('one byte more is refused before anything is made', async () => {
  const folder = await folderFor(SOCKET_PATH_LIMIT + 1);
  await expect(makeSocketDirectory(folder)).rejects.toMatchObject({
    code: 'redis_start_failed',
    message: expect.stringContaining(`${SOCKET_PATH_LIMIT + 1} bytes; the limit is ${SOCKET_PATH_LIMIT}`),
  });
  expect(await readdir(folder)).toEqual([]);
});

test('bytes are counted, not characters', async () => {
  const folder = join(root, 'é'.repeat(40));
  await mkdir(folder);
  await expect(makeSocketDirectory(folder)).rejects.toMatchObject({ code: 'redis_start_failed' });
});
