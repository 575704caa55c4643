import { DomainError } from '../errors.ts';

/** A difference above this part of the highest score is no rounding. */
const ROUNDING = 1e-3;

/**
 * Refuses a network that gives a row other scores where other rows stand beside it, and a library that rounds them
 * otherwise when the row stands elsewhere or among fewer rows: where two scores are nearly equal the class would depend
 * on how samples are put into batches, and a certificate could not be drawn again. Such rounding was seen with oneDNN on
 * CPUs without AVX-512, and where several threads share a product.
 *
 * @param scores of the first `rows` rows of a batch
 * @param rows of the probe
 * @param fixed whether only all rows can be computed at once
 * @param path names the model in the error
 * @throws DomainError `model_invalid` for the network, `engine_unavailable` for the library
 */
export function requireEqualRounding(
  scores: (batch: Float32Array, rows: number) => Float32Array,
  rows: number,
  elements: number,
  fixed: boolean,
  path: string,
): void {
  const batch = Float32Array.from(
    { length: rows * elements },
    (_, index) => (index * 0.618_033_988_749_895) % 1,
  );
  const whole = scores(batch, rows);
  const width = whole.length / rows;
  const highest = whole.reduce((most, each) => Math.max(most, Math.abs(each)), 0);
  const check = (found: Float32Array, at: number, row: number): void => {
    for (let index = 0; index < width; index += 1) {
      const [one, other] = [found[at * width + index]!, whole[row * width + index]!];
      if (Object.is(one, other)) continue;
      if (Math.abs(one - other) > ROUNDING * highest) {
        throw new DomainError(
          'model_invalid',
          `${path} gives a row other scores when other rows are in its batch`,
        );
      }
      throw new DomainError(
        'engine_unavailable',
        'TensorFlow rounds the scores of a row differently by its place in the batch here; let it run with ' +
          'TF_NUM_INTRAOP_THREADS=1 TF_ENABLE_ONEDNN_OPTS=1 and, on a CPU without AVX-512, DNNL_MAX_CPU_ISA=AVX',
      );
    }
  };
  const reversed = new Float32Array(batch.length);
  for (let row = 0; row < rows; row += 1) {
    reversed.set(batch.subarray(row * elements, (row + 1) * elements), (rows - 1 - row) * elements);
  }
  const backwards = scores(reversed, rows);
  for (let row = 0; row < rows; row += 1) check(backwards, rows - 1 - row, row);
  if (fixed) return;
  for (const first of [1, 2, 3]) {
    const parts = [0, first, rows];
    for (let part = 0; part < 2; part += 1) {
      const [from, to] = [parts[part]!, parts[part + 1]!];
      const found = scores(batch.subarray(from * elements), to - from);
      for (let row = from; row < to; row += 1) check(found, row - from, row);
    }
  }
}
