import { type Job, type Queue, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { logLine } from '../log-events.ts';
import type { Logger } from '../logger.ts';
import type { JobStore } from './job-store.ts';
import type { Keys } from './keys.ts';
import { COORDINATOR_QUEUE, type CoordinatorData, workerOptions } from './queues.ts';
import { reconcile } from './reconcile.ts';

export interface CoordinatorsOptions {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly jobs: JobStore;
  readonly queue: Queue<CoordinatorData>;
  readonly coordinate: (job: Job<CoordinatorData>, token: string) => Promise<void>;
  /** Does what can be done again later; a failure is no reason to stop. */
  readonly attempt: (action: () => Promise<unknown>, what: string) => void;
  readonly logger: Logger;
}

/** Coordinators only decide and wait for Redis: many fit in one process. */
const COORDINATORS = 16;
const RECONCILE_MILLISECONDS = 15_000;

/** Takes up jobs from now on, and looks every few seconds after those that nobody looks after. */
export function startCoordinators(options: CoordinatorsOptions): {
  /** @param force ends without waiting for what is under way */
  close(force: boolean): Promise<void>;
} {
  const { redis, keys, jobs, queue, coordinate, attempt, logger } = options;
  const worker = new Worker<CoordinatorData>(
    COORDINATOR_QUEUE,
    (job, token) => coordinate(job, token!),
    workerOptions(redis, keys, COORDINATORS),
  );
  worker.on('error', (error) =>
    logger.debug(...logLine('queue_error', { queue: worker.name, error: error.message })),
  );
  worker.on('stalled', (jobId) => logger.warn(...logLine('job_taken_over', { queue: worker.name, jobId })));
  const reconcileJobs = (): Promise<void> => reconcile(jobs, queue);
  // A coordinator that failed for good ends its job now, not at the next reconciliation.
  worker.on('failed', (job) => {
    if (job?.finishedOn !== undefined) attempt(reconcileJobs, 'reconciliation');
  });
  /** One worker does it for all: it looks at every job. */
  const reconcileInTurn = async (): Promise<void> => {
    const turn = await redis.set(keys.reconciling, '', 'PX', RECONCILE_MILLISECONDS / 2, 'NX');
    if (turn !== null) await reconcileJobs();
  };
  const timer = setInterval(() => attempt(reconcileInTurn, 'reconciliation'), RECONCILE_MILLISECONDS);
  return {
    async close(force) {
      clearInterval(timer);
      await worker.close(force);
    },
  };
}
