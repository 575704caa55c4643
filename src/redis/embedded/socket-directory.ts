import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { EmbeddedRedisError } from './embedded-redis-error.ts';

export const SOCKET_DIRECTORY_PREFIX = 'smoothcert-redis-';
const SOCKET_NAME = 'redis.sock';

/** `sun_path` of sockaddr_un, less its closing zero: unix(7) on Linux, 104 bytes in BSD and macOS. */
export const SOCKET_PATH_LIMIT = process.platform === 'linux' ? 107 : 103;

/**
 * Makes a fresh folder that only this user can enter (0700) and answers the path of a socket to be made in it. A path
 * too long for a socket is refused before anything is made.
 */
export async function makeSocketDirectory(temporaryDirectory: string): Promise<string> {
  const prefix = join(temporaryDirectory, SOCKET_DIRECTORY_PREFIX);
  const length = Buffer.byteLength(join(`${prefix}XXXXXX`, SOCKET_NAME));
  if (length > SOCKET_PATH_LIMIT) {
    throw new EmbeddedRedisError(
      'redis_start_failed',
      `A socket in ${temporaryDirectory} would have a path of ${length} bytes; the limit is ${SOCKET_PATH_LIMIT}. ` +
        'Set TMPDIR to a shorter path.',
    );
  }
  return join(await mkdtemp(prefix), SOCKET_NAME);
}
