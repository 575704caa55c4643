import type { Queue } from 'bullmq';
import { hasEnded } from '../contract/status.ts';
import type { JobStore } from './job-store.ts';
import { type CoordinatorData, enqueueCoordination } from './queues.ts';

/**
 * Brings records and queue together again where a process died between writing one and the other: an active job that the
 * queue does not know is enqueued (its id makes that harmless if another process does the same), and one whose
 * coordinator failed for good ends `failed` with the reason.
 */
export async function reconcile(jobs: JobStore, queue: Queue<CoordinatorData>): Promise<void> {
  for (const id of await jobs.activeIds()) {
    const state = await queue.getJobState(id);
    if (state === 'failed') {
      const job = await queue.getJob(id);
      await jobs.end(id, 'failed', {
        code: 'internal_error',
        detail: job?.failedReason ?? 'the coordinator failed',
      });
    } else if (state === 'unknown') {
      const record = await jobs.get(id);
      if (record !== null && !hasEnded(record.status)) await enqueueCoordination(queue, id);
    }
  }
}
