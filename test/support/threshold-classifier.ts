import type { Cutpoints } from '../../src/random/cutpoints.ts';
import { gaussianCutpoints } from '../../src/random/cutpoints.ts';
import { NoiseKernel } from '../../src/random/noise-kernel.ts';
import type { NoiseStream } from '../../src/random/noise-stream.ts';
import type { Sampler } from './run-procedure.ts';

/**
 * A base classifier of one pixel: class c where the grid value of the noisy pixel lies in [thresholds[c-1],
 * thresholds[c]). Rounded to the grid it is the classifier of the real line that changes class at (t - 1/2)/255, so
 * under exact Gaussian noise its class probabilities and radii are known without any discretisation error.
 */
export interface ThresholdClassifier {
  readonly thresholds: readonly number[];
}

/** Probabilities of the classes for a pixel under the law that is drawn: sums of whole cells, from the integers. */
export function exactProbabilities(
  { thresholds }: ThresholdClassifier,
  pixel: number,
  { kmin, values }: Cutpoints,
): number[] {
  const below = (threshold: number): bigint => {
    const index = threshold - pixel - kmin;
    return values[Math.min(Math.max(index, 0), values.length - 1)]!;
  };
  const edges = [0n, ...thresholds.map(below), 1n << 96n];
  return edges.slice(1).map((edge, index) => Number(edge - edges[index]!) / 2 ** 96);
}

/** Draws votes for one pixel with the service's own noise kernel; every stream is another run. */
export function thresholdSampler(
  { thresholds }: ThresholdClassifier,
  pixel: number,
  sigma: number,
  rows: number,
): (stream: NoiseStream) => Sampler {
  const kernel = NoiseKernel.create({ elements: 1, rows, output: { kind: 'grid' } });
  kernel.setLaw(gaussianCutpoints(sigma));
  const image = Uint8Array.of(pixel);
  return (stream) => ({
    async sample({ purpose, firstSample, count }) {
      const votes = Array.from<number>({ length: thresholds.length + 1 }).fill(0);
      for (let done = 0; done < count; done += rows) {
        const taken = Math.min(rows, count - done);
        kernel.fill({ row: 0, rows: taken, image, stream, purpose, firstSample: firstSample + done });
        for (let row = 0; row < taken; row++) {
          let index = 0;
          while (index < thresholds.length && kernel.grid[row]! >= thresholds[index]!) index++;
          votes[index]! += 1;
        }
      }
      return votes;
    },
  });
}
