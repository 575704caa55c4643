import { type JobStatus, STORED_STATUSES, type StoredStatus } from '../../contract/status.ts';
import type { JobRecord } from '../job-record.ts';
import type { JobRef } from '../job-ref.ts';
import { newerRelease } from './format.ts';
import { engineFormat, failureFormat, requestFormat } from './record.ts';

/** Of the fields of a job's record, and what they mean; the values that are JSON have versions of their own. */
export const RECORD_VERSION = 1;

/**
 * A job's status and the version of its record, as they stand in Redis.
 *
 * @throws DomainError `release_mismatch` for a record of a newer release
 * @throws Error for one that no release has written
 */
export function readStatus({ id }: JobRef, text: string | undefined, version: string | null): StoredStatus {
  const known = Number(version);
  if (Number.isInteger(known) && known > RECORD_VERSION)
    throw newerRelease(`the record of job ${id}`, known, RECORD_VERSION);
  const status = STORED_STATUSES.find((each) => each === text);
  if (status === undefined || known !== RECORD_VERSION) throw new Error(`job ${id} has no valid record`);
  return status;
}

/**
 * A job's record from its fields; null where there are none.
 *
 * @throws as `readStatus` does
 */
export function readRecord(
  job: JobRef,
  fields: Readonly<Record<string, string>>,
  now: number,
): JobRecord | null {
  const { request, engine, error, status: text, version = null } = fields;
  if (Object.keys(fields).length === 0) return null;
  const status = readStatus(job, text, version);
  const time = (name: string): number | null => {
    const value = fields[name];
    return value === undefined ? null : number(name, value);
  };
  const count = (name: string): number => time(name) ?? 0;
  function number(name: string, value: string): number {
    const read = Number(value);
    if (value === '' || !Number.isSafeInteger(read) || read < 0)
      throw new Error(`job ${job.id} has no valid record: ${name} is ${JSON.stringify(value)}`);
    return read;
  }
  if (request === undefined) throw new Error(`job ${job.id} has no valid record`);
  const expiresAt = time('expiresAt');
  const shown: JobStatus = expiresAt !== null && now >= expiresAt ? 'expired' : status;
  return {
    owner: job.owner,
    id: job.id,
    request: requestFormat.read(request),
    inputsTotal: count('inputs'),
    status: shown,
    engine: engine === undefined ? null : engineFormat.read(engine),
    binding: count('binding'),
    createdAt: count('createdAt'),
    startedAt: time('startedAt'),
    finishedAt: time('finishedAt'),
    expiresAt,
    error: error === undefined ? null : failureFormat.read(error),
    counts: {
      decided: count('decided'),
      failed: count('failed'),
      affirmed: count('affirmed'),
      abstained: count('abstained'),
      reproduced: count('reproduced'),
      correct: count('correct'),
      labelled: count('labelled'),
    },
    samplesDrawn: count('drawn'),
    samplesPlanned: count('planned'),
  };
}
