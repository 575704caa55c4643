import type { Queue } from 'bullmq';
import { hasEnded, type StoredStatus } from '../contract/status.ts';
import { type JobRef, queueId } from './job-ref.ts';
import type { JobStore } from './job-store.ts';
import { isNewerRelease } from './stored/format.ts';
import { type CoordinatorData, enqueueCoordination } from './queues.ts';

/**
 * Has every job that has not ended looked at, whatever process died between writing one thing and another: it is handed to
 * the coordinators unless it is with them already, which its name in the queue tells. A job whose coordinator failed for
 * good ends `failed` with the reason; an id without a job is forgotten; a job of a newer release is left to that.
 */
export async function reconcile(jobs: JobStore, queue: Queue<CoordinatorData>): Promise<void> {
  for (const ref of await jobs.active()) {
    const status = await statusHere(jobs, ref);
    if (status === 'newer') continue;
    const state = await queue.getJobState(queueId(ref));
    if (state === 'failed') {
      const job = await queue.getJob(queueId(ref));
      const detail = job?.failedReason ?? 'the coordinator failed';
      await jobs.end(ref, 'failed', { code: 'internal_error', detail });
    } else if (state === 'unknown') {
      if (status === null) await jobs.end(ref, 'failed', null);
      else if (!hasEnded(status)) await enqueueCoordination(queue, ref);
    }
  }
}

async function statusHere(jobs: JobStore, ref: JobRef): Promise<StoredStatus | 'newer' | null> {
  try {
    return await jobs.statusOf(ref);
  } catch (error) {
    if (isNewerRelease(error)) return 'newer';
    throw error;
  }
}
