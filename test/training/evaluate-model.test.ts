import { describe, expect, it } from 'vitest';
import type { Classifier } from '../../src/engines/classifier.ts';
import type { Dataset } from '../../training/tensorflow/dataset.ts';
import {
  accuracyUnderNoise,
  certifyImages,
  cleanAccuracy,
} from '../../training/tensorflow/evaluate-model.ts';

const SIGMA = 0.25;
const seed = new Uint8Array(32).fill(3);
const settings = { every: 1, classes: 3, seed };
const parameters = { sigma: SIGMA, n0: 100, n: 1000, alpha: 0.001, bound: 'pA' } as const;

/** 1x1 images: black, black, white, grey (at the threshold), of class 0, 1, 1, 2. */
const dataset: Dataset = {
  count: 4,
  height: 1,
  width: 1,
  images: Uint8Array.of(0, 0, 255, 128),
  labels: Uint8Array.of(0, 1, 1, 2),
};

/** Class 1 for a pixel above one half, class 0 for any other. */
const session: Pick<Classifier, 'classify'> = {
  async classify(batch, rows, classes) {
    for (let row = 0; row < rows; row += 1) classes[row] = batch[row]! > 0.5 ? 1 : 0;
  },
};

describe('the evaluation', () => {
  it('counts the images whose class is the label', async () => {
    expect(await cleanAccuracy(session, dataset)).toBe(0.5);
    // 2 standard deviations lie between the images and the threshold: each of the first three is right with
    // probability 0.977, 0.023, 0.977; the last never. The draws are seeded.
    const hundred = repeated(100);
    const noisy = await accuracyUnderNoise(session, hundred, SIGMA, seed);
    expect(noisy).toBeGreaterThan(0.46);
    expect(noisy).toBeLessThan(0.53);
  });

  it('certifies as the service does: never more than the exact radius, abstains on the threshold', async () => {
    const { inputs, abstained, wrong } = await certifyImages(session, dataset, parameters, settings);
    expect(inputs.map(({ correct }) => correct)).toEqual([true, false, true, false]);
    expect(abstained).toBe(1);
    expect(wrong).toBe(1);
    expect(inputs[3]!.certifiedRadius).toBeNull();
    // Theorem 1 is tight for half spaces: the exact radius is the distance from the threshold, one half.
    for (const { certifiedRadius } of inputs.slice(0, 3)) {
      expect(certifiedRadius).toBeLessThanOrEqual(0.5);
      expect(certifiedRadius).toBeGreaterThan(0.35);
    }
  });

  it('certifies every so many images only, and each as if it were alone', async () => {
    const all = await certifyImages(session, dataset, parameters, settings);
    const second = await certifyImages(session, dataset, parameters, { ...settings, every: 2 });
    expect(second.inputs).toEqual([all.inputs[0], all.inputs[2]]);
  });
});

function repeated(times: number): Dataset {
  const repeat = (bytes: Uint8Array): Uint8Array =>
    Uint8Array.from({ length: bytes.length * times }, (_, index) => bytes[index % bytes.length]!);
  return {
    ...dataset,
    count: dataset.count * times,
    images: repeat(dataset.images),
    labels: repeat(dataset.labels),
  };
}
