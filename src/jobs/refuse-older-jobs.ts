import type { Redis } from 'ioredis';
import { DomainError } from '../errors.ts';

/** Jobs named in the refusal; more are counted. */
const NAMED = 5;
/** Of a job that waits for nothing but a release that reads it. */
const UNFINISHED = ['queued', 'running', 'cancelling'];

/**
 * Refuses to start where jobs have not ended that a release before jobs had owners stored: this one reads none of their keys,
 * and would leave them lying without a word. Those that have ended expire by themselves.
 *
 * @throws DomainError `release_mismatch` with what to do
 */
export async function refuseOlderJobs(redis: Redis, prefix: string): Promise<void> {
  const ids = await redis.smembers(`${prefix}:active`);
  const unfinished: string[] = [];
  for (const id of ids.toSorted()) {
    const status = await redis.hget(`${prefix}:job:${id}`, 'status');
    if (status !== null && UNFINISHED.includes(status)) unfinished.push(id);
  }
  if (unfinished.length === 0) return;
  const named = unfinished.slice(0, NAMED).join(', ');
  const more = unfinished.length > NAMED ? ` and ${unfinished.length - NAMED} more` : '';
  const lines = [
    `Redis holds ${unfinished.length} unfinished ${unfinished.length === 1 ? 'job' : 'jobs'} of an earlier release, which this one does not read: ${named}${more}.`,
    'Run that release again until they have ended, or cancel them there, and start this one then.',
    `Whoever gives them up deletes the keys ${prefix}:active and ${prefix}:job:*.`,
  ];
  throw new DomainError('release_mismatch', lines.join('\n'));
}
