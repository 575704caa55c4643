import type { ErrorCode } from '../errors.ts';
import type { EngineDescription } from '../inference/engine.ts';
import type { InputKind } from '../inference/input-tensor.ts';
import type { CertifyParameters, PredictParameters } from '../smoothing/parameters.ts';

// What the service knows of a job. A job is one submitted request: a certification or a prediction of many inputs.
//
//   queued ──> running ──> succeeded            every input decided
//     │           │   └──> partially_succeeded  some inputs failed, the others' results are valid
//     │           │   └──> failed               no input could be decided
//     └───────────┴──> cancelling ──> cancelled what was decided before stays valid
//
// A job that no worker could take up goes from queued to failed.
// Past `expiresAt` the results are deleted and the job reads `expired`.

export const JOB_KINDS = ['certification', 'prediction'] as const;
export type JobKind = (typeof JOB_KINDS)[number];

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

/** An input as it was submitted; its bytes are stored apart under `digest`. */
export interface JobInput {
  /** The client's name for it, unique in the job. */
  readonly id: string;
  readonly kind: InputKind;
  /** SHA-256 of the bytes as sent. */
  readonly digest: string;
  /** The client's reference label, a class number, if it gave one. */
  readonly label: number | null;
}

interface RequestOf<Kind extends JobKind, Parameters> {
  readonly kind: Kind;
  readonly model: { readonly name: string; readonly version: string; readonly digest: string };
  readonly parameters: Parameters;
  readonly inputs: readonly JobInput[];
  /** 32 bytes as hexadecimal digits; drawn by the server unless the request is a reproduction. */
  readonly seed: string;
  readonly seedSource: 'server' | 'client';
}

/** A request after validation; it never changes again. */
export type JobRequest =
  RequestOf<'certification', CertifyParameters> | RequestOf<'prediction', PredictParameters>;

/** Why a job or an input failed. */
export interface Failure {
  readonly code: ErrorCode;
  readonly detail: string;
}

export interface JobRecord {
  readonly id: string;
  readonly request: JobRequest;
  readonly status: JobStatus;
  /** The pool that draws its samples; null until the job runs. */
  readonly engine: EngineDescription | null;
  /** Milliseconds since the epoch, as all times here. */
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  readonly expiresAt: number | null;
  readonly error: Failure | null;
  readonly counts: {
    /** Inputs with an outcome, certified (or predicted) and abstained together. */
    readonly decided: number;
    readonly failed: number;
    /** Inputs certified, or predicted. */
    readonly affirmed: number;
    readonly abstained: number;
    /** Affirmed inputs whose class is the reference label. */
    readonly correct: number;
    /** Inputs that carry a reference label. */
    readonly labelled: number;
  };
  readonly samplesDrawn: number;
  readonly samplesPlanned: number;
}
