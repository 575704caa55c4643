import {
  chmodSync,
  closeSync,
  ftruncateSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { logLine } from '../../log-events.ts';
import { askServer } from './ask-server.ts';
import { EmbeddedRedisError } from './embedded-redis-error.ts';
import type { EmbeddedRedisLogger } from './embedded-redis-logger.ts';
import { isStillAt, openLocked } from './file-lock.ts';
import { SOCKET_DIRECTORY_PREFIX } from './socket-directory.ts';

export interface OwnerLock {
  /** An open file that every server of this owner must be started with: while one runs, nobody else gets the data. */
  readonly serverFile: number;
  /** Whether the directory is still the one that is locked; another owner may have one that was put in its place. */
  holds(): boolean;
  /** Notes the socket of this owner's servers, for the next owner should this one be killed. */
  noteSocket(socketPath: string): void;
  /** Gives the data directory free; to be called when no server runs any more. Synchronous; idempotent. */
  release(): void;
}

/** Whoever has just got a lock has said so by then, and whoever was killed is gone. */
const SETTLED_WITHIN_MS = 2_000;
/** A server that is told to end does so at once; a child of its that rewrites the data misses it after a second. */
const GONE_WITHIN_MS = 30_000;
const POLL_MS = 25;

/**
 * Makes this process the only owner of a data directory (created if need be, 0700), or throws `redis_data_in_use`
 * with the pid of the owner.
 *
 * Two servers on one append-only file destroy it, so two locks of the kernel keep others off: `owner.lock` is held for
 * as long as this process lives, whether a server runs or not, and `server.lock` for as long as a server or a child of
 * one does. Whoever has the first knows that the owner before is dead, and may end its server; whoever has both is
 * alone. The files stay for ever. What is written in them serves messages, and the end of a server that was left.
 */
export async function acquireOwnerLock(
  dataDirectory: string,
  searchPath: string,
  logger: EmbeddedRedisLogger,
): Promise<OwnerLock> {
  mkdirSync(dataDirectory, { recursive: true, mode: 0o700 });
  chmodSync(dataDirectory, 0o700);
  const ownerPath = join(dataDirectory, 'owner.lock');
  const serverPath = join(dataDirectory, 'server.lock');
  const held: number[] = [];
  const release = (): void => {
    for (const file of held.splice(0).toReversed()) {
      writeNote(file, '');
      closeSync(file);
    }
  };
  try {
    const owner = await lockWithin(SETTLED_WITHIN_MS, ownerPath, searchPath, () => {
      const pid = Number(readNote(ownerPath));
      // One that is dead was the owner before the one that has just locked the file.
      if (isThere(pid)) throw inUse(dataDirectory, `process ${pid}. Stop that process`);
    });
    if (owner === null) throw inUse(dataDirectory, 'another process. Stop that process');
    held.push(owner);
    respectClaims(dataDirectory);
    const killed = readNote(ownerPath);
    if (killed !== '') logger.warn(...logLine('embedded_redis_owner_killed', { owner: Number(killed) }));
    writeNote(owner, String(process.pid));

    const noted = readNote(serverPath);
    const left = basename(dirname(noted)).startsWith(SOCKET_DIRECTORY_PREFIX) ? noted : null;
    let told = false;
    const server = await lockWithin(GONE_WITHIN_MS, serverPath, searchPath, async () => {
      if (told) return;
      told = true;
      logger.warn(...logLine('embedded_redis_leftover', { socketPath: left }));
      // With an fsync before every acknowledgement there is nothing left to save.
      if (left !== null) await askServer(left, (client) => client.shutdown('NOSAVE')).catch(() => undefined);
    });
    if (server === null)
      throw inUse(dataDirectory, `a left-over server. Stop the process that has ${serverPath} open`);
    held.push(server);
    if (left !== null) rmSync(dirname(left), { recursive: true, force: true });
    return {
      serverFile: server,
      holds: () => isStillAt(ownerPath, owner) && isStillAt(serverPath, server),
      noteSocket: (path) => writeNote(server, path),
      release,
    };
  } catch (error) {
    release();
    throw error;
  }
}

/** Earlier builds kept no lock but wrote down who they are: what one of them runs is respected, what it left is removed. */
function respectClaims(dataDirectory: string): void {
  for (const name of readdirSync(dataDirectory).filter((each) => /^owner-\d+-\d+\.lock$/.test(each))) {
    const path = join(dataDirectory, name);
    const living = [...readNote(path).matchAll(/"pid":(\d+)/g)].map(([, pid]) => Number(pid)).find(isThere);
    if (living !== undefined)
      throw inUse(
        dataDirectory,
        `process ${living}, as ${path} says. Stop that process, or delete that file`,
      );
    rmSync(path);
  }
}

/** Locks the file as soon as nobody else has it; null when they have it for too long. `whileHeld` is called at each try. */
async function lockWithin(
  milliseconds: number,
  path: string,
  searchPath: string,
  whileHeld: () => void | Promise<void>,
): Promise<number | null> {
  const deadline = Date.now() + milliseconds;
  for (;;) {
    const file = openLocked(path, searchPath);
    if (file !== null || Date.now() > deadline) return file;
    await whileHeld();
    await delay(POLL_MS);
  }
}

function inUse(dataDirectory: string, by: string): EmbeddedRedisError {
  return new EmbeddedRedisError(
    'redis_data_in_use',
    `The data directory ${dataDirectory} is in use by ${by}, or choose another data directory.`,
  );
}

function isThere(pid: number): boolean {
  if (!(pid > 0)) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function readNote(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** On a full disk nothing is noted: locks hold all the same. */
function writeNote(file: number, text: string): void {
  try {
    ftruncateSync(file);
    writeSync(file, text, 0);
  } catch {
    // A message will name no process, and a server be waited for that could have been told to end.
  }
}
