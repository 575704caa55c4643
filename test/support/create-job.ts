import type { JobRequest } from '../../src/jobs/job-record.ts';
import { DEFAULT_OWNER, type JobRef } from '../../src/jobs/job-ref.ts';
import type { JobStore } from '../../src/jobs/job-store.ts';
import type { JobInputs } from '../../src/jobs/large-inputs.ts';

/** A job of the only owner that there is. */
export const ref = (id: string): JobRef => ({ owner: DEFAULT_OWNER, id });

/** Creates a job in one step, as the service does for small requests. */
export async function createJob(
  jobs: JobStore,
  job: JobRef,
  request: JobRequest,
  inputs: JobInputs,
  samplesPlanned: number,
): Promise<JobRef> {
  const { entries, bytes } = inputs;
  const labelled = entries.filter(({ label }) => label !== null).length;
  const size = { inputs: entries.length, labelled, contents: bytes.size, samplesPlanned };
  await jobs.create(job, request, size, inputs);
  return job;
}
