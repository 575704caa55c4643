import { Queue, type QueueOptions, type WorkerOptions } from 'bullmq';
import type { Redis } from 'ioredis';
import type { EngineDescription } from '../engines/engine.ts';
import type { NoiseScheme } from '../random/noise-law.ts';
import { type JobRef, queueId } from './job-ref.ts';
import type { Keys } from './keys.ts';
import { samplingQueueName } from './pool.ts';
import type { Envelope } from './stored/format.ts';
import { coordinationFormat, type QueuedChunk } from './stored/queue-data.ts';

/** Data of a coordinator job. */
export type CoordinatorData = Envelope<JobRef>;
/** Data of a sampling job: which chunk of which job. */
export type SamplingData = Envelope<QueuedChunk>;

export const COORDINATOR_QUEUE = 'coordinator';

/**
 * A worker that is killed loses its locks after at most 5 s, and the check that runs every second hands its jobs on. A stall
 * only repeats draws, with the same votes; the count is cumulative over a job's life, hence the generous limit.
 */
const STALLS = { lockDuration: 5_000, stalledInterval: 1_000, maxStalledCount: 1_000 } as const;

/** Milliseconds before attempt n of a chunk: 100, 200, 400 ... at most 2 s, with jitter so that not all come at once. */
function chunkBackoff(attemptsMade: number): number {
  return Math.round(Math.min(100 * 2 ** (attemptsMade - 1), 2_000) * (0.5 + Math.random() / 2));
}

/** Options of the workers. `runRetryDelay`: after an outage the loop asks again at once, not after 15 s. */
export function workerOptions(connection: Redis, keys: Keys, concurrency: number): WorkerOptions {
  return {
    connection,
    prefix: keys.queuePrefix,
    concurrency,
    runRetryDelay: 1_000,
    drainDelay: 2,
    settings: { backoffStrategy: chunkBackoff },
    ...STALLS,
  };
}

function queueOptions(connection: Redis, keys: Keys): QueueOptions {
  // Nothing reads the events stream but BullMQ's own waiting; it need not keep thousands of entries.
  return { connection, prefix: keys.queuePrefix, streams: { events: { maxLen: 200 } } };
}

/** Queues throw what their connection throws; without a listener that would end the process. */
function quiet<Data>(queue: Queue<Data>): Queue<Data> {
  queue.on('error', () => undefined);
  return queue;
}

export function coordinatorQueue(connection: Redis, keys: Keys): Queue<CoordinatorData> {
  return quiet(new Queue<CoordinatorData>(COORDINATOR_QUEUE, queueOptions(connection, keys)));
}

/** The sampling queues, one a pool, opened as they are needed. */
export interface SamplingQueues {
  of(engine: EngineDescription, noise: NoiseScheme): Queue<SamplingData>;
  close(): Promise<void>;
}

export function samplingQueues(connection: Redis, keys: Keys): SamplingQueues {
  const open = new Map<string, Queue<SamplingData>>();
  return {
    of(engine, noise) {
      const name = samplingQueueName(engine, noise);
      let queue = open.get(name);
      if (queue === undefined) {
        queue = quiet(new Queue<SamplingData>(name, queueOptions(connection, keys)));
        open.set(name, queue);
      }
      return queue;
    },
    async close() {
      await Promise.all([...open.values()].map((queue) => queue.close()));
    },
  };
}

/**
 * Hands a job to the coordinators. The job names the work in the queue: a repeated call enqueues nothing new.
 *
 * @param occasion what happened, for a call that must not be lost although a coordinator is looking at the job just now
 */
export async function enqueueCoordination(
  queue: Queue<CoordinatorData>,
  { owner, id }: JobRef,
  occasion?: string,
): Promise<void> {
  await queue.add('coordinate', coordinationFormat.wrap({ owner, id }), {
    jobId: queueId({ owner, id }, occasion),
    // A minute in all: what is passing passes.
    attempts: 8,
    backoff: { type: 'exponential', delay: 500 },
    removeOnComplete: true,
    removeOnFail: { age: 24 * 3600 },
  });
}
