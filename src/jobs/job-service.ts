import type { Redis } from 'ioredis';
import type { Kind } from '../contract/kinds.ts';
import { hasEnded } from '../contract/status.ts';
import { DomainError, ERRORS } from '../errors.ts';
import { explainRefusal } from '../redis/explain-refusal.ts';
import { announceCancellation } from './cancellation.ts';
import { createEntryStore } from './entries.ts';
import type { JobRecord, JobEntry, ResultRecord } from './job-record.ts';
import { DEFAULT_OWNER, isJobRef, queueId } from './job-ref.ts';
import { createJobStore, type JobPage } from './job-store.ts';
import type { Keys } from './keys.ts';
import { createChunkFeed } from './chunk-feed.ts';
import { createLargeInputs } from './large-inputs.ts';
import { poolSpeed, waitsFor } from './pool.ts';
import { createPresence } from './presence.ts';
import { coordinatorQueue, samplingQueues } from './queues.ts';
import { createResultStore } from './result-store.ts';
import { createSamplingStore } from './sampling-store.ts';
import type { WorkerStatus } from './stored/worker-status.ts';
import { createSubmit, type ObservedJob, type Submit } from './submit.ts';

export interface ObservedPage {
  readonly jobs: readonly ObservedJob[];
  readonly newer: JobPage['newer'];
  readonly next: JobPage['next'];
}

/** An input of a job: what the client said of it, and its result, null while it is not decided. */
export interface InputResult {
  readonly index: number;
  readonly entry: JobEntry;
  readonly result: ResultRecord | null;
}

export interface ResultPage {
  readonly job: JobRecord;
  /** In order, without gaps. */
  readonly inputs: readonly InputResult[];
}

/**
 * The jobs as the API sees them. What `submit` has answered is in Redis and will be worked on, whatever process dies
 * next. Every call rejects with `queue_unavailable` within two seconds while Redis is away; a submission of large inputs
 * may take half a second a mebibyte longer, and holds up nothing else.
 */
export interface JobService {
  readonly submit: Submit;
  get(kind: Kind, id: string): Promise<ObservedJob>;
  list(kind: Kind, limit: number, cursor: string | null): Promise<ObservedPage>;
  /** Inputs [first, first + count), as far as there are so many, with their results. */
  results(kind: Kind, id: string, first: number, count: number): Promise<ResultPage>;
  /**
   * Ends the job here and now, whatever workers there are. Throws `already_finished` for a job that has ended; asking
   * twice is no error.
   */
  cancel(kind: Kind, id: string): Promise<ObservedJob>;
  /** Seconds that the job would take if it had its pool for itself; null while nobody could draw for it. Never rejects. */
  expectedSeconds(job: JobRecord): Promise<number | null>;
  livingWorkers(): Promise<WorkerStatus[]>;
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** An outage is retried by the client; a slow queue must not make it wait longer than a dead one. */
const DEADLINE_MILLISECONDS = 1_800;

/** @param trouble why Redis does not answer now, where this process knows; null where it does not */
export function createJobService(
  redis: Redis,
  keys: Keys,
  retentionSeconds: number,
  trouble: () => string | null = () => null,
): JobService {
  const owner = DEFAULT_OWNER;
  const jobs = createJobStore(redis, keys, retentionSeconds, Date.now);
  const entries = createEntryStore(redis, keys);
  const resultStore = createResultStore(redis, keys);
  const presence = createPresence(redis, keys);
  const queue = coordinatorQueue(redis, keys);
  const largeInputs = createLargeInputs(redis, keys);
  const chunkQueues = samplingQueues(redis, keys);
  const sampling = createSamplingStore(redis, keys);
  const feed = createChunkFeed({ sampling, presence, samplingQueues: chunkQueues, coordinatorQueue: queue });

  /**
   * @param action gets a signal that aborts when the caller has been told that the queue cannot be reached
   * @param more milliseconds that it may take beyond what every call may
   */
  async function available<Value>(action: (late: AbortSignal) => Promise<Value>, more = 0): Promise<Value> {
    const deadline = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        deadline.abort(new Error('Redis is slow to answer'));
        reject(deadline.signal.reason as Error);
      }, DEADLINE_MILLISECONDS + more);
    });
    try {
      return await Promise.race([action(deadline.signal), late]);
    } catch (cause) {
      if (cause instanceof DomainError) throw cause;
      const reason = explainRefusal(cause)?.reason ?? trouble();
      const detail = reason === null ? undefined : `${ERRORS.queue_unavailable.title} The reason: ${reason}`;
      throw new DomainError('queue_unavailable', detail, [], { cause });
    } finally {
      clearTimeout(timer);
    }
  }

  async function find(kind: Kind, id: string): Promise<JobRecord> {
    const ref = { owner, id };
    const record = isJobRef(ref) ? await jobs.get(ref) : null;
    if (record === null || record.request.kind !== kind) {
      throw new DomainError('resource_not_found', `there is no ${kind} ${id}`);
    }
    return record;
  }

  async function observe(records: readonly JobRecord[]): Promise<ObservedJob[]> {
    const workers = records.every(({ status }) => hasEnded(status)) ? [] : await presence.livingWorkers();
    return records.map((record) => ({
      ...record,
      waitingFor: hasEnded(record.status) ? null : waitsFor(workers, record),
    }));
  }

  async function findObserved(kind: Kind, id: string): Promise<ObservedJob> {
    const [observed] = await observe([await find(kind, id)]);
    return observed!;
  }

  return {
    submit: createSubmit({ keys, owner, jobs, queue, largeInputs, available, findObserved }),
    get: (kind, id) => available(() => findObserved(kind, id)),
    list: (kind, limit, cursor) =>
      available(async () => {
        const page = await jobs.list(owner, kind, limit, cursor);
        if (page !== null) return { ...page, jobs: await observe(page.jobs) };
        const fault = {
          pointer: '/query/cursor',
          detail: 'names no job of this list any more; start again without it',
        };
        throw new DomainError('validation_failed', undefined, [fault]);
      }),
    results: (kind, id, first, count) =>
      available(async () => {
        const job = await find(kind, id);
        const many = Math.min(count, job.inputsTotal - first);
        const [said, results] = await Promise.all([
          entries.read(job, first, many),
          resultStore.read(job, first, many),
        ]);
        // By Redis' clock they may be gone a little sooner than by this one.
        if (job.status === 'expired' || said.includes(null)) throw new DomainError('results_expired');
        const inputs = said.map((entry, offset) => ({
          index: first + offset,
          entry: entry!,
          result: results[offset] ?? null,
        }));
        return { job, inputs };
      }),
    cancel: (kind, id) =>
      available(async () => {
        const record = await find(kind, id);
        if (hasEnded(record.status)) {
          if (record.status === 'cancelled') return { ...record, waitingFor: null };
          const detail = `the ${kind} is ${record.status}; it cannot be cancelled`;
          throw new DomainError('already_finished', detail);
        }
        await jobs.transition(record, ['queued', 'running'], 'cancelling');
        await announceCancellation(redis, keys, record);
        // Read again: it may have been bound to a pool, or anew, just before.
        const { engine, ...cancelling } = await find(kind, id);
        await queue.remove(queueId(record));
        if (engine !== null) await feed.withdraw({ ...cancelling, engine });
        // Whoever still draws for it finds its keys gone and writes nothing: scripts leave alone what has ended.
        await jobs.end(record, 'cancelled', null);
        return findObserved(kind, id);
      }),
    async expectedSeconds({ request: asked, samplesPlanned }) {
      const workers = await available(() => presence.livingWorkers()).catch(() => []);
      const speed = poolSpeed(workers, asked);
      return speed === 0 ? null : samplesPlanned / speed;
    },
    livingWorkers: () => available(() => presence.livingWorkers()),
    // A write, since a server that is full still answers to PING.
    ping: () => available(async () => void (await redis.set(keys.ready, '1', 'PX', 1_000))),
    async close() {
      largeInputs.close();
      await Promise.all([queue.close(), chunkQueues.close()]);
    },
  };
}
