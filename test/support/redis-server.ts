import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { locateServer } from '../../src/redis/embedded/locate-server.ts';
import { waitUntilReady } from '../../src/redis/embedded/wait-until-ready.ts';
import { endWithTest } from './end-with-test.ts';
import { SHARED_SERVER_CACHE, SILENT_LOGGER } from './redis.ts';

/**
 * Starts a real Redis server as somebody else has set it up, for one test: on a socket in `directory`, with these settings.
 * Answers the socket's path.
 */
export async function startRedisServer(
  directory: string,
  settings: readonly (readonly [string, string])[],
): Promise<string> {
  await mkdir(directory, { recursive: true });
  const socketPath = join(directory, 'redis.sock');
  const { executable } = await locateServer({
    cacheDirectory: SHARED_SERVER_CACHE,
    searchPath: process.env['PATH'] ?? '',
    allowFetch: true,
    logger: SILENT_LOGGER,
  });
  const all: (readonly [string, string])[] = [
    ['port', '0'],
    ['unixsocket', socketPath],
    ['dir', directory],
    ['save', ''],
    ...settings,
  ];
  endWithTest(
    spawn(
      executable,
      all.flatMap(([name, value]) => [`--${name}`, ...(name === 'user' ? value.split(' ') : [value])]),
      { stdio: 'ignore' },
    ),
  );
  const signal = AbortSignal.timeout(30_000);
  if (!(await waitUntilReady({ socketPath, silenceLimitMs: 30_000, signal })))
    throw new Error('the server does not answer');
  return socketPath;
}
