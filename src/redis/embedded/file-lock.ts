import { spawnSync } from 'node:child_process';
import { closeSync, constants, fstatSync, openSync, statSync } from 'node:fs';
import { findExecutable } from '../../find-executable.ts';
import { EmbeddedRedisError } from './embedded-redis-error.ts';

/** Locks as it opens: open(2) of macOS and the BSDs, which have no flock(1). */
const O_EXLOCK = 0x20;
/** How flock(1) ends when others hold the lock, and says nothing; BusyBox's ends so for other reasons too, and says them. */
const HELD = 1;
const LIMIT_MS = 10_000;

/**
 * Opens a file, made if need be, and locks it: answers its descriptor, or null while others hold the lock.
 *
 * The kernel keeps the lock (flock(2)) for the open file: for this process, and for every process that is started with the
 * descriptor and those that it forks. It is free when the last of them has closed the file or is dead, in whatever way and
 * whether or not anybody has reaped it; until then nobody else gets it, in another container of the machine neither. The
 * file must never be removed: whoever makes it again locks another one (`isStillAt`).
 *
 * @param searchPath where flock(1) is looked for, written like PATH
 * @throws EmbeddedRedisError `redis_start_failed` where the system or the file system has no such locks
 */
export function openLocked(path: string, searchPath: string): number | null {
  const { O_CREAT, O_NONBLOCK, O_RDWR } = constants;
  if (process.platform !== 'linux') {
    try {
      return openSync(path, O_RDWR | O_CREAT | O_NONBLOCK | O_EXLOCK, 0o600);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return null;
      throw error;
    }
  }
  const descriptor = openSync(path, O_RDWR | O_CREAT, 0o600);
  let locked = false;
  try {
    locked = lock(path, descriptor, searchPath);
  } finally {
    if (!locked) closeSync(descriptor);
  }
  return locked ? descriptor : null;
}

/** Whether that open file is still the one at the path; it is not where somebody has removed or replaced it. */
export function isStillAt(path: string, descriptor: number): boolean {
  const there = statSync(path, { throwIfNoEntry: false });
  const { dev, ino } = fstatSync(descriptor);
  return there?.ino === ino && there.dev === dev;
}

/** Node has no call for it. The program locks the open file that it is given, which stays locked when it has ended. */
function lock(path: string, descriptor: number, searchPath: string): boolean {
  const flock = findExecutable(['flock'], searchPath);
  if (flock === null)
    throw cannotLock(path, 'there is no flock on PATH (Debian: apt-get install util-linux)');
  const { status, signal, stderr, error } = spawnSync(flock, ['-n', '3'], {
    stdio: ['ignore', 'ignore', 'pipe', descriptor],
    timeout: LIMIT_MS,
    killSignal: 'SIGKILL',
    encoding: 'utf8',
  });
  if (status === 0) return true;
  if (status === HELD && stderr === '') return false;
  throw cannotLock(
    path,
    error?.message ?? `${flock} ended with ${signal ?? `status ${status}`}: ${stderr.trim()}`,
  );
}

function cannotLock(path: string, reason: string): EmbeddedRedisError {
  return new EmbeddedRedisError(
    'redis_start_failed',
    `${path} cannot be locked: ${reason}. Two servers on the same data would destroy it, so none is started. ` +
      'Choose a data directory on another file system, or set REDIS_URL to a running server.',
  );
}
