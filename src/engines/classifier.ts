import { inputElements, type Manifest } from '../models/manifest.ts';
import { computedRows, type EngineDescription, type EngineSession } from './engine.ts';
import { NonFiniteScoreError } from './non-finite-score-error.ts';
import { hasSameScores } from './row-probe.ts';

/**
 * The base classifier: a network in an engine, asked for hard labels.
 *
 * `classify` gives each row the class that the network gives it alone: rows never influence one another
 * (`open-classifier.ts` makes sure of it). It belongs to one thread, which it may block while it computes.
 */
export interface Classifier {
  readonly description: EngineDescription;
  /** Most rows of one call, or null for any number. */
  readonly fixedBatch: number | null;
  /**
   * Whether a row's scores depend on the batch, by rounding: then sample i of a draw must stand at place i mod `fixedBatch` of
   * a batch of `fixedBatch` samples of that draw, so that its class is the same whoever draws it, whenever.
   */
  readonly aligned: boolean;
  /**
   * Classifies the first `rows` rows of `batch` (row-major float32, in the manifest's layout) into `classes`. The
   * lowest of several equal best scores wins.
   *
   * @throws RangeError where the lengths do not fit
   * @throws NonFiniteScoreError where one of the rows has a score that is not finite
   */
  classify(batch: Float32Array, rows: number, classes: Int32Array): Promise<void>;
  /** Whether a row has the scores of a small batch, bit for bit, at every place of a batch of so many rows. */
  agrees(rows: number): Promise<boolean>;
  close(): Promise<void>;
}

/** How the rows of a batch are kept apart. */
export type RowsApart = Pick<EngineDescription, 'rows' | 'batch'>;

/**
 * A classifier of the scores of a session, which it closes with itself.
 *
 * @param how the rows are kept apart, as `openClassifier` found
 */
export function createClassifier(
  session: EngineSession,
  manifest: Manifest,
  how: RowsApart = {},
): Classifier {
  const { fixedBatch } = session;
  const elements = inputElements(manifest);
  const { classes: width } = manifest.output;
  let padded = new Float32Array(0);

  /** The first `computed` rows; those past `rows` are whatever stands there, or zero. */
  const valuesOf = (batch: Float32Array, rows: number, computed: number): Float32Array => {
    if (batch.length >= computed * elements) return batch.subarray(0, computed * elements);
    if (padded.length < computed * elements) padded = new Float32Array(computed * elements);
    padded.set(batch.subarray(0, rows * elements));
    return padded.subarray(0, computed * elements);
  };

  return {
    description: {
      ...session.identity,
      ...how,
      ...(session.softmax === null ? {} : { output: `logits before ${session.softmax}` }),
    },
    fixedBatch,
    aligned: how.batch !== undefined,
    async classify(batch, rows, classes) {
      // A model made for one batch size wants a whole batch.
      const needed = fixedBatch ?? rows;
      if (rows < 1 || rows > needed || batch.length < needed * elements || classes.length < rows) {
        throw new RangeError(`${rows} rows do not fit a batch of ${batch.length} values and ${needed} rows`);
      }
      const computed = computedRows(session, rows);
      const scores = await session.scores(valuesOf(batch, rows, computed), computed);
      argmaxRows(scores, width, rows, classes);
    },
    agrees: (rows) => hasSameScores(session, manifest, rows),
    close: () => session.close(),
  };
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
