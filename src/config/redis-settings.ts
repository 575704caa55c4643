import { closeSync, openSync, readSync } from 'node:fs';
import type { Fault } from '../errors.ts';

/** The settings that say where Redis is. */
export interface RedisSettings {
  readonly REDIS_URL?: string;
  readonly REDIS_URL_FILE?: string;
}

export interface ReadRedisUrl {
  /** Null asks for an embedded server; it holds only where there are no faults. */
  readonly url: string | null;
  /** What is wrong; never with anything that the file says, for that is a secret. */
  readonly faults: readonly Fault[];
}

const MOST_BYTES = 4_096;

/** Reads the URL of Redis from REDIS_URL, or from the file that REDIS_URL_FILE names. White space around it is dropped. */
export function readRedisUrl({ REDIS_URL: url, REDIS_URL_FILE: path }: RedisSettings): ReadRedisUrl {
  if (path === undefined) return { url: url ?? null, faults: [] };
  const refuse = (detail: string) => ({ url: null, faults: [{ pointer: 'REDIS_URL_FILE', detail }] });
  if (url !== undefined) return refuse('and REDIS_URL are both set; only one is allowed');
  let bytes: Buffer;
  try {
    bytes = readStart(path);
  } catch (error) {
    return refuse(`cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}`);
  }
  if (bytes.length > MOST_BYTES) return refuse(`names a file of more than ${MOST_BYTES} bytes, not a URL`);
  const text = bytes.toString('utf8').trim();
  if (!/^(redis|rediss|unix):\/\/\S+$/.test(text))
    return refuse('names a file that does not hold one redis://, rediss:// or unix:// URL and nothing else');
  return { url: text, faults: [] };
}

/** The first bytes of a file, one more than are allowed: it may be a device or a pipe without end. */
function readStart(path: string): Buffer {
  const buffer = Buffer.alloc(MOST_BYTES + 1);
  const file = openSync(path, 'r');
  try {
    let length = 0;
    for (;;) {
      const read = readSync(file, buffer, length, buffer.length - length, null);
      length += read;
      if (read === 0 || length === buffer.length) return buffer.subarray(0, length);
    }
  } finally {
    closeSync(file);
  }
}
