import { type CoordinatorData, enqueueCoordination, type SamplingQueues } from './queues.ts';
import type { Queue } from 'bullmq';
import type { EngineDescription } from '../engines/engine.ts';
import { chunkWindow } from './chunk-size.ts';
import type { JobRecord } from './job-record.ts';
import { type JobRef, queueId } from './job-ref.ts';
import { poolHosts } from './pool.ts';
import { PRESENCE_MILLISECONDS, type Presence } from './presence.ts';
import { chunkName, type SamplingStore } from './sampling-store.ts';
import { chunkFormat } from './stored/queue-data.ts';

// How the chunks of a round come into the queue of their pool.
//
// Only a window of them is there at a time. Whoever ends a chunk queues the next ones before it gives the chunk back to the
// queue, and whoever ends the last chunk of the round calls the coordinator: if it dies in between, the chunk is taken up
// again by another, which finds the votes and does what was left undone. So there is always somebody who owes the next step.
//
// A chunk's priority is how many chunks its job has in the queue and in hosts' hands already. A new job's first chunk comes
// before all chunks of those that are under way; these take turns, since each of them adds one chunk for every one drawn.

/** A job that has a pool. */
export type FedJob = JobRef &
  Pick<JobRecord, 'binding' | 'request' | 'inputsTotal'> & { readonly engine: EngineDescription };

export interface ChunkFeedDependencies {
  readonly sampling: SamplingStore;
  readonly samplingQueues: Pick<SamplingQueues, 'of'>;
  readonly coordinatorQueue: Queue<CoordinatorData>;
  readonly presence: Pick<Presence, 'livingWorkers'>;
}

export interface ChunkFeed {
  /** Fills the job's window, or calls its coordinator where the last chunk of the plan has ended. May be repeated. */
  fill(job: FedJob): Promise<void>;
  /** Queues these chunks again if the queue has lost them. */
  restore(job: FedJob, chunks: readonly number[]): Promise<void>;
  /** Numbers of the chunks under way that the queue has lost, and of those that it has given up. */
  lookAfter(job: FedJob): Promise<{ readonly lost: readonly number[]; readonly failed: readonly number[] }>;
  /** Takes the job's chunks out of the queue, but for those in hosts' hands, which find out for themselves. */
  withdraw(job: FedJob): Promise<void>;
}

/**
 * A chunk whose device fails is tried this often, with the same votes at every attempt: more often than devices that
 * fail stay in service, so that one that works gets it; not for ever, so that a chunk that kills every host ends.
 */
const CHUNK_ATTEMPTS = 40;
/** BullMQ's limit is 2²¹. */
const LOWEST_PRIORITY = 2_000_000;
/** How many hosts a pool has changes seldom, and chunks end often. */
const REMEMBERED_MILLISECONDS = PRESENCE_MILLISECONDS / 3;

export function createChunkFeed(dependencies: ChunkFeedDependencies): ChunkFeed {
  const { sampling, samplingQueues, coordinatorQueue, presence } = dependencies;
  let workers: ReturnType<Presence['livingWorkers']> | null = null;
  let readAt = Number.NEGATIVE_INFINITY;

  async function hostsOf({ engine, request }: FedJob): Promise<number> {
    if (workers === null || performance.now() - readAt > REMEMBERED_MILLISECONDS) {
      readAt = performance.now();
      workers = presence.livingWorkers();
    }
    return poolHosts(await workers.catch(() => []), request, engine).length;
  }

  const queueOf = ({ engine, request }: FedJob) => samplingQueues.of(engine, request.noise);
  const idOf = (job: FedJob, chunk: number): string => queueId(job, chunkName(job, chunk));

  async function add(job: FedJob, chunks: readonly { number: number; priority: number }[]): Promise<void> {
    const { owner, id, binding } = job;
    await queueOf(job).addBulk(
      chunks.map(({ number, priority }) => ({
        name: 'sample',
        data: chunkFormat.wrap({ owner, id, binding, chunk: number }),
        opts: {
          jobId: idOf(job, number),
          priority: Math.min(priority, LOWEST_PRIORITY),
          attempts: CHUNK_ATTEMPTS,
          backoff: { type: 'custom' as const },
          removeOnComplete: true,
          removeOnFail: { age: 24 * 3600 },
        },
      })),
    );
  }

  async function remove(job: FedJob, chunks: readonly number[]): Promise<void> {
    const queue = queueOf(job);
    await Promise.all(chunks.map((chunk) => queue.remove(idOf(job, chunk))));
  }

  return {
    async fill(job) {
      const { plan, queued, ended } = await sampling.progress(job);
      if (plan.chunks === 0) return;
      if (ended >= plan.chunks) {
        // An id of its own: a coordinator that is looking at the job just now may have looked too early.
        return enqueueCoordination(coordinatorQueue, job, chunkName(job, plan.chunks));
      }
      const until = Math.min(plan.chunks, ended + chunkWindow(await hostsOf(job)));
      const numbers = Array.from({ length: Math.max(0, until - queued) }, (_, index) => queued + index);
      if (numbers.length === 0) return;
      await add(
        job,
        numbers.map((number) => ({ number, priority: 1 + number - ended })),
      );
      // A job that was cancelled meanwhile had its chunks taken away before these came.
      if ((await sampling.markQueued(job, until)) !== 'running') await remove(job, numbers);
    },
    restore: (job, chunks) =>
      add(
        job,
        chunks.map((number, index) => ({ number, priority: 1 + index })),
      ),
    async lookAfter(job) {
      const queue = queueOf(job);
      const underWay = await sampling.underWay(job);
      // Asked together: no host has work until the answers to all questions are there.
      const states = await Promise.all(underWay.map((chunk) => queue.getJobState(idOf(job, chunk))));
      const inState = (state: string): number[] => underWay.filter((_, index) => states[index] === state);
      return { lost: inState('unknown'), failed: inState('failed') };
    },
    async withdraw(job) {
      const [underWay, { queued, ended }] = await Promise.all([
        sampling.underWay(job),
        sampling.progress(job),
      ]);
      // A host that died may have left chunks in the queue that it had ended just before.
      const from = Math.max(0, ended - chunkWindow(await hostsOf(job)));
      const latest = Array.from({ length: Math.max(0, queued - from) }, (_, index) => from + index);
      await remove(job, [...new Set([...underWay, ...latest])]);
    },
  };
}
