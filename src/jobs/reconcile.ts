import type { Queue } from 'bullmq';
import { hasEnded } from '../contract/status.ts';
import type { JobStore } from './job-store.ts';
import { type CoordinatorData, enqueueCoordination } from './queues.ts';

/**
 * Has every job that has not ended looked at, whatever process died between writing one thing and another: it is handed to
 * the coordinators unless it is with them already, which its id as the queue's id tells. A job whose coordinator failed for
 * good ends `failed` with the reason; an id without a job is forgotten.
 */
export async function reconcile(jobs: JobStore, queue: Queue<CoordinatorData>): Promise<void> {
  for (const id of await jobs.activeIds()) {
    const state = await queue.getJobState(id);
    if (state === 'failed') {
      const job = await queue.getJob(id);
      const detail = job?.failedReason ?? 'the coordinator failed';
      await jobs.end(id, 'failed', { code: 'internal_error', detail });
    } else if (state === 'unknown') {
      const status = await jobs.statusOf(id);
      if (status === null) await jobs.end(id, 'failed', null);
      else if (!hasEnded(status)) await enqueueCoordination(queue, id);
    }
  }
}
