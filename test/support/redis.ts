import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startEmbeddedRedis } from '../../src/redis/embedded/embedded-redis.ts';

/** The fetched server that all tests share; ignored by git, and safe to fill from several test files at once. */
export const SHARED_SERVER_CACHE = fileURLToPath(new URL('../../.redis', import.meta.url));

export const SILENT_LOGGER = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

export interface TestRedis {
  /** `unix:///…`: give it to `parseRedisUrl`. */
  readonly url: string;
  readonly socketPath: string;
  /** The server's process, for tests that kill it; it is restarted on the same socket. */
  pid(): number | null;
  /** Stops the server and deletes its data. Idempotent. */
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
        await server.close();
        await rm(dataDirectory, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await rm(dataDirectory, { recursive: true, force: true });
    throw error;
  }
}
