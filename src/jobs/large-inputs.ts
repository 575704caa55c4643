import type { Redis } from 'ioredis';
import { connectAside } from '../redis/connections.ts';
import type { Keys } from './keys.ts';

// The bytes of a large request go to Redis before its record, in pieces, over a connection of their own: what else the API
// asks is neither behind them in a socket nor behind one long write of the server. Until the record claims them they
// expire by themselves, so that a request that is given up, or a process that dies, leaves nothing.

/** Bytes that go with the record, in one transaction. */
export const WITH_THE_RECORD = 256 * 1024;
const PIECE_BYTES = 1024 * 1024;
const UNCLAIMED_SECONDS = 600;
/** The slowest disk and network that are waited for. */
const BYTES_A_SECOND = 2 * 1024 * 1024;

export interface LargeInputs {
  /** Stores each input under its SHA-256; rejects when `late` aborts, and then sends no more. */
  store(id: string, bytes: ReadonlyMap<string, Uint8Array>, late: AbortSignal): Promise<void>;
  close(): void;
}

/** Milliseconds that so many bytes may take, beside what every call may. */
export function storingMilliseconds(bytes: number): number {
  return Math.ceil((1000 * bytes) / BYTES_A_SECOND);
}

export function sizeOf(bytes: ReadonlyMap<string, Uint8Array>): number {
  return [...bytes.values()].reduce((sum, { length }) => sum + length, 0);
}

export function createLargeInputs(redis: Redis, keys: Keys): LargeInputs {
  let aside: Redis | null = null;
  return {
    async store(id, bytes, late) {
      aside ??= connectAside(redis);
      const key = keys.inputs(id);
      for (const piece of pieces(bytes)) {
        late.throwIfAborted();
        const answers = await aside.multi().hset(key, piece).expire(key, UNCLAIMED_SECONDS).exec();
        const failed = answers?.find(([error]) => error !== null);
        if (answers === null || failed !== undefined) throw failed?.[0] ?? new Error('nothing was stored');
      }
    },
    close: () => aside?.disconnect(),
  };
}

/** Inputs in groups of about a mebibyte; a larger one is a group alone. */
function* pieces(bytes: ReadonlyMap<string, Uint8Array>): Generator<Map<string, Buffer>> {
  let piece = new Map<string, Buffer>();
  let size = 0;
  for (const [digest, content] of bytes) {
    if (size > 0 && size + content.length > PIECE_BYTES) {
      yield piece;
      piece = new Map();
      size = 0;
    }
    piece.set(digest, Buffer.from(content.buffer, content.byteOffset, content.length));
    size += content.length;
  }
  if (size > 0) yield piece;
}
