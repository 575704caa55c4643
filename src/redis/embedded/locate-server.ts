import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { EmbeddedRedisError } from './embedded-redis-error.ts';
import type { EmbeddedRedisLogger } from './embedded-redis-logger.ts';
import { fetchServer } from './fetch-server.ts';
import { findExecutable } from '../../find-executable.ts';
import type { Launch } from '../../launch.ts';
import { logLine } from '../../log-events.ts';
import { OLDEST_SERVER } from '../oldest-server.ts';
import { probeServer } from './server-version.ts';

export interface LocateOptions {
  readonly cacheDirectory: string;
  readonly searchPath: string;
  readonly allowFetch: boolean;
  /** How programs are started; as they are unless given. */
  readonly launch?: Launch;
  readonly logger: EmbeddedRedisLogger;
}

export interface LocatedServer {
  readonly executable: string;
  readonly version: string;
}

/**
 * A server that has just answered `--version` with 6.2 or later: the one on the search path, else one fetched
 * earlier, else one fetched now (unless `allowFetch` is false).
 *
 * Throws `redis_server_unavailable`, saying in two lines what was tried and what to install or set.
 */
export async function locateServer(options: LocateOptions): Promise<LocatedServer> {
  const faults: string[] = [];
  const installed = findExecutable(['redis-server', 'valkey-server'], options.searchPath);
  if (installed === null) faults.push('there is none on PATH');
  const candidates = installed === null ? [] : [installed];
  candidates.push(...(await fetchedServers(options.cacheDirectory)));
  for (const executable of candidates) {
    const probe = await probeServer(executable, options.launch);
    if (probe.usable) return { executable, version: probe.version };
    faults.push(`${executable} ${probe.reason}`);
  }

  if (!options.allowFetch) {
    faults.push('fetching one is switched off');
  } else {
    options.logger.info(...logLine('embedded_redis_fetching', { cacheDirectory: options.cacheDirectory }));
    const result = await fetchServer(options.cacheDirectory, options.searchPath, options.launch);
    if (result.fetched) {
      const executable = join(result.directory, 'redis-server');
      const probe = await probeServer(executable, options.launch);
      if (probe.usable) return { executable, version: probe.version };
      faults.push(`${executable} ${probe.reason}`);
    } else {
      faults.push(result.reason);
    }
  }
  throw new EmbeddedRedisError(
    'redis_server_unavailable',
    `No Redis server to start: ${faults.join('; ').replaceAll(/\s+/g, ' ')}.\n` +
      `Install Redis or Valkey ${OLDEST_SERVER} or later (Debian: apt-get install redis-server; ` +
      'macOS: brew install redis), or set REDIS_URL to a running one.',
  );
}

/** The newest names first; a folder shared by several systems may hold servers that do not run here. */
async function fetchedServers(cacheDirectory: string): Promise<string[]> {
  const names = await readdir(cacheDirectory).catch(() => []);
  return names
    .filter((name) => name.startsWith('server-') && name.includes(`-${process.arch}`))
    .toSorted()
    .toReversed()
    .map((name) => join(resolve(cacheDirectory), name, 'redis-server'));
}
