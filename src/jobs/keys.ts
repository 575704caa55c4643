import { createHash } from 'node:crypto';
import type { Kind } from '../contract/kinds.ts';
import type { JobRef } from './job-ref.ts';

/** The names of everything in Redis. All of a job's keys start alike; those of its sampling go when it ends. */
export interface Keys {
  /** Prefix of BullMQ's own keys. */
  readonly queuePrefix: string;
  /** Hash: the job's record, of less than 2 KB whatever the job. */
  job(ref: JobRef): string;
  /** Hash: input index -> what the client said of the input. */
  entries(ref: JobRef): string;
  /** Hash: SHA-256 -> bytes as sent. */
  inputs(ref: JobRef): string;
  /** Hash: input index -> the uint8 tensor, and `digest:` input index -> its SHA-256. */
  tensors(ref: JobRef): string;
  /** Hash: the rounds, from which the chunks follow, and how many chunks have been queued. */
  plan(ref: JobRef): string;
  /** Bitmap: numbers of the chunks that have their votes, or will have none. */
  ended(ref: JobRef): string;
  /** Hash: chunk -> its votes, until all its inputs have results. */
  votes(ref: JobRef): string;
  /** Hash: chunk under way -> samples counted so far. */
  drawn(ref: JobRef): string;
  /** Hash: chunk -> why its last attempt failed. */
  chunkErrors(ref: JobRef): string;
  /** Hash: input index -> result. */
  results(ref: JobRef): string;
  /** Sorted set: ids of an owner's jobs of a kind by time of creation. */
  list(owner: string, kind: Kind): string;
  /** String: the job that a client's idempotency key stands for. Of the key only its SHA-256 is in the name. */
  idempotency(owner: string, kind: Kind, key: string): string;
  /** Stream: what has happened to an owner's jobs, in order (events.ts). */
  events(owner: string): string;
  /** Channel: owners of whose jobs something has happened. */
  readonly eventChannel: string;
  /** Set: owner and id of every job that has not ended. */
  readonly active: string;
  /** Set: ids of workers; each has a key that expires when it falls silent. */
  readonly workers: string;
  worker(id: string): string;
  /** Held for a moment by the worker that looks after jobs that nobody else does. */
  readonly reconciling: string;
  /** String: written to see whether Redis takes writes; expires at once. */
  readonly ready: string;
  /** Channel: owner and id of jobs whose cancellation was asked for. */
  readonly cancellations: string;
}

/**
 * The key names under one prefix; two deployments on one Redis differ in it. None is one that was in use before jobs had
 * owners, so that a release of that time neither sees these jobs nor takes their work from the queues.
 */
export function createKeys(prefix: string): Keys {
  const job = ({ owner, id }: JobRef): string => `${prefix}:${owner}:job:${id}`;
  const of =
    (part: string) =>
    (ref: JobRef): string =>
      `${job(ref)}:${part}`;
  return {
    queuePrefix: `${prefix}:queues`,
    job,
    entries: of('entries'),
    inputs: of('inputs'),
    tensors: of('tensors'),
    plan: of('plan'),
    ended: of('ended'),
    votes: of('votes'),
    drawn: of('drawn'),
    chunkErrors: of('errors'),
    results: of('results'),
    list: (owner, kind) => `${prefix}:${owner}:list:${kind}`,
    idempotency: (owner, kind, key) =>
      `${prefix}:${owner}:idempotency:${kind}:${createHash('sha256').update(key).digest('hex')}`,
    events: (owner) => `${prefix}:${owner}:events`,
    eventChannel: `${prefix}:events`,
    active: `${prefix}:active-jobs`,
    workers: `${prefix}:living-workers`,
    worker: (id) => `${prefix}:living-worker:${id}`,
    reconciling: `${prefix}:reconciliation`,
    ready: `${prefix}:ready`,
    cancellations: `${prefix}:cancellations`,
  };
}
