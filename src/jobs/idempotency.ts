import { createHash } from 'node:crypto';
import type { JobEntry, JobRequest } from './job-record.ts';

// A client that has lost an answer sends its request again under the same key (draft-ietf-httpapi-idempotency-key-header),
// and gets the job of the first one. Key and job are written in one step (CREATE in scripts.ts): there is no key without
// its job, and no second job under a key.

/** How long a key stands for its job, in seconds from the job's creation. */
export const CLAIM_SECONDS = 24 * 3600;

/** The job that a key stands for, and what was asked for. */
export interface Claim {
  readonly id: string;
  /** SHA-256 over what decides the job. */
  readonly fingerprint: string;
}

/**
 * SHA-256 over what decides the job: kind, model by its digest, parameters after defaults, inputs in order with ids, digests
 * and labels, and what is reproduced. How a request was written down is no part of it: JSON or a form, order of fields,
 * boundaries.
 */
export function fingerprintOf(request: JobRequest, entries: readonly JobEntry[]): string {
  const { kind, model, parameters, noise, seed, seedSource, firstIndex } = request;
  const reproduction = seedSource === 'client' ? [seed, firstIndex] : null;
  const hash = createHash('sha256');
  const say = (value: unknown): void => void hash.update(`${JSON.stringify(value)}\n`);
  say([kind, model.name, model.version, model.digest, byName(parameters), byName(noise), reproduction]);
  for (const { id, kind: inputKind, digest, label } of entries) say([id, inputKind, digest, label]);
  return hash.digest('hex');
}

function byName(values: object): [string, unknown][] {
  return Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1));
}
