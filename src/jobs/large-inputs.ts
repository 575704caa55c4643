import type { Redis } from 'ioredis';
import { connectAside } from '../redis/connections.ts';
import { entryFields } from './entries.ts';
import type { JobEntry } from './job-record.ts';
import type { JobRef } from './job-ref.ts';
import type { Keys } from './keys.ts';

// The inputs of a large request go to Redis before its record, in pieces, over a connection of their own: what else the API
// asks is neither behind them in a socket nor behind one long write of the server. Until the record claims them they
// expire by themselves, so that a request that is given up, or a process that dies, leaves nothing.

/** What a job's inputs are: an entry each, and their different contents, each under its SHA-256. */
export interface JobInputs {
  readonly entries: readonly JobEntry[];
  readonly bytes: ReadonlyMap<string, Uint8Array>;
}

/** Bytes that go with the record, in one step. */
export const WITH_THE_RECORD = 256 * 1024;
const PIECE_BYTES = 1024 * 1024;
const PIECE_ENTRIES = 2_000;
const UNCLAIMED_SECONDS = 600;
/** The slowest disk and network that are waited for. */
const BYTES_A_SECOND = 2 * 1024 * 1024;
/** What an entry takes beside its id: digest, label, names. */
const ENTRY_BYTES = 128;

export interface LargeInputs {
  /**
   * Stores inputs from index `from` on; a job's may come in several calls. Rejects when `late` aborts, and then sends no more.
   */
  store(job: JobRef, inputs: JobInputs, late: AbortSignal, from?: number): Promise<void>;
  close(): void;
}

/** Milliseconds that so many bytes may take, beside what every call may. */
export function storingMilliseconds(bytes: number): number {
  return Math.ceil((1000 * bytes) / BYTES_A_SECOND);
}

export function sizeOf({ entries, bytes }: JobInputs): number {
  const said = entries.reduce((sum, { id }) => sum + ENTRY_BYTES + Buffer.byteLength(id), 0);
  return [...bytes.values()].reduce((sum, { length }) => sum + length, said);
}

export function createLargeInputs(redis: Redis, keys: Keys): LargeInputs {
  let aside: Redis | null = null;

  async function send(key: string, piece: Map<string, Buffer> | string[], late: AbortSignal): Promise<void> {
    late.throwIfAborted();
    aside ??= connectAside(redis);
    const transaction = aside.multi();
    if (piece instanceof Map) transaction.hset(key, piece);
    else transaction.hset(key, ...piece);
    const answers = await transaction.expire(key, UNCLAIMED_SECONDS).exec();
    const failed = answers?.find(([error]) => error !== null);
    if (answers === null || failed !== undefined) throw failed?.[0] ?? new Error('nothing was stored');
  }

  return {
    async store(job, { entries, bytes }, late, from = 0) {
      for (const piece of pieces(bytes)) await send(keys.inputs(job), piece, late);
      for (let first = 0; first < entries.length; first += PIECE_ENTRIES) {
        const some = entries.slice(first, first + PIECE_ENTRIES);
        await send(keys.entries(job), entryFields(some, from + first), late);
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
