import { inputElements, type Manifest } from '../models/manifest.ts';
import { computedRows, type EngineSession } from './engine.ts';
import { NonFiniteScoreError } from './non-finite-score-error.ts';
import { companionRows, judgedRows, nudgedRows } from './probe-rows.ts';
import { roundingBound } from './rounding-bound.ts';

/** What a probe of a network's rows found, from best to worst. */
export type RowProbe =
  /** A row has the same scores, bit for bit, in every batch that was tried. */
  | { readonly kind: 'exact' }
  /** By its place in the batch, or by the batch's size, its scores are rounded otherwise, and nothing else. */
  | { readonly kind: 'rounded' }
  /** No more than rounding either, but it comes with other rows in the batch, or from call to call. */
  | { readonly kind: 'unsteady'; readonly how: string }
  /** Its scores depend on more than the row. */
  | { readonly kind: 'mixed'; readonly how: string };

/** Batches that are tried where a model takes any; of GPUs, whose libraries choose by size, a large one too. */
const SIZES = [2, 4, 8, 16, 32, 64];
const LARGE = 1024;
/** The size with all companions, at every place; of large images the smallest, and one judged row: their networks are slow. */
const THOROUGH = 4;
const THOROUGH_OF_LARGE = 2;
/** Values from which an image is large: 105 x 105 pixels in colour. */
const LARGE_IMAGE = 2 ** 15;
/** float32 values of the largest batch tried, and of the largest of more than 16 rows: a probe takes a second, or a few. */
const MOST_VALUES = 2 ** 21;
const MOST_VALUES_OF_MANY = 2 ** 18;

type ScoresOf = (rows: readonly Float32Array[]) => Promise<readonly Float32Array[]>;

/** Scores of each of several rows in one batch, which is computed as classifiers compute it. */
function scoresIn(session: EngineSession, { output }: Manifest): ScoresOf {
  return async (rows) => {
    const elements = rows[0]!.length;
    const computed = computedRows(session, rows.length);
    const batch = new Float32Array(computed * elements);
    for (const [index, row] of rows.entries()) batch.set(row, index * elements);
    const scores = await session.scores(batch, computed);
    return rows.map((_, index) => scores.slice(index * output.classes, (index + 1) * output.classes));
  };
}

/** Whether a row has the scores, bit for bit, at every place of a batch of `size` rows that it has in the smallest. */
export async function hasSameScores(
  session: EngineSession,
  manifest: Manifest,
  size: number,
): Promise<boolean> {
  const scoresOf = scoresIn(session, manifest);
  const [row] = judgedRows(manifest);
  const [expected] = await scoresOf([row!]);
  const copies = await scoresOf(Array.from({ length: size }, () => row!));
  return copies.every((scores) => distance(scores, expected!) === 0);
}

/** How far two rows' scores lie apart; infinite where one is no number. */
function distance(one: Float32Array, other: Float32Array): number {
  let most = 0;
  for (const [index, each] of one.entries()) {
    const apart = Object.is(each, other[index]) ? 0 : Math.abs(each - other[index]!);
    if (!(apart <= most)) most = Number.isFinite(apart) ? apart : Infinity;
  }
  return most;
}

/**
 * Compares scores of the same rows in many batches: alone, at each place, among few and many rows, beside images, noise,
 * constants and values far outside of images, and again at the end.
 *
 * At the same place of a batch of the same size an engine does the same operations in the same order with a row's numbers,
 * since libraries choose kernels by shapes and not by values: then the companions must not change one bit (measured: they
 * never did, in 69 networks that mix nothing). By place and by size the last bits may differ, within `roundingBound`.
 *
 * A probe proves nothing: it can miss what depends on one value of a companion that it does not try, on a place or size that
 * it does not try, or on place and size alone by less than rounding.
 *
 * @throws NonFiniteScoreError where a row has no finite scores alone
 */
export async function probeRows(session: EngineSession, manifest: Manifest): Promise<RowProbe> {
  const large = inputElements(manifest) >= LARGE_IMAGE;
  const most = large ? 1 : undefined;
  const judged = judgedRows(manifest).slice(0, most);
  const scoresOf = scoresIn(session, manifest);
  const apart: Differences = { byCall: 0, byCompanions: 0, byPlace: 0 };

  const alone = async (rows: readonly Float32Array[]): Promise<Float32Array[]> => {
    const found: Float32Array[] = [];
    for (const row of rows) found.push((await scoresOf([row]))[0]!);
    return found;
  };
  const compare = (by: keyof Differences, one: Float32Array, other: Float32Array): void => {
    apart[by] = Math.max(apart[by], distance(one, other));
  };
  const compareAgain = async (): Promise<void> =>
    (await alone(judged)).forEach((scores, index) => compare('byCall', scores, expected[index]!));

  const expected = await alone(judged);
  if (!expected.every((scores) => scores.every(Number.isFinite))) throw new NonFiniteScoreError();
  await compareAgain();
  // A state would pass for the effect of a nudge.
  const nudged = apart.byCall > 0 ? [] : await alone(nudgedRows(manifest).slice(0, most));

  for (const [turn, size] of sizesFor(session, judged[0]!.length).entries()) {
    // Of copies of one row each place is seen.
    const copies = await scoresOf(Array.from({ length: size }, () => judged[0]!));
    for (const scores of copies) compare('byPlace', scores, expected[0]!);
    if (size === 1) {
      for (const companion of companionRows(manifest)) await scoresOf([companion]);
      continue;
    }
    const thorough = size === (large ? THOROUGH_OF_LARGE : THOROUGH) || session.fixedBatch !== null;
    for (const first of thorough ? [0, 1] : [turn % 2]) {
      let beside: readonly Float32Array[] | null = null;
      for (const companion of companionRows(manifest).slice(0, thorough ? undefined : 2)) {
        // Judged rows stand in every second place.
        const rowAt = (place: number): number => (place >> 1) % judged.length;
        const rows = Array.from({ length: size }, (_, place) =>
          place % 2 === first ? judged[rowAt(place)]! : companion,
        );
        const scores = await scoresOf(rows);
        for (let place = first; place < size; place += 2) {
          compare('byPlace', scores[place]!, expected[rowAt(place)]!);
          if (beside !== null) compare('byCompanions', scores[place]!, beside[place]!);
        }
        beside ??= scores;
      }
    }
  }
  await compareAgain();

  const largest = Math.max(...expected.map((scores) => Math.max(...scores.map(Math.abs))));
  const moved = Math.max(0, ...nudged.map((scores, index) => distance(scores, expected[index]!)));
  return verdict(apart, roundingBound(session.identity.precision, largest, moved), largest);
}

function verdict(apart: Differences, bound: number, largest: number): RowProbe {
  for (const by of ['byCall', 'byCompanions', 'byPlace'] as const) {
    if (apart[by] <= bound) continue;
    const share = (apart[by] / largest).toPrecision(1);
    return { kind: 'mixed', how: `${HOW[by]}, by up to ${share} of the largest score` };
  }
  for (const by of ['byCall', 'byCompanions'] as const) {
    if (apart[by] > 0) return { kind: 'unsteady', how: `${HOW[by]}, by as little as rounding does` };
  }
  return { kind: apart.byPlace > 0 ? 'rounded' : 'exact' };
}

/** The largest difference of a score that came with another call, another companion, another place or size. */
type Differences = Record<'byCall' | 'byCompanions' | 'byPlace', number>;

const HOW = {
  byCall: 'gives a row other scores after other calls: it keeps a state',
  byCompanions: 'gives a row other scores when other rows are in its batch',
  byPlace: 'gives a row other scores at another place of a batch or in a batch of another size',
} as const satisfies Record<keyof Differences, string>;

function sizesFor({ fixedBatch, identity }: EngineSession, elements: number): readonly number[] {
  if (fixedBatch !== null) return [fixedBatch];
  const gpu = identity.provider === 'cuda' || identity.provider === 'tensorrt';
  const fits = (size: number): boolean =>
    size * elements <= (size > 16 && !gpu ? MOST_VALUES_OF_MANY : MOST_VALUES) || size <= THOROUGH;
  return [...SIZES, ...(gpu ? [LARGE] : [])].filter(fits);
}
