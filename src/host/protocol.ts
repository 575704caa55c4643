import type { Failure } from '../errors.ts';
import type { ComputeTarget } from '../engines/compute-target.ts';
import type { EngineDescription } from '../engines/engine.ts';
import type { RegisteredModel } from '../models/store.ts';
import type { VerifiedModel } from '../models/verify.ts';
import type { NoiseLaw } from '../random/noise-law.ts';
import type { NoiseStream, Purpose } from '../random/noise-stream.ts';
import type { RememberedBatch } from './batch-memory.ts';
import type { MeasuredBatch } from './batch-size.ts';

// The messages between a worker, its device host (a child process) and the host's lanes (threads). All of them are
// structured-cloneable; errors cross as a `Failure`.

/** Of these messages. Raised with every change of them: an installation may be replaced while its worker runs. */
export const PROTOCOL = 1;

/** What a host is told when it starts. */
export interface HostSettings {
  readonly protocol: typeof PROTOCOL;
  readonly lanes: number;
  readonly target: ComputeTarget;
}

/** One input of a piece of work: its uint8 tensor and the noise that belongs to it. */
export interface WorkInput {
  readonly bytes: Uint8Array;
  readonly stream: NoiseStream;
}

/** Consecutive samples of one purpose of one input. `input` indexes the work's inputs. */
export interface Segment {
  readonly input: number;
  readonly purpose: Purpose;
  readonly firstSample: number;
  readonly count: number;
}

/** Draws that belong together: one model, one law of the noise, many inputs. */
export interface Work {
  readonly id: string;
  readonly model: RegisteredModel;
  readonly noise: NoiseLaw;
  readonly inputs: readonly WorkInput[];
  readonly segments: readonly Segment[];
}

/** Where the lanes' time went, in milliseconds added over lanes. */
export interface Timings {
  readonly noise: number;
  readonly inference: number;
  readonly counting: number;
}

/** The end of a piece of work. `votes[s][c]` counts class c among segment s's samples, all of them. */
export type WorkOutcome =
  | { readonly kind: 'sampled'; readonly votes: readonly (readonly number[])[]; readonly timings: Timings }
  | { readonly kind: 'aborted' }
  | ({ readonly kind: 'failed' } & Failure);

/** What warming a model up on a device found; fixed for the host's life and recorded in certificates. */
export interface WarmModel {
  readonly engine: EngineDescription;
  readonly batchSize: number;
  /** Measured at warm-up over all lanes of the device. */
  readonly samplesPerSecond: number;
}

type FailedLoad = { readonly kind: 'failed' } & Failure;
export type LoadOutcome = ({ readonly kind: 'loaded' } & WarmModel) | FailedLoad;

/** What a host offers its worker. */
export interface HostFunctions {
  /**
   * Verifies the model's files and opens it on every lane. What was measured `earlier` in this worker is taken as it is; of
   * what is `remembered` from before, what fits the engine and rounds as it should.
   */
  load(
    model: RegisteredModel,
    earlier: MeasuredBatch | null,
    remembered: readonly RememberedBatch[],
  ): Promise<LoadOutcome>;
  /** Draws all segments of a loaded model, or aborts. Work is taken up in the order of the calls. */
  sample(work: Work): Promise<WorkOutcome>;
  /** Ends a piece of work within one batch of every lane; unknown ids are ignored. */
  abort(workId: string): void;
}

/** What a worker offers its host. */
export interface WorkerFunctions {
  /** `samples` more of a piece of work have been counted. */
  progress(workId: string, samples: number): void;
  /** Said every second: the process runs, whatever its lanes are doing. */
  alive(): void;
}

/** A part of a piece of work that one lane does in one go: several batches. */
export interface LaneTask {
  readonly workId: string;
  readonly segments: readonly (Segment & { readonly segment: number })[];
}

export type LaneOutcome =
  | {
      readonly kind: 'sampled';
      /** Votes by segment index of the work, over all classes. */
      readonly votes: readonly (readonly [segment: number, votes: Uint32Array])[];
      readonly samples: number;
      readonly timings: Timings;
    }
  | { readonly kind: 'aborted' }
  | ({ readonly kind: 'failed' } & Failure);

/** What a lane offers its host. */
export interface LaneFunctions {
  /** Reads and checks a model's files, without opening it. */
  verify(
    model: RegisteredModel,
  ): Promise<FailedLoad | { readonly kind: 'verified'; readonly model: VerifiedModel }>;
  open(
    model: VerifiedModel,
  ): Promise<FailedLoad | { readonly kind: 'opened'; readonly engine: EngineDescription }>;
  /** Finds the batch size for an opened model, and the speed of this lane with it. */
  measure(modelDigest: string): Promise<MeasuredBatch>;
  /** Whether an opened model gives a row the same class in batches of that size as in others. */
  suits(modelDigest: string, batchSize: number): Promise<boolean>;
  /** Allocates the noise kernel for this batch size, or for the model's own if it has one; answers it. */
  prepare(modelDigest: string, batchSize: number): Promise<number>;
  forget(modelDigest: string): Promise<void>;
  begin(work: Pick<Work, 'id' | 'noise' | 'inputs'> & { readonly modelDigest: string }): void;
  run(task: LaneTask): Promise<LaneOutcome>;
  /** Drops what `begin` brought; a task of that work that is under way ends after its batch. */
  end(workId: string): void;
}
