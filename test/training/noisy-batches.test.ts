import { describe, expect, it } from 'vitest';
import { gaussianCutpoints } from '../../src/random/cutpoints.ts';
import { referenceNoise } from '../../src/random/reference.ts';
import type { Dataset } from '../../training/tensorflow/dataset.ts';
import { createNoisyBatches, mirrored } from '../../training/tensorflow/noisy-batches.ts';

const SIGMA = 0.25;
const SEED = 1234;

/** Images whose every pixel differs from the other images' by more than noise ever does: label i, pixels 10 i. */
const count = 7;
const dataset: Dataset = {
  count,
  height: 2,
  width: 3,
  images: Uint8Array.from({ length: count * 6 }, (_, index) => 10 * Math.floor(index / 6) + (index % 3)),
  labels: Uint8Array.from({ length: count }, (_, index) => index),
};

/** The epoch's rows in order: label, and grid values 255 · pixel. */
function epochRows(epoch: number, options: { mirror?: boolean; sigma?: number; batch?: number } = {}) {
  const batches = createNoisyBatches(dataset, {
    sigma: SIGMA,
    batch: 3,
    mirror: false,
    seed: SEED,
    ...options,
  });
  const found: { label: number; levels: number[] }[] = [];
  // A batch is read before the next one is made: both are the same arrays.
  for (const { rows, images, labels } of batches(epoch)) {
    for (let row = 0; row < rows; row += 1) {
      const levels = [...images.subarray(row * 6, (row + 1) * 6)].map((value) => Math.round(255 * value));
      found.push({ label: labels[row]!, levels });
    }
  }
  return found;
}

describe('the batches of an epoch', () => {
  it('hold every image once, in another order in each epoch', () => {
    const orders = [1, 2, 3].map((epoch) => epochRows(epoch).map(({ label }) => label));
    for (const order of orders) expect(order.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(new Set(orders.map(String)).size).toBe(3);
  });

  it('are clean pixels and the noise of the certification scheme, fresh at each place of each epoch', () => {
    const cutpoints = gaussianCutpoints(SIGMA);
    for (const epoch of [1, 2]) {
      for (const [place, { label, levels }] of epochRows(epoch).entries()) {
        const stream = { key0: SEED, key1: 0, stream: epoch };
        const noise = Array.from({ length: 6 }, (_, element) =>
          referenceNoise(cutpoints, stream, 255, place, element),
        );
        expect(levels).toEqual(noise.map((each, element) => 10 * label + (element % 3) + each));
      }
    }
  });

  it('are the same again for the same seed, whatever the size of a batch', () => {
    expect(epochRows(4, { batch: 7, mirror: true })).toEqual(epochRows(4, { batch: 2, mirror: true }));
  });

  it('are mirrored about half of the time', () => {
    // With this σ the noise is 0: 255 σ z rounds to 0 up to 19 standard deviations.
    const mirroredRows = Array.from({ length: 100 }, (_, epoch) =>
      epochRows(epoch, { mirror: true, sigma: 1e-4 }),
    )
      .flat()
      .map(({ label, levels }) => {
        const ascending = [0, 1, 2, 0, 1, 2].map((x) => 10 * label + x);
        expect([ascending, mirrored(Uint8Array.from(ascending), 3)].map((each) => [...each])).toContainEqual(
          levels,
        );
        return levels[0]! > levels[2]!;
      });
    const share = mirroredRows.filter(Boolean).length / mirroredRows.length;
    // 700 fair coins: a share beyond 0.4 or 0.6 has probability 1e-7; the draws are seeded.
    expect(Math.abs(share - 0.5)).toBeLessThan(0.1);
  });
});

describe('a mirrored image', () => {
  it('has left and right exchanged in every row, and is a copy', () => {
    const image = Uint8Array.of(1, 2, 3, 4, 5, 6);
    expect([...mirrored(image, 3)]).toEqual([3, 2, 1, 6, 5, 4]);
    expect([...image]).toEqual([1, 2, 3, 4, 5, 6]);
  });
});
