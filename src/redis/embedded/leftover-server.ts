import { rmSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { logLine } from '../../log-events.ts';
import { EmbeddedRedisError } from './embedded-redis-error.ts';
import type { EmbeddedRedisLogger } from './embedded-redis-logger.ts';
import type { OwnerClaim } from './owner-claim.ts';
import { commandLineOf, isRunning, type ProcessIdentity } from './process-identity.ts';
import { SOCKET_DIRECTORY_PREFIX } from './socket-directory.ts';

const GONE_WITHIN_MS = 10_000;

/**
 * Stops the server of an owner that is dead, if it still runs, and removes its socket's folder. Resolves when the
 * process is gone. A process is killed only if pid, start time and the socket on its command line are all those of
 * the claim; where the system shows no command lines, pid alone has to do.
 *
 * It is killed rather than asked: with an fsync before every acknowledgement there is nothing left to save.
 */
export async function stopLeftoverServer(claim: OwnerClaim, logger: EmbeddedRedisLogger): Promise<void> {
  const { server, socketPath } = claim;
  if (server !== null && socketPath !== null && isThatServer(server, socketPath)) {
    logger.warn(...logLine('embedded_redis_leftover', { pid: server.pid }));
    killQuietly(server.pid);
    const deadline = Date.now() + GONE_WITHIN_MS;
    while (isRunning(server)) {
      if (Date.now() > deadline) {
        throw new EmbeddedRedisError(
          'redis_data_in_use',
          `The data directory is in use by a left-over server, process ${server.pid}, which cannot be stopped. ` +
            'Stop that process.',
        );
      }
      await delay(10);
    }
  }
  if (socketPath !== null && basename(dirname(socketPath)).startsWith(SOCKET_DIRECTORY_PREFIX)) {
    rmSync(dirname(socketPath), { recursive: true, force: true });
  }
}

function isThatServer(server: ProcessIdentity, socketPath: string): boolean {
  if (!isRunning(server)) return false;
  return process.platform !== 'linux' || commandLineOf(server.pid).includes(socketPath);
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has just gone by itself, or may not be signalled; the wait that follows tells which.
  }
}
