import { type Blame, type ErrorCode, ERRORS } from '../errors.ts';

/** Whether another attempt, on whatever device, may not meet a fault again that is this one's. */
const PASSING: Readonly<Record<Blame, boolean>> = {
  caller: false,
  input: false,
  model: false,
  device: true,
  operator: false,
  server: true,
};

/** What a worker lacks that another one may have. */
const OF_THIS_WORKER: readonly ErrorCode[] = ['model_unavailable', 'noise_unavailable'];

/** Whether it is this worker's lack alone: another one may be able to. */
export function isOfThisWorker(code: ErrorCode): boolean {
  return OF_THIS_WORKER.includes(code);
}

/** Whether a chunk that failed so is drawn again. */
export function isRetried(code: ErrorCode): boolean {
  return isOfThisWorker(code) || PASSING[ERRORS[code].blame];
}
