import type { FinalSoftmax } from '../models/logits/final-softmax.ts';
import type { Precision } from './compute-target.ts';

/** Which library computes, on what. */
export interface EngineIdentity {
  readonly name: string;
  readonly version: string;
  /** What computed, e.g. "cpu" or "cuda"; never what was merely asked for. */
  readonly provider: string;
  readonly precision: Precision;
}

/** How it is known that the rows of a batch do not influence one another. */
export type RowIndependence =
  /** By the graph of the model file, and by the probe. */
  | 'proved'
  /** By the probe alone: some operator of the graph cannot be followed. */
  | 'probed'
  /** Each row is computed by itself. */
  | 'alone';

/** Who ran the network, and how: recorded in every certificate. */
export interface EngineDescription extends EngineIdentity {
  /** Left out by releases that did not ask. */
  readonly rows?: RowIndependence;
  /** What is compared, where that is not the output of the file: "logits before Softmax". */
  readonly output?: string;
  /** The rows of every call, where a row's scores depend on it; left out where every batch gives the same scores. */
  readonly batch?: number;
}

/**
 * The port to an inference engine: a network, asked for scores. What follows from scores (classes, padding, checks of
 * lengths, of finiteness, of the rows' independence) is the classifier's, above it, and the same for every engine.
 *
 * A session belongs to one thread. Opening one has compared what the file declares with the manifest (`signature.ts`) and has
 * run the network once. A call may block the thread while it computes.
 */
export interface EngineSession {
  readonly identity: EngineIdentity;
  /** The number of rows that the file takes, and no other; null for any. */
  readonly fixedBatch: number | null;
  /** What the file ends with and the scores are without: they are its logits then. */
  readonly softmax: FinalSoftmax | null;
  /**
   * Scores of the first `rows` rows of `batch` (row-major float32, in the manifest's layout): rows x classes, row-major, as
   * the network gives them, but without a Softmax over the classes at its end. They are valid until the next call. The
   * batch has that many rows, and the file takes them.
   *
   * @throws where the network answers with something else
   */
  scores(batch: Float32Array, rows: number): Promise<Float32Array>;
  close(): Promise<void>;
}

/**
 * One row alone is computed by other kernels, for a matrix and a vector, which round otherwise than those for the same row
 * among others (measured in ONNX Runtime and in TensorFlow).
 */
const LEAST_ROWS = 2;

/**
 * The number of rows that a call computes where `rows` are wanted. Powers of two: each of them is probed, and the libraries
 * of GPUs search for the best kernels, or build them, anew for each number of rows.
 */
export function computedRows({ fixedBatch }: EngineSession, rows: number): number {
  return fixedBatch ?? 2 ** Math.ceil(Math.log2(Math.max(rows, LEAST_ROWS)));
}
