import type { Precision } from './compute-target.ts';

/** Who ran the network: recorded in every certificate. */
export interface EngineDescription {
  readonly name: string;
  readonly version: string;
  /** What computed, e.g. "cpu" or "cuda"; never what was merely asked for. */
  readonly provider: string;
  readonly precision: Precision;
}

/**
 * The port to an inference engine: a network, asked for scores. What follows from scores (classes, padding, checks of
 * lengths, of finiteness, of the rows' independence) is the classifier's, above it, and the same for every engine.
 *
 * A session belongs to one thread. Opening one has compared what the file declares with the manifest (`signature.ts`) and has
 * run the network once. A call may block the thread while it computes.
 */
export interface EngineSession {
  readonly description: EngineDescription;
  /** The number of rows that the file takes, and no other; null for any. */
  readonly fixedBatch: number | null;
  /** The rows to compute where `rows` are wanted: as many, or more where the library does better with some numbers. */
  computedRows(rows: number): number;
  /**
   * Scores of the first `rows` rows of `batch` (row-major float32, in the manifest's layout): rows x classes, row-major, as
   * the network gives them. They are valid until the next call. The batch has that many rows, and the file takes them.
   *
   * @throws where the network answers with something else
   */
  scores(batch: Float32Array, rows: number): Promise<Float32Array>;
  close(): Promise<void>;
}
