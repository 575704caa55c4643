import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** More than the server needs to start and to write down a request of usual size. */
const ROOM = Buffer.alloc(4 * 1024 * 1024, 1);
const MEANINGS: Readonly<Record<string, string>> = {
  ENOSPC: 'no space is left on its disk',
  EDQUOT: 'the quota of this user is used up',
  ENOENT: 'it is gone',
  EROFS: 'it is read-only',
  EIO: 'its disk fails',
};

/** Why a server could not keep data in a folder, as a sentence; null where it could. Tries it, with 4 MiB. */
export async function whyUnwritable(directory: string): Promise<string | null> {
  const path = join(directory, `room-${process.pid}`);
  try {
    await writeFile(path, ROOM, { mode: 0o600, flush: true });
    return null;
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    return `The data directory ${directory} cannot be written to: ${MEANINGS[code] ?? message}`;
  } finally {
    await rm(path, { force: true }).catch(() => undefined);
  }
}
