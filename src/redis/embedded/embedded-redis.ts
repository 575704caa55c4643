import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, resolve } from 'node:path';
import type { EmbeddedRedisError } from './embedded-redis-error.ts';
import { dieWithParent } from '../../die-with-parent.ts';
import { logLine } from '../../log-events.ts';
import type { EmbeddedRedisLogger } from './embedded-redis-logger.ts';
import { locateServer } from './locate-server.ts';
import { acquireOwnerLock, type OwnerLock } from './owner-lock.ts';
import { serverArguments } from './server-arguments.ts';
import { makeSocketDirectory } from './socket-directory.ts';
import { superviseServer, type Supervisor } from './supervisor.ts';

export interface EmbeddedRedisOptions {
  /** Where the append-only file lives; created with mode 0700, and owned by one process at a time. */
  readonly dataDirectory: string;
  /** Where a fetched server is kept; may be shared by any number of processes. */
  readonly cacheDirectory: string;
  readonly logger: EmbeddedRedisLogger;
  /** Where programs are looked for, written like PATH. */
  readonly searchPath: string;
  /** Whether a missing server may be fetched from the distribution's packages; true unless given. */
  readonly allowFetch?: boolean;
  /** Called when the server stops so often that it is only tried every 10 s; the same is logged as an error. */
  readonly onFailure?: (error: EmbeddedRedisError) => void;
  /** Where the socket's private folder is made; the system's temporary directory unless given. */
  readonly temporaryDirectory?: string;
  /** How long a starting server may stay silent, 30 s unless given. Loading its data is not silence. */
  readonly silenceLimitMs?: number;
}

export interface EmbeddedRedis {
  /** `unix://` and the socket's path, escaped as in every URL. */
  readonly url: string;
  readonly socketPath: string;
  readonly executable: string;
  readonly version: string;
  /** Why there is no server that answers, in its own last words; null while there is one. */
  trouble(): string | null;
  /** The server's process at this moment; null between the end of one and the start of the next. */
  pid(): number | null;
  /**
   * Stops the server (gracefully, by force after 5 s), removes its socket and gives the data directory free. When it
   * resolves no process and no handle is left. Idempotent.
   */
  close(): Promise<void>;
}

const CLOSE_GRACE_MS = 5_000;

/**
 * Starts a real Redis server for this process alone, and resolves when it answers PING.
 *
 * - It listens on a unix socket in a folder that only this user can enter, and on no network address.
 * - What a client has been told is written survives a kill of the server, of this process and of the machine.
 * - When the server ends by itself or is killed it is restarted on the same socket, with the same data; clients
 *   reconnect. After more than 10 ends in a minute `onFailure` is called, and it is tried every 10 s.
 * - On Linux it is killed by the kernel when this process dies in whatever way. Elsewhere it is killed when this process
 *   exits, and after a kill of this process ended by the next start on the same data directory.
 * - Must be called on the main thread, since the kernel watches the thread that starts the server.
 *
 * Throws an `EmbeddedRedisError`, having left nothing behind but what it fetched.
 */
export async function startEmbeddedRedis(options: EmbeddedRedisOptions): Promise<EmbeddedRedis> {
  const { logger, searchPath } = options;
  const dataDirectory = resolve(options.dataDirectory);
  const lock = await acquireOwnerLock(dataDirectory, searchPath, logger);
  let socketPath: string | null = null;
  try {
    socketPath = await makeSocketDirectory(options.temporaryDirectory ?? tmpdir());
    lock.noteSocket(socketPath);
    const launch = await dieWithParent(searchPath);
    const server = await locateServer({
      cacheDirectory: options.cacheDirectory,
      searchPath,
      allowFetch: options.allowFetch ?? true,
      launch,
      logger,
    });
    const supervisor = await superviseServer({
      command: launch(server.executable, serverArguments(dataDirectory, socketPath)),
      lock,
      socketPath,
      dataDirectory,
      logger,
      silenceLimitMs: options.silenceLimitMs ?? 30_000,
      onFailure: (error) => options.onFailure?.(error),
    });
    logger.info(
      ...logLine('embedded_redis_ready', { ...server, pid: supervisor.pid(), socketPath, dataDirectory }),
    );
    return {
      url: `unix://${encodeURI(socketPath)}`,
      socketPath,
      executable: server.executable,
      version: server.version,
      trouble: () => supervisor.trouble(),
      pid: () => supervisor.pid(),
      close: closerOf(supervisor, lock, socketPath),
    };
  } catch (error) {
    removeTraces(lock, socketPath);
    throw error;
  }
}

function closerOf(supervisor: Supervisor, lock: OwnerLock, socketPath: string): () => Promise<void> {
  // process.exit() gives no time to close; what can be done at once is done here, the rest by the next start.
  const onExit = (): void => {
    supervisor.kill();
    removeTraces(lock, socketPath);
  };
  process.once('exit', onExit);
  let closing: Promise<void> | null = null;
  return () => {
    closing ??= supervisor.stop(CLOSE_GRACE_MS).finally(() => {
      process.off('exit', onExit);
      removeTraces(lock, socketPath);
    });
    return closing;
  };
}

function removeTraces(lock: OwnerLock, socketPath: string | null): void {
  if (socketPath !== null) rmSync(dirname(socketPath), { recursive: true, force: true });
  lock.release();
}
