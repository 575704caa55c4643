import type { Redis } from 'ioredis';
import type { StoredStatus } from '../contract/status.ts';
import type { Failure } from '../errors.ts';
import type { InputTensor } from '../models/inputs/input-tensor.ts';
import type { ChunkVotes } from '../smoothing/evidence.ts';
import type { JobRecord } from './job-record.ts';
import type { JobRef } from './job-ref.ts';
import type { Keys } from './keys.ts';
import { type Plan, planOf, type Round } from './plan.ts';
import { runJobScript, runScript, runScriptForBytes, type Script } from './run-script.ts';
import {
  READ_INPUTS,
  GIVE_UP_CHUNK,
  MARK_QUEUED,
  RECORD_CHUNK,
  SET_WHILE_UNDER_WAY,
  STORE_ROUND,
} from './scripts.ts';
import { failureFormat } from './stored/record.ts';
import { roundFormat, votesFormat } from './stored/sampling.ts';

/** A job and the binding that plan, chunks and votes belong to. */
export type BoundJob = JobRef & Pick<JobRecord, 'binding'>;

/** How a job stands after something was written for a chunk; `rebound` if the chunk is of an earlier binding. */
export type ChunkStatus = StoredStatus | 'rebound' | null;

/** Where the sampling of a job stands. */
export interface SamplingProgress {
  readonly plan: Plan;
  /** All chunks before this number have been in the queue. */
  readonly queued: number;
  /** How many chunks have their votes, or will have none. */
  readonly ended: number;
}

/**
 * Keeps what sampling needs between the processes: tensors, the plan of each round, votes by chunk. Everything is written
 * under a key that names what it is, so that repeating a step writes the same thing again. The end of a job deletes all of
 * it, and nothing is written for a job that has ended, or for a binding that has.
 */
export interface SamplingStore {
  /**
   * The bytes of inputs by their digests, as sent: of the first of these, as far as they come to `most` bytes and of one at
   * least; null for those that are not stored.
   */
  inputBytes(job: JobRef, digests: readonly string[], most: number): Promise<(Uint8Array | null)[]>;
  /** Stores tensors by input, together: a Redis that syncs every write syncs them once. */
  storeTensors(job: JobRef, tensors: ReadonlyMap<number, InputTensor>): Promise<void>;
  tensors(job: JobRef, inputs: readonly number[]): Promise<(InputTensor | null)[]>;
  /** The digests alone: small, where the tensors are not. */
  tensorDigests(job: JobRef, inputs: readonly number[]): Promise<(string | null)[]>;
  plan(job: BoundJob): Promise<Plan>;
  /** Stores a round unless there is one of that number. */
  storeRound(job: BoundJob, number: number, round: Round): Promise<void>;
  progress(job: BoundJob): Promise<SamplingProgress>;
  /** Numbers of the chunks that have been queued and have not ended. */
  underWay(job: BoundJob): Promise<number[]>;
  /** Notes that all chunks before `number` have been queued. */
  markQueued(job: BoundJob, number: number): Promise<ChunkStatus>;
  hasEnded(job: JobRef, chunk: number): Promise<boolean>;
  votes(job: BoundJob, chunks: readonly number[]): Promise<(ChunkVotes | null)[]>;
  /** Records progress, and with `votes` the end of a chunk. The first votes of a chunk are those that count. */
  record(job: BoundJob, chunk: number, drawn: number, votes: ChunkVotes | null): Promise<ChunkStatus>;
  /** Ends a chunk that will have no votes. */
  giveUp(job: BoundJob, chunk: number): Promise<ChunkStatus>;
  /** Forgets votes that nobody will read again. */
  dropVotes(job: BoundJob, chunks: readonly number[]): Promise<void>;
  recordError(job: BoundJob, chunk: number, failure: Failure): Promise<void>;
  errorOf(job: BoundJob, chunk: number): Promise<Failure | null>;
}

/** Names a chunk of a job for good: no two bindings share a name. */
export function chunkName({ binding }: Pick<JobRecord, 'binding'>, chunk: number): string {
  return `${binding}-${chunk}`;
}

const QUEUED = 'queued';
/** Chunks asked for in one command: no command holds up others for long. */
const CHUNKS_A_COMMAND = 5_000;

function* parts(job: BoundJob, chunks: readonly number[]): Generator<string[], undefined> {
  for (let from = 0; from < chunks.length; from += CHUNKS_A_COMMAND) {
    yield chunks.slice(from, from + CHUNKS_A_COMMAND).map((chunk) => chunkName(job, chunk));
  }
}

export function createSamplingStore(redis: Redis, keys: Keys): SamplingStore {
  async function readDigests(job: JobRef, inputs: readonly number[]): Promise<(string | null)[]> {
    return inputs.length === 0
      ? []
      : redis.hmget(keys.tensors(job), ...inputs.map((input) => `digest:${input}`));
  }

  // Fields carry the binding, so that what was read just before a new one is not taken for a part of it.
  const field = ({ binding }: BoundJob, name: string | number): string => `${binding}:${name}`;

  function toPlan(job: BoundJob, fields: Readonly<Record<string, string>>): Plan {
    const rounds: Round[] = [];
    for (;;) {
      const round = fields[field(job, rounds.length)];
      if (round === undefined) return planOf(rounds);
      rounds.push(roundFormat.read(round));
    }
  }

  async function readPlan(job: BoundJob): Promise<{ plan: Plan; queued: number }> {
    const fields = await redis.hgetall(keys.plan(job));
    return { plan: toPlan(job, fields), queued: Number(fields[field(job, QUEUED)] ?? 0) };
  }

  const script = async (text: Script, keysOf: string[], ...values: (string | number)[]) =>
    (await runScript(redis, text, keysOf, values)) as ChunkStatus;

  return {
    inputBytes: async (job, digests, most) =>
      (await runScriptForBytes(
        redis,
        READ_INPUTS,
        [keys.inputs(job)],
        [most, ...digests],
      )) as (Buffer | null)[],
    async storeTensors(job, tensors) {
      if (tensors.size === 0) return;
      const fields = [...tensors].flatMap(([input, { bytes, digest }]) => [
        String(input),
        Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length),
        `digest:${input}`,
        digest,
      ]);
      await runScript(redis, SET_WHILE_UNDER_WAY, [keys.job(job), keys.tensors(job)], fields);
    },
    async tensors(job, inputs) {
      if (inputs.length === 0) return [];
      const [bytes, digests] = await Promise.all([
        redis.hmgetBuffer(keys.tensors(job), ...inputs.map(String)),
        readDigests(job, inputs),
      ]);
      return bytes.map((tensor, index) => {
        const digest = digests[index] ?? null;
        return tensor === null || digest === null ? null : { bytes: tensor, digest };
      });
    },
    tensorDigests: readDigests,

    plan: async (job) => (await readPlan(job)).plan,
    async storeRound(job, number, round) {
      const text = roundFormat.write(round);
      const values = [job.binding, field(job, number), text, number];
      await runJobScript(redis, keys, job, STORE_ROUND, [keys.job(job), keys.plan(job)], values);
    },
    async progress(job) {
      const [read, ended] = await Promise.all([readPlan(job), redis.bitcount(keys.ended(job))]);
      return { ...read, ended };
    },
    async underWay(job) {
      const [{ queued }, bits] = await Promise.all([readPlan(job), redis.getBuffer(keys.ended(job))]);
      const found: number[] = [];
      for (let chunk = 0; chunk < queued; chunk += 1) {
        const eight = bits?.[chunk >> 3] ?? 0;
        // Mostly all chunks but the last few have ended.
        if (eight === 0xff) chunk |= 7;
        else if (((eight >> (7 - (chunk & 7))) & 1) === 0) found.push(chunk);
      }
      return found;
    },
    markQueued: (job, number) =>
      script(MARK_QUEUED, [keys.job(job), keys.plan(job)], job.binding, field(job, QUEUED), number),
    hasEnded: async (job, chunk) => (await redis.getbit(keys.ended(job), chunk)) === 1,

    async votes(job, chunks) {
      const found: (ChunkVotes | null)[] = [];
      for (const names of parts(job, chunks)) {
        const stored = await redis.hmget(keys.votes(job), ...names);
        for (const votes of stored) found.push(votes === null ? null : votesFormat.read(votes));
      }
      return found;
    },
    record(job, chunk, drawn, votes) {
      const touched = [keys.job(job), keys.drawn(job), keys.votes(job), keys.ended(job)];
      const text = votes === null ? '' : votesFormat.write(votes);
      return script(RECORD_CHUNK, touched, job.binding, chunk, chunkName(job, chunk), drawn, text);
    },
    giveUp: (job, chunk) => script(GIVE_UP_CHUNK, [keys.job(job), keys.ended(job)], job.binding, chunk),
    async dropVotes(job, chunks) {
      for (const names of parts(job, chunks)) await redis.hdel(keys.votes(job), ...names);
    },

    async recordError(job, chunk, failure) {
      const fields = [chunkName(job, chunk), failureFormat.write(failure)];
      await runScript(redis, SET_WHILE_UNDER_WAY, [keys.job(job), keys.chunkErrors(job)], fields);
    },
    async errorOf(job, chunk) {
      const failure = await redis.hget(keys.chunkErrors(job), chunkName(job, chunk));
      return failure === null ? null : failureFormat.read(failure);
    },
  };
}
