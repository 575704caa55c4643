import { setTimeout as delay } from 'node:timers/promises';
import type { JobBody } from '../contract/request.ts';
import type { JobOf, Kind, ResultOf } from '../contract/kinds.ts';
import { hasEnded } from '../contract/status.ts';
import { type Client, ServiceUnavailableError } from './client.ts';

const POLL_MILLISECONDS = 400;
/** An outage of the queue is over within seconds or lasts; the job goes on in both. */
const OUTAGE_POLLS = 30;
/** How long an interrupted command waits for its job to be cancelled: one batch of the slowest model. */
const CANCEL_MILLISECONDS = 5_000;

/** A job that has ended, with the result of every input. */
export interface FinishedJob<K extends Kind> {
  readonly job: JobOf[K];
  readonly results: readonly ResultOf[K][];
}

/**
 * Submits a job, reports on it until it has ended, and fetches its results. Outages of some seconds are waited out.
 *
 * @param signal aborting it cancels the job, waits a moment for that, and rejects with the signal's reason
 */
export async function runJob<K extends Kind>(
  client: Client,
  kind: K,
  body: JobBody,
  { signal, onProgress }: { signal: AbortSignal; onProgress: (job: JobOf[K]) => void },
): Promise<FinishedJob<K>> {
  signal.throwIfAborted();
  const { id } = await client.submit(kind, body, signal);
  try {
    const job = await untilEnded(client, kind, id, { signal, onProgress });
    return { job, results: await client.results(kind, id, signal) };
  } catch (error) {
    if (!signal.aborted) throw error;
    await cancel(client, kind, id);
    throw signal.reason;
  }
}

async function untilEnded<K extends Kind>(
  client: Client,
  kind: K,
  id: string,
  { signal, onProgress }: { signal: AbortSignal; onProgress: (job: JobOf[K]) => void },
): Promise<JobOf[K]> {
  let outage = 0;
  for (;;) {
    try {
      const job = await client.job(kind, id, signal);
      outage = 0;
      onProgress(job);
      if (hasEnded(job.status)) return job;
    } catch (error) {
      outage += 1;
      if (!(error instanceof ServiceUnavailableError) || outage > OUTAGE_POLLS) throw error;
    }
    await delay(POLL_MILLISECONDS, undefined, { signal });
  }
}

/** Best effort: the command ends whether or not the service still answers. */
async function cancel(client: Client, kind: Kind, id: string): Promise<void> {
  const patience = AbortSignal.timeout(CANCEL_MILLISECONDS);
  try {
    await client.cancel(kind, id);
    await untilEnded(client, kind, id, { signal: patience, onProgress: () => undefined });
  } catch {
    // The job had ended already, or the service is away; in neither case is there more to do.
  }
}
