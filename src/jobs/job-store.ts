import type { Redis } from 'ioredis';
import {
  ARROWS,
  JOB_KINDS,
  type JobKind,
  type JobStatus,
  STORED_STATUSES,
  type StoredStatus,
} from '../contract/status.ts';
import type { EngineDescription } from '../engines/engine.ts';
import type { Failure } from '../errors.ts';
import type { JobRecord, JobRequest } from './job-record.ts';
import type { Keys } from './keys.ts';
import { BIND, END, POOL_GONE, REBIND, TRANSITION } from './scripts.ts';

/** A page of job ids, newest first, and where the next one starts. */
export interface JobPage {
  readonly jobs: readonly JobRecord[];
  readonly next: string | null;
}

/**
 * Keeps the jobs' records. A created job is in Redis whole or not at all; a status only ever moves along the arrows of
 * `job-record.ts`, whoever asks at the same time.
 */
export interface JobStore {
  /** `bytes` holds each distinct input under its SHA-256; null where they are stored already and expire unless claimed. */
  create(
    id: string,
    request: JobRequest,
    planned: number,
    bytes: ReadonlyMap<string, Uint8Array> | null,
  ): Promise<void>;
  get(id: string): Promise<JobRecord | null>;
  /** The status alone, null without a job. */
  statusOf(id: string): Promise<StoredStatus | null>;
  /** Null where `cursor` names no listed job. */
  list(kind: JobKind, limit: number, cursor: string | null): Promise<JobPage | null>;
  /** Moves the job on if its status is in `from`; answers the status it has then, or null without a job. */
  transition(id: string, from: readonly StoredStatus[], to: StoredStatus): Promise<StoredStatus | null>;
  /** Binds a running job to a pool unless it has one; answers the pool that holds, null where the job does not run. */
  bind(id: string, engine: EngineDescription): Promise<EngineDescription | null>;
  /**
   * Binds a running job of this binding to another pool and drops all its votes in the same step; its results stay.
   *
   * @param drawn samples drawn for the inputs that have results
   * @returns whether this call did it
   */
  rebind(job: Pick<JobRecord, 'id' | 'binding'>, engine: EngineDescription, drawn: number): Promise<boolean>;
  /** Notes that the job's pool is gone; answers for how many seconds it has been, null where the job does not run. */
  poolGone(id: string): Promise<number | null>;
  poolIsBack(id: string): Promise<void>;
  /**
   * Ends the job: status, time, expiry of what stays, deletion of what only the sampling needed, in one step. Nothing
   * happens where no arrow leads to `to`; a job that is being cancelled ends `cancelled`, whatever is asked for.
   */
  end(id: string, to: StoredStatus, error: Failure | null): Promise<void>;
  /** Removes a job that was created but never acknowledged. */
  forget(id: string, kind: JobKind): Promise<void>;
  activeIds(): Promise<string[]>;
}

/** The record outlives its results by a week, so that a late client reads `expired`, not `not found`. */
const TOMBSTONE_SECONDS = 7 * 24 * 3600;
const COUNTERS = ['decided', 'failed', 'affirmed', 'abstained', 'reproduced', 'correct'] as const;

export function createJobStore(
  redis: Redis,
  keys: Keys,
  retentionSeconds: number,
  now: () => number,
): JobStore {
  const ofChunks = [keys.plan, keys.ended, keys.votes, keys.drawn, keys.chunkErrors];

  async function transition(
    id: string,
    from: readonly StoredStatus[],
    to: StoredStatus,
  ): Promise<StoredStatus | null> {
    const fields = to === 'running' ? ['startedAt', now()] : [];
    const allowed = from.filter((status) => ARROWS[status].includes(to)).join(',');
    return (await redis.eval(TRANSITION, 1, keys.job(id), allowed, to, ...fields)) as StoredStatus | null;
  }

  async function getMany(ids: readonly string[]): Promise<(JobRecord | null)[]> {
    if (ids.length === 0) return [];
    const pipeline = redis.pipeline();
    for (const id of ids) pipeline.hgetall(keys.job(id));
    const answers = (await pipeline.exec()) ?? [];
    return answers.map(([error, fields], index) => {
      if (error !== null) throw error;
      return parseRecord(ids[index]!, fields as Record<string, string>, now());
    });
  }

  return {
    async create(id, request, planned, bytes) {
      const createdAt = now();
      const labelled = request.inputs.filter((input) => input.label !== null).length;
      const counters = Object.fromEntries(COUNTERS.map((name) => [name, 0]));
      const fields = {
        request: JSON.stringify(request),
        status: 'queued',
        createdAt,
        planned,
        drawn: 0,
        labelled,
      };
      const transaction = redis.multi().hset(keys.job(id), { ...fields, ...counters });
      if (bytes === null) transaction.persist(keys.inputs(id));
      for (const [digest, { buffer, byteOffset, length }] of bytes ?? [])
        transaction.hset(keys.inputs(id), digest, Buffer.from(buffer, byteOffset, length));
      transaction.zadd(keys.list(request.kind), createdAt, id).sadd(keys.active, id);
      const answers = await transaction.exec();
      const failed = answers?.find(([error]) => error !== null);
      if (answers === null || failed !== undefined)
        throw failed?.[0] ?? new Error('the transaction was discarded');
      if (bytes === null && answers[1]![1] !== 1) throw new Error('the inputs stored before are gone');
    },

    get: async (id) => (await getMany([id]))[0] ?? null,
    statusOf: async (id) => (await redis.hget(keys.job(id), 'status')) as StoredStatus | null,

    async list(kind, limit, cursor) {
      const list = keys.list(kind);
      for (;;) {
        let start = 0;
        if (cursor !== null) {
          const rank = await redis.zrevrank(list, cursor);
          if (rank === null) return null;
          start = rank + 1;
        }
        // One more than asked for tells whether another page follows.
        const ids = await redis.zrevrange(list, start, start + limit);
        const records = await getMany(ids);
        const gone = ids.filter((_, index) => records[index] === null);
        if (gone.length === 0) {
          const jobs = records.slice(0, limit).filter((record) => record !== null);
          return { jobs, next: ids.length > limit ? jobs.at(-1)!.id : null };
        }
        // Records that have expired leave the list; the page is read again, so that it is full and has its cursor.
        await redis.zrem(list, ...gone);
      }
    },

    transition,

    async bind(id, engine) {
      const stored = (await redis.eval(BIND, 1, keys.job(id), JSON.stringify(engine))) as string | null;
      return stored === null ? null : (JSON.parse(stored) as EngineDescription);
    },

    async rebind({ id, binding }, engine, drawn) {
      const touched = [keys.job(id), ...ofChunks.map((key) => key(id))];
      const text = JSON.stringify(engine);
      return (await redis.eval(REBIND, touched.length, ...touched, binding, text, drawn)) === 1;
    },
    poolGone: async (id) => (await redis.eval(POOL_GONE, 1, keys.job(id))) as number | null,
    poolIsBack: async (id) => void (await redis.hdel(keys.job(id), 'poolGoneSince')),

    async end(id, to, error) {
      const finishedAt = now();
      const ofSampling = [keys.inputs, keys.tensors, ...ofChunks];
      const touched = [keys.job(id), keys.results(id), keys.active, ...ofSampling.map((key) => key(id))];
      await redis.eval(
        END,
        touched.length,
        ...touched,
        to,
        id,
        retentionSeconds + TOMBSTONE_SECONDS,
        retentionSeconds,
        finishedAt,
        finishedAt + retentionSeconds * 1000,
        error === null ? '' : JSON.stringify(error),
      );
    },

    async forget(id, kind) {
      await redis
        .multi()
        .del(keys.job(id), keys.inputs(id))
        .zrem(keys.list(kind), id)
        .srem(keys.active, id)
        .exec();
    },

    activeIds: () => redis.smembers(keys.active),
  };
}

function parseRecord(id: string, fields: Record<string, string>, now: number): JobRecord | null {
  if (fields['request'] === undefined) return null;
  const stored = JSON.parse(fields['request']) as JobRequest;
  // Releases that recorded no law drew by this one alone.
  const first = { distribution: 'gaussian', scheme: 'rounded-gaussian', version: 1 } as const;
  const request: JobRequest = {
    ...stored,
    noise: stored.noise ?? { ...first, sigma: stored.parameters.sigma },
  };
  const status = STORED_STATUSES.find((each) => each === fields['status']);
  if (status === undefined || !JOB_KINDS.includes(request.kind))
    throw new Error(`job ${id} has no valid record`);
  const time = (name: string): number | null => (fields[name] === undefined ? null : Number(fields[name]));
  const count = (name: string): number => Number(fields[name] ?? 0);
  const expiresAt = time('expiresAt');
  const shown: JobStatus = expiresAt !== null && now >= expiresAt ? 'expired' : status;
  return {
    id,
    request,
    status: shown,
    engine: fields['engine'] === undefined ? null : (JSON.parse(fields['engine']) as EngineDescription),
    binding: count('binding'),
    createdAt: count('createdAt'),
    startedAt: time('startedAt'),
    finishedAt: time('finishedAt'),
    expiresAt,
    error: fields['error'] === undefined ? null : (JSON.parse(fields['error']) as Failure),
    counts: {
      decided: count('decided'),
      failed: count('failed'),
      affirmed: count('affirmed'),
      abstained: count('abstained'),
      reproduced: count('reproduced'),
      correct: count('correct'),
      labelled: count('labelled'),
    },
    samplesDrawn: count('drawn'),
    samplesPlanned: count('planned'),
  };
}
