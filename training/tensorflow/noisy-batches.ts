import { gaussianCutpoints } from '../../src/random/cutpoints.ts';
import { NoiseKernel } from '../../src/random/noise-kernel.ts';
import { type Dataset, imageOf } from './dataset.ts';
import { createRandomIntegers, shuffledIndices } from './random-integers.ts';

/** What the batches are made with. */
export interface Augmentation {
  readonly sigma: number;
  readonly batch: number;
  readonly mirror: boolean;
  readonly seed: number;
}

/** A batch; both arrays are written anew for the next one. */
export interface NoisyBatch {
  readonly rows: number;
  /** rows · height · width values i/255, i = pixel + noise; they may lie outside [0,1]. */
  readonly images: Float32Array;
  readonly labels: Int32Array;
}

/** The noise scheme's code of training draws; certification uses the codes below 3. */
const TRAINING_PURPOSE = 255;
/** Second words of the keys, after the seed: noise and order are independent. */
const NOISE_KEY = 0;
const ORDER_KEY = 1;

/**
 * Makes the batches of an epoch: every image once, in a new order, perhaps mirrored, with fresh noise. The noise is that
 * of certification, N(0, σ²) for each pixel rounded to the 1/255 grid, under a key of its own.
 *
 * Image at place i of epoch e has the noise of sample i of stream e, so an epoch depends on the seed and its number alone.
 */
export function createNoisyBatches(
  dataset: Dataset,
  { sigma, batch, mirror, seed }: Augmentation,
): (epoch: number) => Generator<NoisyBatch, void> {
  const elements = dataset.height * dataset.width;
  const kernel = NoiseKernel.create({ elements, rows: batch });
  kernel.setLaw(gaussianCutpoints(sigma));
  const labels = new Int32Array(batch);
  return function* epochBatches(epoch) {
    const random = createRandomIntegers([seed, ORDER_KEY], epoch);
    const order = shuffledIndices(dataset.count, random);
    const stream = { key0: seed, key1: NOISE_KEY, stream: epoch };
    for (let first = 0; first < order.length; first += batch) {
      const rows = Math.min(batch, order.length - first);
      for (let row = 0; row < rows; row += 1) {
        const index = order[first + row]!;
        const image = imageOf(dataset, index);
        kernel.fill({
          row,
          rows: 1,
          image: mirror && random(2) === 1 ? mirrored(image, dataset.width) : image,
          stream,
          purpose: TRAINING_PURPOSE,
          firstSample: first + row,
        });
        labels[row] = dataset.labels[index]!;
      }
      yield { rows, images: kernel.batch.subarray(0, rows * elements), labels: labels.subarray(0, rows) };
    }
  };
}

/** A grey image with left and right exchanged. */
export function mirrored(image: Uint8Array, width: number): Uint8Array {
  const result = new Uint8Array(image.length);
  for (let row = 0; row < image.length; row += width) {
    for (let x = 0; x < width; x += 1) result[row + x] = image[row + width - 1 - x]!;
  }
  return result;
}
