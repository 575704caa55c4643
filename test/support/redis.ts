import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { pino } from 'pino';
import { connectWorker, waitUntilReady } from '../../src/redis/connections.ts';
import { startEmbeddedRedis } from '../../src/redis/embedded/embedded-redis.ts';
import { leftKeys } from './left-keys.ts';
import { WAIT_LIMIT_MS } from './limits.ts';
import { SHARED_CACHE } from './shared-cache.ts';

/** The fetched server that all tests share. */
export const SHARED_SERVER_CACHE = join(SHARED_CACHE, 'redis');

export const SILENT_LOGGER = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

export interface TestRedis {
  /** `unix:///…`: give it to `parseRedisUrl`. */
  readonly url: string;
  readonly socketPath: string;
  /** The server's process, for tests that kill it; it is restarted on the same socket. */
  pid(): number | null;
  /**
   * Stops the server and deletes its data. Idempotent.
   *
   * @throws Error where the product has left keys that nothing would ever delete
   */
  close(): Promise<void>;
}

/** Starts an empty real Redis server for one test file. Close clients first, then this, in `afterAll`. */
export async function startTestRedis(): Promise<TestRedis> {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'smoothcert-test-data-'));
  try {
    const server = await startEmbeddedRedis({
      dataDirectory,
      cacheDirectory: SHARED_SERVER_CACHE,
      searchPath: process.env['PATH'] ?? '',
      logger: SILENT_LOGGER,
    });
    return {
      url: server.url,
      socketPath: server.socketPath,
      pid: () => server.pid(),
      close: async () => {
        const left = server.pid() === null ? [] : await leftKeys(server.socketPath);
        await server.close();
        await rm(dataDirectory, { recursive: true, force: true });
        if (left.length > 0) throw new Error(`keys that stay for ever:\n${left.join('\n')}`);
      },
    };
  } catch (error) {
    await rm(dataDirectory, { recursive: true, force: true });
    throw error;
  }
}

/** A connection to it that is ready; disconnect it before the server is closed. */
export async function connectTestRedis({ url }: Pick<TestRedis, 'url'>): Promise<Redis> {
  const redis = connectWorker(url, pino({ level: 'silent' }));
  await waitUntilReady(redis, WAIT_LIMIT_MS);
  return redis;
}
