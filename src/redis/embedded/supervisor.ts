import { rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { EmbeddedRedisError } from './embedded-redis-error.ts';
import type { EmbeddedRedisLogger } from './embedded-redis-logger.ts';
import type { LaunchCommand } from '../../launch.ts';
import type { ProcessIdentity } from './process-identity.ts';
import { createRestartBudget, RESTART_LIMIT } from './restart-budget.ts';
import { startServerProcess, type ServerProcess } from './server-process.ts';
import { waitUntilReady } from './wait-until-ready.ts';

export interface SupervisorOptions {
  readonly command: LaunchCommand;
  readonly socketPath: string;
  readonly logger: EmbeddedRedisLogger;
  readonly silenceLimitMs: number;
  /** Called with each new server process, at once after it is started, and with null when it has ended. */
  readonly onServer: (server: ProcessIdentity | null) => void;
  /** Called once, when the server has stopped too often and is not restarted any more. */
  readonly onFailure: (error: EmbeddedRedisError) => void;
}

export interface Supervisor {
  pid(): number | null;
  /** Stops the server, by force after `graceMs`; resolves when its process is gone. Idempotent. */
  stop(graceMs: number): Promise<void>;
  /** Kills the server without waiting, for use while this process exits. */
  kill(): void;
}

/**
 * Starts the server, resolves when it answers, and keeps it running on the same socket until `stop`.
 *
 *     starting --answers--> running --ends--> backing off --delay--> starting
 *        |                     |                   |
 *        | ends or silent      | stop              | too often
 *        v                     v                   v
 *      refused (first start) stopped             failed
 *
 * A server that does not come up the first time is not tried again: `redis_start_failed` is thrown, since its data or
 * its installation is at fault. Later a restart that fails counts like any other end. A failed server is reported through
 * `onFailure` exactly once, and its clients keep getting connection errors.
 */
export async function superviseServer(options: SupervisorOptions): Promise<Supervisor> {
  const { command, socketPath, logger } = options;
  const stopping = new AbortController();
  const budget = createRestartBudget();
  let current: ServerProcess | null = null;

  /** Runs one server to its end. Resolves with how it ended; `answered` is called if it ever does. */
  const runOnce = async (answered: () => void): Promise<string> => {
    // A killed server leaves its socket file, on which the next one could not listen.
    rmSync(socketPath, { force: true });
    const server = startServerProcess(command, logger);
    current = server;
    options.onServer(server.identity);
    const over = new AbortController();
    const ended = server.ended.finally(() => over.abort());
    const ready = await waitUntilReady({
      socketPath,
      silenceLimitMs: options.silenceLimitMs,
      signal: AbortSignal.any([over.signal, stopping.signal]),
    });
    let silence = '';
    if (ready) {
      answered();
    } else if (!over.signal.aborted && !stopping.signal.aborted) {
      silence = `it did not answer within ${options.silenceLimitMs} ms, `;
      server.signal('SIGKILL');
    }
    const reason = silence + (await ended);
    current = null;
    options.onServer(null);
    const tail = server.logTail();
    return tail === '' ? reason : `${reason}; its last words:\n${tail}`;
  };

  const keepRunning = async (firstEnd: Promise<string>): Promise<void> => {
    let reason = await firstEnd;
    while (!stopping.signal.aborted) {
      const backoffMs = budget.next(Date.now());
      if (backoffMs === null) {
        const message = `The embedded Redis server stopped more than ${RESTART_LIMIT} times in a minute: ${reason}`;
        logger.error({ socketPath }, message);
        options.onFailure(new EmbeddedRedisError('redis_start_failed', message));
        return;
      }
      logger.warn({ reason, backoffMs }, 'the embedded Redis server stopped; restarting it');
      await delay(backoffMs, undefined, { signal: stopping.signal }).catch(() => {});
      if (stopping.signal.aborted) return;
      reason = await runOnce(() =>
        logger.info({ pid: current?.identity?.pid }, 'the embedded Redis server is back'),
      );
    }
  };

  let firstEnd: Promise<string> = Promise.resolve('');
  await new Promise<void>((resolve, reject) => {
    firstEnd = runOnce(resolve);
    firstEnd.then(
      // Has no effect once the server has answered.
      (reason) =>
        reject(new EmbeddedRedisError('redis_start_failed', `The Redis server did not start: ${reason}`)),
      reject,
    );
  });
  const finished = keepRunning(firstEnd);

  return {
    pid: () => current?.identity?.pid ?? null,
    async stop(graceMs) {
      stopping.abort();
      const server = current;
      server?.signal('SIGTERM');
      const forced = setTimeout(() => {
        logger.warn(
          { pid: server?.identity?.pid, graceMs },
          'the embedded Redis server does not stop; killing it',
        );
        server?.signal('SIGKILL');
      }, graceMs);
      await finished;
      clearTimeout(forced);
    },
    kill: () => current?.signal('SIGKILL'),
  };
}
