import type { Redis } from 'ioredis';
import type { Kind } from '../contract/kinds.ts';
import { ARROWS, type StoredStatus } from '../contract/status.ts';
import type { EngineDescription } from '../engines/engine.ts';
import type { Failure } from '../errors.ts';
import { CREATE } from './create-script.ts';
import { entryFields } from './entries.ts';
import { type Claim, CLAIM_SECONDS } from './idempotency.ts';
import type { JobRecord, JobRequest } from './job-record.ts';
import { type JobRef, parseRef, refText } from './job-ref.ts';
import type { Keys } from './keys.ts';
import type { JobInputs } from './large-inputs.ts';
import { runJobScript, runScript } from './run-script.ts';
import { BIND, END, FORGET, POOL_GONE, REBIND, TRANSITION } from './scripts.ts';
import { claimFormat } from './stored/claim.ts';
import { isNewerRelease } from './stored/format.ts';
import { readRecord, readStatus, RECORD_VERSION } from './stored/read-record.ts';
import { engineFormat, failureFormat, requestFormat } from './stored/record.ts';

/** A page of job ids, newest first, and where the next one starts. */
export interface JobPage {
  readonly jobs: readonly JobRecord[];
  /** Ids of the page's jobs that newer releases wrote. */
  readonly newer: readonly string[];
  readonly next: string | null;
}

/**
 * Keeps the jobs' records. A created job is in Redis whole or not at all; a status only ever moves along the arrows of
 * `job-record.ts`, whoever asks at the same time.
 */
export interface JobStore {
  /**
   * @param inputs null where they are stored already, and expire unless this claims them
   * @param key a client's idempotency key, which is taken in the same step, and the request's fingerprint
   * @returns null, or what the key stands for where that is another job: then nothing was created
   * @throws Error where they are not all there
   */
  create(
    job: JobRef,
    request: JobRequest,
    size: JobSize,
    inputs: JobInputs | null,
    key?: IdempotencyKey | null,
  ): Promise<Claim | null>;
  /** What a client's idempotency key stands for, null where it is free. */
  claimed(owner: string, kind: Kind, key: string): Promise<Claim | null>;
  /** @throws DomainError `release_mismatch` for a job that a newer release wrote */
  get(job: JobRef): Promise<JobRecord | null>;
  /**
   * The status alone, null without a job.
   *
   * @throws DomainError `release_mismatch` for a job that a newer release wrote
   */
  statusOf(job: JobRef): Promise<StoredStatus | null>;
  /** Null where `cursor` names no listed job. */
  list(owner: string, kind: Kind, limit: number, cursor: string | null): Promise<JobPage | null>;
  /** Moves the job on if its status is in `from`; answers the status it has then, or null without a job. */
  transition(job: JobRef, from: readonly StoredStatus[], to: StoredStatus): Promise<StoredStatus | null>;
  /** Binds a running job to a pool unless it has one; answers the pool that holds, null where the job does not run. */
  bind(job: JobRef, engine: EngineDescription): Promise<EngineDescription | null>;
  /**
   * Binds a running job of this binding to another pool and drops all its votes in the same step; its results stay.
   *
   * @param drawn samples drawn for the inputs that have results
   * @returns whether this call did it
   */
  rebind(
    job: JobRef & Pick<JobRecord, 'binding'>,
    engine: EngineDescription,
    drawn: number,
  ): Promise<boolean>;
  /** Notes that the job's pool is gone; answers for how many seconds it has been, null where the job does not run. */
  poolGone(job: JobRef): Promise<number | null>;
  poolIsBack(job: JobRef): Promise<void>;
  /**
   * Ends the job: status, time, expiry of what stays, deletion of what only the sampling needed, in one step. Nothing
   * happens where no arrow leads to `to`; a job that is being cancelled ends `cancelled`, whatever is asked for.
   */
  end(job: JobRef, to: StoredStatus, error: Failure | null): Promise<void>;
  /** Removes a job that was created but never acknowledged. */
  forget(job: JobRef, kind: Kind): Promise<void>;
  /** Jobs that have not ended. */
  active(): Promise<JobRef[]>;
}

/** A client's key, and the fingerprint of the request that it came with. */
export interface IdempotencyKey {
  readonly key: string;
  readonly fingerprint: string;
}

/** What is counted once, when a job is created. */
export interface JobSize {
  readonly inputs: number;
  /** Inputs that carry a reference label. */
  readonly labelled: number;
  /** Different contents of inputs: alike ones are stored once. */
  readonly contents: number;
  readonly samplesPlanned: number;
}

/** The record outlives its results by a week, so that a late client reads `expired`, not `not found`. */
const TOMBSTONE_SECONDS = 7 * 24 * 3600;
const COUNTERS = ['decided', 'failed', 'affirmed', 'abstained', 'reproduced', 'correct'] as const;
const NO_INPUTS: JobInputs = { entries: [], bytes: new Map() };

export function createJobStore(
  redis: Redis,
  keys: Keys,
  retentionSeconds: number,
  now: () => number,
): JobStore {
  const ofChunks = [keys.plan, keys.ended, keys.votes, keys.drawn, keys.chunkErrors];

  async function transition(
    job: JobRef,
    from: readonly StoredStatus[],
    to: StoredStatus,
  ): Promise<StoredStatus | null> {
    const fields = to === 'running' ? ['startedAt', now()] : [];
    const allowed = from.filter((status) => ARROWS[status].includes(to)).join(',');
    const values = [allowed, to, ...fields];
    const reached = await runJobScript(redis, keys, job, TRANSITION, [keys.job(job)], values);
    return reached as StoredStatus | null;
  }

  async function getMany(jobs: readonly JobRef[]): Promise<(JobRecord | null)[]> {
    if (jobs.length === 0) return [];
    const pipeline = redis.pipeline();
    for (const job of jobs) pipeline.hgetall(keys.job(job));
    const answers = (await pipeline.exec()) ?? [];
    return answers.map(([error, fields], index) => {
      if (error !== null) throw error;
      return readRecord(jobs[index]!, fields as Record<string, string>, now());
    });
  }

  /** Records of a list by id; those that newer releases wrote are left out, and named. */
  async function getListed(owner: string, ids: readonly string[]) {
    const jobs: JobRecord[] = [];
    const newer: string[] = [];
    const gone: string[] = [];
    const pipeline = redis.pipeline();
    for (const id of ids) pipeline.hgetall(keys.job({ owner, id }));
    const answers = (await pipeline.exec()) ?? [];
    for (const [index, [error, fields]] of answers.entries()) {
      if (error !== null) throw error;
      const id = ids[index]!;
      try {
        const record = readRecord({ owner, id }, fields as Record<string, string>, now());
        if (record === null) gone.push(id);
        else jobs.push(record);
      } catch (cause) {
        if (!isNewerRelease(cause)) throw cause;
        newer.push(id);
      }
    }
    return { jobs, newer, gone };
  }

  return {
    async create(job, request, size, inputs, key = null) {
      const createdAt = now();
      const counters = Object.fromEntries(COUNTERS.map((name) => [name, 0]));
      const fields = Object.entries({
        version: RECORD_VERSION,
        request: requestFormat.write(request),
        status: 'queued',
        createdAt,
        retention: retentionSeconds,
        inputs: size.inputs,
        labelled: size.labelled,
        planned: size.samplesPlanned,
        drawn: 0,
        ...counters,
      }).flat();
      const { entries, bytes } = inputs ?? NO_INPUTS;
      const said = entryFields(entries);
      const contents = [...bytes].flatMap(([digest, { buffer, byteOffset, length }]) => [
        digest,
        Buffer.from(buffer, byteOffset, length),
      ]);
      const touched = [
        keys.job(job),
        keys.entries(job),
        keys.inputs(job),
        keys.list(job.owner, request.kind),
        keys.active,
        ...(key === null ? [] : [keys.idempotency(job.owner, request.kind, key.key)]),
      ];
      const claim = key === null ? '' : claimFormat.write({ id: job.id, fingerprint: key.fingerprint });
      const sizes = [size.inputs, size.contents];
      const given = [fields.length, ...fields, said.length, ...said, ...contents];
      const values = [job.id, refText(job), createdAt, ...sizes, claim, CLAIM_SECONDS, ...given];
      const created = await runJobScript(redis, keys, job, CREATE, touched, values);
      if (created === 0) throw new Error('the inputs stored before are gone');
      return created === 1 ? null : claimFormat.read(String(created));
    },

    async claimed(owner, kind, key) {
      const stored = await redis.get(keys.idempotency(owner, kind, key));
      return stored === null ? null : claimFormat.read(stored);
    },

    get: async (job) => (await getMany([job]))[0] ?? null,
    async statusOf(job) {
      const [status = null, version = null] = await redis.hmget(keys.job(job), 'status', 'version');
      return status === null ? null : readStatus(job, status, version);
    },

    async list(owner, kind, limit, cursor) {
      const list = keys.list(owner, kind);
      for (;;) {
        let start = 0;
        if (cursor !== null) {
          const rank = await redis.zrevrank(list, cursor);
          if (rank === null) return null;
          start = rank + 1;
        }
        // One more than asked for tells whether another page follows.
        const ids = await redis.zrevrange(list, start, start + limit);
        const { jobs, newer, gone } = await getListed(owner, ids);
        if (gone.length === 0) {
          const shown = new Set(ids.slice(0, limit));
          return {
            jobs: jobs.filter(({ id }) => shown.has(id)),
            newer: newer.filter((id) => shown.has(id)),
            next: ids.length > limit ? ids[limit - 1]! : null,
          };
        }
        // Records that have expired leave the list; the page is read again, so that it is full and has its cursor.
        await redis.zrem(list, ...gone);
      }
    },

    transition,

    async bind(job, engine) {
      const stored = (await runJobScript(
        redis,
        keys,
        job,
        BIND,
        [keys.job(job)],
        [engineFormat.write(engine)],
      )) as string | null;
      return stored === null ? null : engineFormat.read(stored);
    },

    async rebind(job, engine, drawn) {
      const touched = [keys.job(job), ...ofChunks.map((key) => key(job))];
      const text = engineFormat.write(engine);
      return (await runJobScript(redis, keys, job, REBIND, touched, [job.binding, text, drawn])) === 1;
    },
    poolGone: async (job) => (await runScript(redis, POOL_GONE, [keys.job(job)])) as number | null,
    poolIsBack: async (job) => void (await redis.hdel(keys.job(job), 'poolGoneSince')),

    async end(job, to, error) {
      const finishedAt = now();
      const kept = [keys.job(job), keys.results(job), keys.entries(job), keys.active];
      const touched = [...kept, ...[keys.inputs, keys.tensors, ...ofChunks].map((key) => key(job))];
      await runJobScript(redis, keys, job, END, touched, [
        to,
        refText(job),
        retentionSeconds + TOMBSTONE_SECONDS,
        retentionSeconds,
        finishedAt,
        finishedAt + retentionSeconds * 1000,
        error === null ? '' : failureFormat.write(error),
      ]);
    },

    async forget(job, kind) {
      const touched = [
        keys.job(job),
        keys.list(job.owner, kind),
        keys.active,
        keys.inputs(job),
        keys.entries(job),
      ];
      await runJobScript(redis, keys, job, FORGET, touched, [job.id, refText(job), retentionSeconds]);
    },

    async active() {
      const members = await redis.smembers(keys.active);
      return members.map(parseRef).filter((job) => job !== null);
    },
  };
}
