import { describe, expect, it } from 'vitest';
import { gaussianCutpoints } from '../../src/random/cutpoints.ts';
import { NoiseKernel } from '../../src/random/noise-kernel.ts';
import { certifyProcedure } from '../../src/smoothing/procedures/certify.ts';
import type { BoundForm } from '../../src/smoothing/parameters.ts';
import { predictProcedure } from '../../src/smoothing/procedures/predict.ts';
import { clopperPearsonLower } from '../../src/statistics/clopper-pearson.ts';
import { binomialLaw, binomialLeast, binomialMost } from '../support/binomial-law.ts';
import { runProcedure } from '../support/run-procedure.ts';
import {
  exactProbabilities,
  type ThresholdClassifier,
  thresholdSampler,
} from '../support/threshold-classifier.ts';

/**
 * Every comparison below has this probability of a false alarm: were the method right, a test would fail for one choice
 * of streams in 10⁹. The streams are fixed, so a result repeats.
 */
const FALSE_ALARM = 1e-9;

const SIGMA = 0.25;
/** Large, so that errors are many enough to be counted. */
const ALPHA = 0.05;
const RUNS = 4_000;
const N0 = 20;
const LAW = gaussianCutpoints(SIGMA);

/** One run a stream; streams of other tests have another key. */
function streams(key0: number): { key0: number; key1: number; stream: number }[] {
  return Array.from({ length: RUNS }, (_, stream) => ({ key0, key1: 0x5eed, stream }));
}

interface Errors {
  readonly certified: number;
  readonly tooFar: number;
}

/** How often a certified radius exceeds `trueRadius`, or is of another class than `trueClass`. */
async function countErrors(options: {
  classifier: ThresholdClassifier;
  pixel: number;
  n: number;
  bound: BoundForm;
  trueClass: number;
  trueRadius: number;
  key: number;
}): Promise<Errors> {
  const { classifier, pixel, n, bound, trueClass, trueRadius, key } = options;
  const procedure = certifyProcedure({ sigma: SIGMA, n0: N0, n, alpha: ALPHA, bound }, 1e-24);
  const samplerOf = thresholdSampler(classifier, pixel, SIGMA, n);
  let certified = 0;
  let tooFar = 0;
  for (const stream of streams(key)) {
    const { certifiedRadius, selectedClass } = await runProcedure(procedure, samplerOf(stream));
    if (certifiedRadius === null) continue;
    certified += 1;
    if (selectedClass !== trueClass || certifiedRadius > trueRadius) tooFar += 1;
  }
  return { certified, tooFar };
}

/** P[the one-sided bound from n draws exceeds p]: the share of runs that are wrong, by enumerating the counts. */
function errorProbability(n: number, p: number): number {
  const law = binomialLaw(n, p);
  let wrong = 0;
  for (let k = n; k > 0 && clopperPearsonLower(k, n, ALPHA).p > p; k--) wrong += law[k]!;
  return wrong;
}

describe('CERTIFY on a linear base classifier', () => {
  // Class 1 from grid value `threshold` on; the pixel is 128.
  for (const [threshold, n] of [
    [121, 300],
    [90, 300],
    [64, 1_000],
    [20, 1_000],
    [190, 500],
  ] as const) {
    const trueRadius = Math.abs(128 - (threshold - 0.5)) / 255;
    const trueClass = threshold < 128 ? 1 : 0;
    const classifier = { thresholds: [threshold] };
    const p = exactProbabilities(classifier, 128, LAW)[trueClass]!;

    it(`exceeds the true radius ${trueRadius.toFixed(4)} in at most alpha of runs, and not much more rarely`, async () => {
      const errors = await countErrors({
        classifier,
        pixel: 128,
        n,
        bound: 'pA',
        trueClass,
        trueRadius,
        key: threshold,
      });
      expect(errors.tooFar).toBeLessThanOrEqual(binomialMost(RUNS, ALPHA, FALSE_ALARM));
      // The counts are whole numbers, so the error rate is somewhat below alpha; how much is known exactly.
      const rate = errorProbability(n, p);
      expect(rate).toBeLessThanOrEqual(ALPHA);
      expect(rate).toBeGreaterThan(ALPHA / 2);
      expect(errors.tooFar).toBeLessThanOrEqual(binomialMost(RUNS, rate, FALSE_ALARM));
      // Where the selection is wrong there is hardly an error; a tie selects class 0.
      const selected = binomialLaw(N0, p).slice(trueClass === 0 ? N0 / 2 : N0 / 2 + 1);
      const selectedShare = selected.reduce((sum, each) => sum + each, 0);
      expect(errors.tooFar).toBeGreaterThanOrEqual(binomialLeast(RUNS, rate * selectedShare, FALSE_ALARM));
    });
  }

  it('exceeds the true radius in at most alpha of runs where several classes share the probability', async () => {
    // Class 1 on grid values 98 … 170. Its interval around 128 is not centred, so the smoothed class changes first on one side.
    const thresholds = [98, 171];
    const classifier = { thresholds };
    const probabilities = exactProbabilities(classifier, 128, LAW);
    expect(probabilities[1]).toBe(Math.max(...probabilities));
    // By moving the pixel: the first whole step at which another class is as likely bounds the radius from above.
    let steps = 0;
    const keeps = (shift: number): boolean => {
      const [low, middle, high] = exactProbabilities(classifier, 128 + shift, LAW);
      return middle! > Math.max(low!, high!);
    };
    while (keeps(steps + 1) && keeps(-steps - 1)) steps += 1;
    for (const bound of ['pA', 'pA-pB'] as const) {
      const errors = await countErrors({
        classifier,
        pixel: 128,
        n: 2_000,
        bound,
        trueClass: 1,
        trueRadius: (steps + 1) / 255,
        key: bound === 'pA' ? 1_001 : 1_002,
      });
      expect(errors.tooFar).toBeLessThanOrEqual(binomialMost(RUNS, ALPHA, FALSE_ALARM));
    }
  });

  it('exceeds the true radius in at most alpha of runs over many pixels', async () => {
    // Sixteen pixels with weights of ±1: rounding to the grid moves w·x by at most ‖w‖₁/510, so the smoothed radius is
    // within ‖w‖₁/(510 ‖w‖₂) of |w·x + b|/‖w‖₂, and one above the upper end is an error for certain.
    const elements = 16;
    const n = 400;
    const weights = Array.from({ length: elements }, (_, index) => (index % 3 === 0 ? -1 : 1));
    const image = Uint8Array.from({ length: elements }, (_, index) => 100 + 5 * index);
    const offset = -weights.reduce((sum, weight, index) => sum + weight * image[index]!, 0) + 150;
    const trueRadius = (150 + elements / 2) / (255 * Math.sqrt(elements));
    const kernel = NoiseKernel.create({ elements, rows: n, output: { kind: 'grid' } });
    kernel.setLaw(LAW);
    const procedure = certifyProcedure({ sigma: SIGMA, n0: N0, n, alpha: ALPHA, bound: 'pA' }, 1e-24);
    let tooFar = 0;
    let sum = 0;
    for (const stream of streams(2_001)) {
      const result = await runProcedure(procedure, {
        async sample({ purpose, firstSample, count }) {
          kernel.fill({ row: 0, rows: count, image, stream, purpose, firstSample });
          let positive = 0;
          for (let row = 0; row < count; row++) {
            let score = offset;
            for (let at = 0; at < elements; at++) score += weights[at]! * kernel.grid[row * elements + at]!;
            if (score > 0) positive += 1;
          }
          return [count - positive, positive];
        },
      });
      const radius = result.certifiedRadius ?? 0;
      if (radius > trueRadius || (radius > 0 && result.selectedClass !== 1)) tooFar += 1;
      sum += radius;
    }
    expect(tooFar).toBeLessThanOrEqual(binomialMost(RUNS, ALPHA, FALSE_ALARM));
    // It is not conservative beyond reason either: the mean radius is the greater part of the true one.
    expect(sum / RUNS).toBeGreaterThan(0.6 * trueRadius);
  });

  it('would be caught if it took the frequency itself for the bound', async () => {
    const n = 1_000;
    const samplerOf = thresholdSampler({ thresholds: [64] }, 128, SIGMA, n);
    const p = exactProbabilities({ thresholds: [64] }, 128, LAW)[1]!;
    let tooFar = 0;
    for (const stream of streams(64)) {
      const votes = await samplerOf(stream).sample({ purpose: 'estimation', firstSample: 0, count: n });
      if (votes[1]! / n > p) tooFar += 1;
    }
    expect(tooFar).toBeGreaterThan(binomialMost(RUNS, ALPHA, FALSE_ALARM));
  });
});

describe('PREDICT', () => {
  /** How often another class than `trueClass` is predicted, and how often any is. */
  async function predictions(
    classifier: ThresholdClassifier,
    pixel: number,
    n: number,
    trueClass: number,
    key: number,
  ): Promise<{ wrong: number; right: number }> {
    const procedure = predictProcedure({ sigma: SIGMA, n, alpha: ALPHA }, 1e-24, 'runner-up');
    const samplerOf = thresholdSampler(classifier, pixel, SIGMA, n);
    let wrong = 0;
    let right = 0;
    for (const stream of streams(key)) {
      const { outcome, topClass } = await runProcedure(procedure, samplerOf(stream));
      if (outcome === 'abstained') continue;
      if (topClass === trueClass) right += 1;
      else wrong += 1;
    }
    return { wrong, right };
  }

  it('returns the wrong of two classes in at most alpha of runs, as often as the test allows', async () => {
    // Half a grid step from the boundary: the hardest input there is, p = 0.5031.
    const n = 500;
    const classifier = { thresholds: [128] };
    const p = exactProbabilities(classifier, 128, LAW)[1]!;
    expect(p).toBeGreaterThan(0.5);
    const { wrong, right } = await predictions(classifier, 128, n, 1, 3_001);
    expect(wrong).toBeLessThanOrEqual(binomialMost(RUNS, ALPHA, FALSE_ALARM));
    // The same shares by enumeration: k of n is significant where both tails of the fair coin weigh at most alpha.
    const law = binomialLaw(n, p);
    const fair = binomialLaw(n, 0.5);
    let tail = 0;
    let fewest = 0;
    while (2 * (tail + fair[fewest]!) <= ALPHA) tail += fair[fewest++]!;
    const wrongShare = law.slice(0, fewest).reduce((sum, each) => sum + each, 0);
    const rightShare = law.slice(n - fewest + 1).reduce((sum, each) => sum + each, 0);
    expect(wrong).toBeLessThanOrEqual(binomialMost(RUNS, wrongShare, FALSE_ALARM));
    expect(wrong).toBeGreaterThanOrEqual(binomialLeast(RUNS, wrongShare, FALSE_ALARM));
    expect(right).toBeLessThanOrEqual(binomialMost(RUNS, rightShare, FALSE_ALARM));
    expect(right).toBeGreaterThanOrEqual(binomialLeast(RUNS, rightShare, FALSE_ALARM));
  });

  it('returns a wrong one of several classes in at most alpha of runs', async () => {
    // Four classes, three of them nearly as likely as the first.
    const classifier = { thresholds: [85, 128, 171] };
    const probabilities = exactProbabilities(classifier, 127, LAW);
    const best = probabilities.indexOf(Math.max(...probabilities));
    const { wrong } = await predictions(classifier, 127, 400, best, 3_002);
    expect(wrong).toBeLessThanOrEqual(binomialMost(RUNS, ALPHA, FALSE_ALARM));
  });

  it('predicts nearly always where the classes are far apart', async () => {
    const { wrong, right } = await predictions({ thresholds: [64] }, 128, 100, 1, 3_003);
    expect(wrong).toBe(0);
    expect(right).toBeGreaterThan(0.99 * RUNS);
  });
});

describe('the laws that these tests rely on', () => {
  it('agree: whole cells of the drawn law and the Gaussian distribution function', () => {
    // SciPy 1.17.1: norm.cdf((128 - 63.5)/255/0.25), norm.cdf(0.5/255/0.25).
    const far = exactProbabilities({ thresholds: [64] }, 128, LAW)[1]!;
    const near = exactProbabilities({ thresholds: [128] }, 128, LAW)[1]!;
    expect(far).toBeCloseTo(0.8441747154811601, 14);
    expect(near).toBeCloseTo(0.5031289269827185, 14);
  });

  it('agree with SciPy: binomial probabilities and their quantiles', () => {
    // SciPy 1.17.1: binom.pmf(220, 4000, 0.05), binom.isf(1e-9, 4000, 0.05), binom.ppf(1e-9, 4000, 0.05).
    expect(binomialLaw(4_000, 0.05)[220]! / 0.009963659586189106 - 1).toBeCloseTo(0, 9);
    expect(binomialMost(4_000, 0.05, 1e-9)).toBe(288);
    expect(binomialLeast(4_000, 0.05, 1e-9)).toBe(123);
  });
});
