import type { InputKind } from '../models/inputs/input-tensor.ts';
import type { Kind, ParametersOf, VerdictOf } from '../contract/kinds.ts';
import type { JobStatus } from '../contract/status.ts';
import type { Failure } from '../errors.ts';
import type { EngineDescription } from '../engines/engine.ts';
import type { NoiseLaw } from '../random/noise-law.ts';
import type { SeedSource } from '../smoothing/certificate.ts';
import type { JobRef } from './job-ref.ts';

// What the service knows of a job, one submitted request. Its life is told in contract/status.ts.

interface RequestOf<K extends Kind> {
  readonly kind: K;
  readonly model: { readonly name: string; readonly version: string; readonly digest: string };
  readonly parameters: ParametersOf[K];
  /** What is drawn, whatever release draws, decides or shows it. */
  readonly noise: NoiseLaw;
  /** 32 bytes as hexadecimal digits; drawn by the server unless the request is a reproduction. */
  readonly seed: string;
  /** "client" makes the job a reproduction: its results claim nothing and are counted as `reproduced` alone. */
  readonly seedSource: SeedSource;
  /** Input i draws the noise of index firstIndex + i: 0 unless a reproduction repeats a later part of a job. */
  readonly firstIndex: number;
}

/** A request after validation, but for its inputs, which stand in entries.ts; it never changes again. */
export type JobRequest<K extends Kind = Kind> = { [P in K]: RequestOf<P> }[K];

export interface JobRecord extends JobRef {
  readonly request: JobRequest;
  readonly inputsTotal: number;
  readonly status: JobStatus;
  /** The pool that draws its samples; null until the job runs. */
  readonly engine: EngineDescription | null;
  /** How often it was bound anew, to another pool. Votes of different bindings never meet. */
  readonly binding: number;
  /** Milliseconds since the epoch, as all times here. */
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  readonly expiresAt: number | null;
  readonly error: Failure | null;
  readonly counts: {
    /** Inputs with an outcome: certified (or predicted), abstained and reproduced together. */
    readonly decided: number;
    readonly failed: number;
    /** Inputs certified, or predicted. */
    readonly affirmed: number;
    readonly abstained: number;
    /** Inputs whose votes were drawn again with a client's seed: all that are decided, or none. */
    readonly reproduced: number;
    /** Affirmed inputs whose class is the reference label. */
    readonly correct: number;
    /** Inputs that carry a reference label. */
    readonly labelled: number;
  };
  readonly samplesDrawn: number;
  readonly samplesPlanned: number;
}

/** An input as it was submitted; its bytes are stored apart under `digest`. */
export interface JobEntry {
  /** The client's name for it, unique in the job. */
  readonly id: string;
  readonly kind: InputKind;
  /** SHA-256 of the bytes as sent. */
  readonly digest: string;
  /** The client's reference label, a class number, if it gave one. */
  readonly label: number | null;
}

/** What is known of one input: stored once, when it is decided or has failed. */
export type ResultRecord = VerdictOf[Kind] | { readonly kind: 'failed'; readonly error: Failure };
