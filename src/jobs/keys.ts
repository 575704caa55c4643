import type { JobKind } from '../contract/status.ts';

/** The names of everything in Redis. All of a job's keys start alike; those of its sampling go when it ends. */
export interface Keys {
  /** Prefix of BullMQ's own keys. */
  readonly queuePrefix: string;
  job(id: string): string;
  /** Hash: SHA-256 -> bytes as sent. */
  inputs(id: string): string;
  /** Hash: input index -> the uint8 tensor, and `digest:` input index -> its SHA-256. */
  tensors(id: string): string;
  /** Hash: the rounds, from which the chunks follow, and how many chunks have been queued. */
  plan(id: string): string;
  /** Bitmap: numbers of the chunks that have their votes, or will have none. */
  ended(id: string): string;
  /** Hash: chunk -> its votes, until all its inputs have results. */
  votes(id: string): string;
  /** Hash: chunk under way -> samples counted so far. */
  drawn(id: string): string;
  /** Hash: chunk -> why its last attempt failed. */
  chunkErrors(id: string): string;
  /** Hash: input index -> result. */
  results(id: string): string;
  /** Sorted set: ids of a kind by time of creation. */
  list(kind: JobKind): string;
  /** Set: ids of jobs that have not ended. */
  readonly active: string;
  /** Set: ids of workers; each has a key that expires when it falls silent. */
  readonly workers: string;
  worker(id: string): string;
  /** Held for a moment by the worker that looks after jobs that nobody else does. */
  readonly reconciling: string;
  /** String: written to see whether Redis takes writes; expires at once. */
  readonly ready: string;
  /** Channel: ids of jobs whose cancellation was asked for. */
  readonly cancellations: string;
}

/** The key names under one prefix; two deployments on one Redis differ in it. */
export function createKeys(prefix: string): Keys {
  const of =
    (part: string) =>
    (id: string): string =>
      `${prefix}:job:${id}:${part}`;
  return {
    queuePrefix: `${prefix}:queue`,
    job: (id) => `${prefix}:job:${id}`,
    inputs: of('inputs'),
    tensors: of('tensors'),
    plan: of('plan'),
    ended: of('ended'),
    votes: of('votes'),
    drawn: of('drawn'),
    chunkErrors: of('errors'),
    results: of('results'),
    list: (kind) => `${prefix}:list:${kind}`,
    active: `${prefix}:active`,
    workers: `${prefix}:workers`,
    worker: (id) => `${prefix}:worker:${id}`,
    reconciling: `${prefix}:reconciling`,
    ready: `${prefix}:ready`,
    cancellations: `${prefix}:cancellations`,
  };
}
