import { Type } from 'typebox';
import type { JobRef } from '../job-ref.ts';
import { storedFormat } from './format.ts';
import { Count } from './record.ts';

const closed = { additionalProperties: false } as const;
const ref = { owner: Type.String(), id: Type.String() };

/** A chunk of a job. What it draws follows from the job's plan. */
export interface QueuedChunk extends JobRef {
  readonly binding: number;
  readonly chunk: number;
}

/** What a coordinator is called for: everything else is in the job's record. */
export const coordinationFormat = storedFormat<JobRef>({
  what: 'a call of a coordinator',
  version: 1,
  schema: Type.Object(ref, closed),
});

/** What a host is asked to draw. */
export const chunkFormat = storedFormat<QueuedChunk>({
  what: 'a chunk in the queue',
  version: 1,
  schema: Type.Object({ ...ref, binding: Count, chunk: Count }, closed),
});
