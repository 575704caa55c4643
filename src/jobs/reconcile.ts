import type { Queue } from 'bullmq';
import { hasEnded } from '../contract/status.ts';
import { queueId } from './job-ref.ts';
import type { JobStore } from './job-store.ts';
import { type CoordinatorData, enqueueCoordination } from './queues.ts';

/**
 * Has every job that has not ended looked at, whatever process died between writing one thing and another: it is handed to
 * the coordinators unless it is with them already, which its name in the queue tells. A job whose coordinator failed for
 * good ends `failed` with the reason; an id without a job is forgotten.
 */
export async function reconcile(jobs: JobStore, queue: Queue<CoordinatorData>): Promise<void> {
  for (const ref of await jobs.active()) {
    const state = await queue.getJobState(queueId(ref));
    if (state === 'failed') {
      const job = await queue.getJob(queueId(ref));
      const detail = job?.failedReason ?? 'the coordinator failed';
      await jobs.end(ref, 'failed', { code: 'internal_error', detail });
    } else if (state === 'unknown') {
      const status = await jobs.statusOf(ref);
      if (status === null) await jobs.end(ref, 'failed', null);
      else if (!hasEnded(status)) await enqueueCoordination(queue, ref);
    }
  }
}
