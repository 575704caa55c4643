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
 * The port to an inference engine: the base classifier, asked for hard labels.
 *
 * A session belongs to one thread. `classify` must give each row the class that the network gives it alone: rows never
 * influence one another. It must refuse a wrong length, and it must reject where a row has a score that is not finite.
 * It may block the thread while it computes.
 */
export interface EngineSession {
  readonly description: EngineDescription;
  /** Most rows of one call, or null for any number. */
  readonly fixedBatch: number | null;
  /**
   * Classifies the first `rows` rows of `batch` (row-major float32, in the manifest's layout) into `classes`. The
   * lowest of several equal best scores wins.
   */
  classify(batch: Float32Array, rows: number, classes: Int32Array): Promise<void>;
  close(): Promise<void>;
}

/** The class with the highest score in each row, the lowest of several; throws where a score is not finite. */
export function argmaxRows(scores: Float32Array, width: number, rows: number, classes: Int32Array): void {
  for (let row = 0; row < rows; row += 1) {
    const offset = row * width;
    let best = 0;
    let bestScore = scores[offset]!;
    // x - x is 0 for every finite x and NaN otherwise, so one sum tells whether all scores are finite.
    let finite = bestScore - bestScore;
    for (let index = 1; index < width; index += 1) {
      const score = scores[offset + index]!;
      finite += score - score;
      if (score > bestScore) {
        best = index;
        bestScore = score;
      }
    }
    if (finite !== 0) throw new NonFiniteScoreError();
    classes[row] = best;
  }
}

/** The network gave a score that is NaN or infinite: it has no class there. */
export class NonFiniteScoreError extends Error {
  override readonly name = 'NonFiniteScoreError';
  constructor() {
    super('the model gave a score that is not a finite number');
  }
}
