import type { Redis } from 'ioredis';
import {
  type Failure,
  hasEnded,
  JOB_KINDS,
  type JobKind,
  type JobRecord,
  type JobRequest,
  type JobStatus,
  STORED_STATUSES,
  type StoredStatus,
} from './job-record.ts';
import type { Keys } from './keys.ts';
import { TRANSITION } from './scripts.ts';

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
  /** `bytes` holds each distinct input under its SHA-256. */
  create(
    id: string,
    request: JobRequest,
    planned: number,
    bytes: ReadonlyMap<string, Uint8Array>,
  ): Promise<void>;
  get(id: string): Promise<JobRecord | null>;
  /** Null where `cursor` names no listed job. */
  list(kind: JobKind, limit: number, cursor: string | null): Promise<JobPage | null>;
  /** Moves the job on if its status is in `from`; answers the status it has then, or null without a job. */
  transition(id: string, from: readonly StoredStatus[], to: StoredStatus): Promise<StoredStatus | null>;
  /** Ends the job: status, time, expiry of what stays, deletion of what only the sampling needed. */
  end(id: string, to: StoredStatus, error: Failure | null): Promise<void>;
  /** Removes a job that was created but never acknowledged. */
  forget(id: string, kind: JobKind): Promise<void>;
  activeIds(): Promise<string[]>;
}

/** The record outlives its results by a week, so that a late client reads `expired`, not `not found`. */
const TOMBSTONE_SECONDS = 7 * 24 * 3600;
const COUNTERS = ['decided', 'failed', 'affirmed', 'abstained', 'correct'] as const;

export function createJobStore(
  redis: Redis,
  keys: Keys,
  retentionSeconds: number,
  now: () => number,
): JobStore {
  async function transition(
    id: string,
    from: readonly StoredStatus[],
    to: StoredStatus,
    fields: Readonly<Record<string, string | number>> = {},
  ): Promise<StoredStatus | null> {
    const flat = Object.entries(fields).flat();
    return (await redis.eval(
      TRANSITION,
      1,
      keys.job(id),
      from.join(','),
      to,
      ...flat,
    )) as StoredStatus | null;
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
      for (const [digest, content] of bytes) transaction.hset(keys.inputs(id), digest, Buffer.from(content));
      transaction.zadd(keys.list(request.kind), createdAt, id).sadd(keys.active, id);
      const answers = await transaction.exec();
      const failed = answers?.find(([error]) => error !== null);
      if (answers === null || failed !== undefined)
        throw failed?.[0] ?? new Error('the transaction was discarded');
    },

    get: async (id) => (await getMany([id]))[0] ?? null,

    async list(kind, limit, cursor) {
      const list = keys.list(kind);
      let start = 0;
      if (cursor !== null) {
        const rank = await redis.zrevrank(list, cursor);
        if (rank === null) return null;
        start = rank + 1;
      }
      // One more than asked for tells whether another page follows.
      const ids = await redis.zrevrange(list, start, start + limit);
      const records = await getMany(ids.slice(0, limit));
      const gone = ids.filter((_, index) => records[index] === null);
      if (gone.length > 0) await redis.zrem(list, ...gone);
      const jobs = records.filter((record) => record !== null);
      return { jobs, next: ids.length > limit ? (jobs.at(-1)?.id ?? null) : null };
    },

    transition(id, from, to) {
      return transition(id, from, to, to === 'running' ? { startedAt: now() } : {});
    },

    async end(id, to, error) {
      const finishedAt = now();
      const fields = {
        finishedAt,
        expiresAt: finishedAt + retentionSeconds * 1000,
        ...(error === null ? {} : { error: JSON.stringify(error) }),
      };
      const reached = await transition(id, ['queued', 'running', 'cancelling'], to, fields);
      if (reached === null || !hasEnded(reached)) return;
      await redis
        .multi()
        .expire(keys.job(id), retentionSeconds + TOMBSTONE_SECONDS)
        .expire(keys.results(id), retentionSeconds)
        .del(
          ...[keys.inputs, keys.tensors, keys.plan, keys.votes, keys.drawn, keys.chunkErrors].map((key) =>
            key(id),
          ),
        )
        .srem(keys.active, id)
        .exec();
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
  const request = JSON.parse(fields['request']) as JobRequest;
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
      correct: count('correct'),
      labelled: count('labelled'),
    },
    samplesDrawn: count('drawn'),
    samplesPlanned: count('planned'),
  };
}
