import type { Redis } from 'ioredis';
import type { StoredStatus } from '../contract/status.ts';
import type { Failure } from '../errors.ts';
import type { InputTensor } from '../models/inputs/input-tensor.ts';
import type { EngineDescription } from '../engines/engine.ts';
import type { Keys } from './keys.ts';
import type { Chunk } from './plan.ts';
import { RECORD_CHUNK, SET_WHILE_UNDER_WAY, STORE_PLAN } from './scripts.ts';

/** A chunk's votes as stored, with what drew them. */
export interface ChunkVotes {
  /** Per segment of the chunk: class, count, class, count ... of the classes with votes. */
  readonly segments: readonly (readonly number[])[];
  readonly classes: number;
  readonly engine: EngineDescription;
  readonly device: { readonly name: string; readonly batchSize: number };
}

/**
 * Keeps what sampling needs between the processes: tensors, the plan of each round, votes by chunk. Everything is written
 * under a key that names what it is, so that repeating a step replaces the same thing with the same value. The end of a job
 * deletes all of it, and nothing is written for a job that has ended.
 */
export interface SamplingStore {
  inputBytes(id: string, digest: string): Promise<Uint8Array | null>;
  storeTensor(id: string, input: number, tensor: InputTensor): Promise<void>;
  tensors(id: string, inputs: readonly number[]): Promise<(InputTensor | null)[]>;
  /** The digests alone: small, where the tensors are not. */
  tensorDigests(id: string, inputs: readonly number[]): Promise<(string | null)[]>;
  /** Stores the plan of a round unless it has one, then answers the one that holds. */
  plan(id: string, round: number, make: () => Promise<readonly Chunk[]>): Promise<readonly Chunk[]>;
  /** Chunks of all rounds that draw for the input. */
  chunksOf(id: string, input: number): Promise<{ readonly key: string; readonly chunk: Chunk }[]>;
  /**
   * Whether the last chunk of the input has votes: without them it is not complete, which one look tells where reading all
   * chunks at the end of each would cost the square of their number.
   */
  lastIsDrawn(id: string, input: number): Promise<boolean>;
  votes(id: string, chunkKeys: readonly string[]): Promise<(ChunkVotes | null)[]>;
  /** Records progress, and with `votes` the end of a chunk. Answers the job's status, null without a job. */
  record(id: string, chunkKey: string, drawn: number, votes: ChunkVotes | null): Promise<StoredStatus | null>;
  recordError(id: string, chunkKey: string, failure: Failure): Promise<void>;
  errorOf(id: string, chunkKey: string): Promise<Failure | null>;
}

/** Names chunk `index` of a round; also the end of its BullMQ job id, where ":" is not allowed. */
export function chunkKey(round: number, index: number): string {
  return `${round}.${index}`;
}

export function createSamplingStore(redis: Redis, keys: Keys): SamplingStore {
  async function readPlan(id: string, round: number): Promise<Chunk[] | null> {
    const count = await redis.hget(keys.plan(id), `round:${round}`);
    if (count === null) return null;
    if (count === '0') return [];
    const fields = Array.from({ length: Number(count) }, (_, index) => chunkKey(round, index));
    const chunks = await redis.hmget(keys.plan(id), ...fields);
    return chunks.map((chunk, index) => {
      if (chunk === null) throw new Error(`the plan of job ${id} lacks chunk ${fields[index]}`);
      return JSON.parse(chunk) as Chunk;
    });
  }

  /** Chunks of all rounds that draw for the input, in the order in which they are queued. */
  async function readChunkKeys(id: string, input: number): Promise<string[]> {
    const found: string[] = [];
    for (let round = 0; ; round += 1) {
      const list = await redis.hget(keys.plan(id), `input:${input}:${round}`);
      if (list === null) return found;
      found.push(...(JSON.parse(list) as string[]));
    }
  }

  async function readDigests(id: string, inputs: readonly number[]): Promise<(string | null)[]> {
    return inputs.length === 0
      ? []
      : redis.hmget(keys.tensors(id), ...inputs.map((input) => `digest:${input}`));
  }

  return {
    inputBytes: (id, digest) => redis.hgetBuffer(keys.inputs(id), digest),
    async storeTensor(id, input, { bytes, digest }) {
      const fields = [String(input), Buffer.from(bytes), `digest:${input}`, digest];
      await redis.eval(SET_WHILE_UNDER_WAY, 2, keys.job(id), keys.tensors(id), ...fields);
    },
    async tensors(id, inputs) {
      if (inputs.length === 0) return [];
      const [bytes, digests] = await Promise.all([
        redis.hmgetBuffer(keys.tensors(id), ...inputs.map(String)),
        readDigests(id, inputs),
      ]);
      return bytes.map((tensor, index) => {
        const digest = digests[index] ?? null;
        return tensor === null || digest === null ? null : { bytes: tensor, digest };
      });
    },
    tensorDigests: readDigests,

    async plan(id, round, make) {
      const stored = await readPlan(id, round);
      if (stored !== null) return stored;
      const chunks = await make();
      const chunksByInput = new Map<number, string[]>();
      const fields: string[] = [];
      for (const [index, chunk] of chunks.entries()) {
        const key = chunkKey(round, index);
        fields.push(key, JSON.stringify(chunk));
        for (const input of new Set(chunk.map((segment) => segment.input))) {
          const list = chunksByInput.get(input);
          if (list === undefined) chunksByInput.set(input, [key]);
          else list.push(key);
        }
      }
      for (const [input, list] of chunksByInput) fields.push(`input:${input}:${round}`, JSON.stringify(list));
      await redis.eval(
        STORE_PLAN,
        2,
        keys.job(id),
        keys.plan(id),
        `round:${round}`,
        String(chunks.length),
        ...fields,
      );
      return (await readPlan(id, round)) ?? [];
    },

    async chunksOf(id, input) {
      const found = await readChunkKeys(id, input);
      if (found.length === 0) return [];
      const chunks = await redis.hmget(keys.plan(id), ...found);
      return chunks.flatMap((chunk, index) =>
        chunk === null ? [] : [{ key: found[index]!, chunk: JSON.parse(chunk) as Chunk }],
      );
    },

    async lastIsDrawn(id, input) {
      const last = (await readChunkKeys(id, input)).at(-1);
      return last !== undefined && (await redis.hexists(keys.votes(id), last)) === 1;
    },

    async votes(id, chunkKeys) {
      if (chunkKeys.length === 0) return [];
      const stored = await redis.hmget(keys.votes(id), ...chunkKeys);
      return stored.map((votes) => (votes === null ? null : (JSON.parse(votes) as ChunkVotes)));
    },

    async record(id, key, drawn, votes) {
      return (await redis.eval(
        RECORD_CHUNK,
        3,
        keys.job(id),
        keys.drawn(id),
        keys.votes(id),
        key,
        drawn,
        votes === null ? '' : JSON.stringify(votes),
      )) as StoredStatus | null;
    },

    async recordError(id, key, failure) {
      const fields = [key, JSON.stringify(failure)];
      await redis.eval(SET_WHILE_UNDER_WAY, 2, keys.job(id), keys.chunkErrors(id), ...fields);
    },
    async errorOf(id, key) {
      const failure = await redis.hget(keys.chunkErrors(id), key);
      return failure === null ? null : (JSON.parse(failure) as Failure);
    },
  };
}
