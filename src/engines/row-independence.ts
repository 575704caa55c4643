import { DomainError } from '../errors.ts';
import type { EngineSession } from './engine.ts';

/** Rows of the probe; half of them are judged. */
const ROWS = 16;
/** The other half is nearly black, then nearly white: batch statistics move as far as images can move them. */
const COMPANIONS = [0.02, 0.98];

/**
 * Pixels for the probe, within [0,1]: rows from dark to bright, spread around that, the same every time. Weyl's sequence
 * with the fractional part of the golden ratio spreads the pixels of a row evenly.
 */
function probe(rows: number, elements: number): Float32Array[] {
  const golden = 0.618_033_988_749_895;
  return Array.from({ length: rows }, (_, row) =>
    Float32Array.from({ length: elements }, (_value, element) => {
      const spread = (((row + 1) * elements + element) * golden) % 1;
      return 0.1 + (0.6 * (row + 0.5)) / rows + 0.2 * spread;
    }),
  );
}

/**
 * Refuses a network that lets the rows of a batch influence one another (a mean over the batch, for instance): its votes
 * would depend on what happens to be in the same batch, and nothing could be certified of it. The same rows are
 * classified in batches whose other rows differ, and in opposite order; their classes must be the same.
 *
 * This finds a network that mixes rows when the mixing changes a class of the probe; it cannot prove that none is ever
 * changed. Operators in training mode, the usual cause, are refused by the inspection of the file.
 *
 * @param path names the model in the error
 * @throws DomainError `model_invalid`
 */
export async function requireRowIndependence(
  session: EngineSession,
  elements: number,
  path: string,
): Promise<void> {
  const rows = session.fixedBatch ?? ROWS;
  const judged = probe(Math.ceil(rows / 2), elements);
  let expected: string | null = null;
  for (const reversed of [false, true]) {
    for (const companion of COMPANIONS) {
      const batch = new Float32Array(rows * elements).fill(companion);
      // Judged rows stand in every second place, in one order or the other.
      const places = judged.map((_, index) => 2 * (reversed ? judged.length - 1 - index : index));
      judged.forEach((row, index) => batch.set(row, places[index]! * elements));
      const classes = new Int32Array(rows);
      await session.classify(batch, rows, classes);
      const found = places.map((place) => classes[place]).join();
      expected ??= found;
      if (found !== expected) {
        throw new DomainError(
          'model_invalid',
          `${path} gives a row another class when other rows are in its batch`,
        );
      }
    }
  }
}
