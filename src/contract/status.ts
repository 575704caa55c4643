// The life of a job, which is one submitted request: a certification or a prediction of many inputs.
//
//   queued ──> running ──> succeeded            every input decided
//     │           │   └──> partially_succeeded  some inputs failed, the others' results are valid
//     │           │   └──> failed               no input could be decided
//     └───────────┴──> cancelling ──> cancelled what was decided before stays valid
//
// A job that no worker could take up goes from queued to failed.
// Past `expiresAt` the results are deleted and the job reads `expired`.

export const STORED_STATUSES = [
  'queued',
  'running',
  'cancelling',
  'succeeded',
  'partially_succeeded',
  'failed',
  'cancelled',
] as const;
export type StoredStatus = (typeof STORED_STATUSES)[number];
/** Where each status leads; ended ones lead nowhere. */
export const ARROWS: Readonly<Record<StoredStatus, readonly StoredStatus[]>> = {
  queued: ['running', 'cancelling', 'failed'],
  running: ['cancelling', 'succeeded', 'partially_succeeded', 'failed'],
  cancelling: ['cancelled'],
  succeeded: [],
  partially_succeeded: [],
  failed: [],
  cancelled: [],
};
export type JobStatus = StoredStatus | 'expired';

const ENDED: readonly JobStatus[] = ['succeeded', 'partially_succeeded', 'failed', 'cancelled', 'expired'];

/** Whether a job of this status will never change again, but for its expiry. */
export function hasEnded(status: JobStatus): boolean {
  return ENDED.includes(status);
}

/** Of a device host, best first; `host/supervised-host.ts` tells its life. */
export const HOST_STATES = ['ready', 'recovering', 'out'] as const;
export type HostState = (typeof HOST_STATES)[number];

/** Whether a host in this state takes draws. One that recovers does: the next one starts it anew. */
export function isInService(state: HostState): boolean {
  return state !== 'out';
}
