import { DelayedError, type Job } from 'bullmq';
import type { DomainError } from '../errors.ts';
import { logLine } from '../log-events.ts';
import type { Logger } from '../logger.ts';

/** Work that a newer release queued, or that is for a job of one, is offered again after this time: its workers may be there then. */
const OFFERED_AGAIN_MILLISECONDS = 5_000;

/** Gives queued work back for a worker of a newer release, and says so; answers what to throw, by which the queue knows. */
export async function leaveToNewer(
  work: Job,
  token: string,
  error: DomainError,
  logger: Logger,
): Promise<DelayedError> {
  const { queueName: queue, id } = work;
  logger.warn(...logLine('left_to_newer_release', { queue, work: id, detail: error.message }));
  await work.moveToDelayed(Date.now() + OFFERED_AGAIN_MILLISECONDS, token);
  return new DelayedError();
}
