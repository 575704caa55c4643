import { setTimeout as delay } from 'node:timers/promises';
import { EmbeddedRedisError } from './embedded-redis-error.ts';
import type { EmbeddedRedisLogger } from './embedded-redis-logger.ts';
import type { LaunchCommand } from '../../launch.ts';
import { logLine } from '../../log-events.ts';
import type { OwnerLock } from './owner-lock.ts';
import { removeLeavings } from './remove-leavings.ts';
import { createRestartBudget, RESTART_LIMIT } from './restart-budget.ts';
import { startServerProcess, type ServerProcess } from './server-process.ts';
import { waitUntilReady } from './wait-until-ready.ts';
import { whyUnwritable } from './why-unwritable.ts';

export interface SupervisorOptions {
  readonly command: LaunchCommand;
  readonly lock: Pick<OwnerLock, 'serverFile' | 'holds'>;
  readonly socketPath: string;
  readonly dataDirectory: string;
  readonly logger: EmbeddedRedisLogger;
  readonly silenceLimitMs: number;
  /** Called when the server has stopped too often; it is tried again, less often, until it comes up. */
  readonly onFailure: (error: EmbeddedRedisError) => void;
}

export interface Supervisor {
  pid(): number | null;
  /** Why there is no server that answers; null while there is one. */
  trouble(): string | null;
  /** Stops the server, by force after `graceMs`; resolves when its process is gone. Idempotent. */
  stop(graceMs: number): Promise<void>;
  /** Kills the server without waiting, for use while this process exits. */
  kill(): void;
}

/** Between two tries of a server that keeps failing. */
const PATIENCE_MS = 10_000;
/** Between two looks at a folder that cannot be written to. */
const ROOM_POLL_MS = 1_000;

/**
 * Starts the server, resolves when it answers, and keeps it running on the same socket until `stop`.
 *
 *     starting --answers--> running --ends--> backing off --delay--> starting
 *        |                     |                   |
 *        | ends or silent      | stop              ^ too often: every 10 s
 *        v                     v                   v
 *      refused (first start) stopped             failing
 *
 * A server that does not come up the first time is not tried again: `redis_start_failed` is thrown, since its data or
 * its installation is at fault. Later a restart that fails counts like any other end. A server that fails is reported
 * through `onFailure` once, and tried again until it comes up: a full disk gets room again. Its clients get connection
 * errors meanwhile. None is started where another one may run, in a data directory that was put in the place of the one
 * that is locked.
 */
export async function superviseServer(options: SupervisorOptions): Promise<Supervisor> {
  const { command, dataDirectory, lock, socketPath, logger } = options;
  const stopping = new AbortController();
  const budget = createRestartBudget();
  let current: ServerProcess | null = null;
  let trouble: string | null = null;
  /** Whether it has stopped too often, and has been reported. */
  let failing = false;

  /** Runs one server to its end. Resolves with how it ended; `answered` is called if it ever does. */
  const runOnce = async (answered: () => void): Promise<string> => {
    if (!lock.holds()) {
      const message = `The data directory ${dataDirectory} was removed or replaced. End this process, and start it again.`;
      throw new EmbeddedRedisError('redis_data_in_use', message);
    }
    removeLeavings(dataDirectory, socketPath);
    const server = startServerProcess(command, lock.serverFile, failing ? hushed(logger) : logger);
    current = server;
    const over = new AbortController();
    const ended = server.ended.finally(() => over.abort());
    const ready = await waitUntilReady({
      socketPath,
      silenceLimitMs: options.silenceLimitMs,
      signal: AbortSignal.any([over.signal, stopping.signal]),
    });
    let silence = '';
    if (ready) {
      trouble = null;
      answered();
    } else if (!over.signal.aborted && !stopping.signal.aborted) {
      silence = `it did not answer within ${options.silenceLimitMs} ms, `;
      server.signal('SIGKILL');
    }
    const reason = silence + (await ended);
    current = null;
    const tail = server.logTail();
    return tail === '' ? reason : `${reason}; its last words:\n${tail}`;
  };

  /** Waits until the server's folder can be written to, where it cannot: a start would fail, and each would be told. */
  const awaitRoom = async (): Promise<void> => {
    let reported = '';
    for (;;) {
      const reason = await whyUnwritable(dataDirectory);
      if (reason === null || stopping.signal.aborted) break;
      trouble = reason;
      if (reason !== reported) logger.error(...logLine('embedded_redis_unwritable', { reason }));
      reported = reason;
      await pause(ROOM_POLL_MS);
    }
    if (reported !== '') logger.info(...logLine('embedded_redis_writable', {}));
  };

  const keepRunning = async (firstEnd: Promise<string>): Promise<void> => {
    let reason = await firstEnd;
    while (!stopping.signal.aborted) {
      trouble = reason;
      await awaitRoom();
      const backoffMs = budget.next(Date.now());
      if (backoffMs !== null) logger.warn(...logLine('embedded_redis_stopped', { reason, backoffMs }));
      else if (!failing) fail(reason);
      await pause(backoffMs ?? PATIENCE_MS);
      if (stopping.signal.aborted) return;
      reason = await runOnce(() => {
        failing = false;
        logger.info(...logLine('embedded_redis_back', { pid: current?.pid }));
      }).catch(String);
    }
  };

  const fail = (reason: string): void => {
    failing = true;
    const message = `The embedded Redis server stopped more than ${RESTART_LIMIT} times in a minute: ${reason}`;
    logger.error(...logLine('embedded_redis_failing', { socketPath, detail: message }));
    options.onFailure(new EmbeddedRedisError('redis_start_failed', message));
  };

  const pause = (milliseconds: number): Promise<void> =>
    delay(milliseconds, undefined, { signal: stopping.signal }).catch(() => {});

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
    pid: () => current?.pid ?? null,
    trouble: () => trouble,
    async stop(graceMs) {
      stopping.abort();
      const server = current;
      server?.signal('SIGTERM');
      const forced = setTimeout(() => {
        logger.warn(...logLine('embedded_redis_unstoppable', { pid: server?.pid, graceMs }));
        server?.signal('SIGKILL');
      }, graceMs);
      await finished;
      clearTimeout(forced);
    },
    kill: () => current?.signal('SIGKILL'),
  };
}

/** What a server that keeps failing says each time is worth a warning once. */
function hushed(logger: EmbeddedRedisLogger): EmbeddedRedisLogger {
  const debug: EmbeddedRedisLogger['debug'] = (details, message) => logger.debug(details, message);
  return { debug, info: debug, warn: debug, error: debug };
}
