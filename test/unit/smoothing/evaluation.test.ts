import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  averageCertifiedRadius,
  certifiedAccuracy,
  certifiedAccuracySteps,
  type EvaluatedInput,
  shareInterval,
} from '../../../src/smoothing/evaluation.ts';
import { ArgumentError } from '../../../src/statistics/argument-checks.ts';

const right = (certifiedRadius: number): EvaluatedInput => ({ correct: true, certifiedRadius });
const wrong = (certifiedRadius: number): EvaluatedInput => ({ correct: false, certifiedRadius });
const abstained: EvaluatedInput = { correct: false, certifiedRadius: null };

/** Ten inputs: six correct, two wrong, two abstained. */
const TEN = [
  right(0.25),
  right(0.5),
  right(0.5),
  right(0.75),
  right(1),
  right(2),
  wrong(0.6),
  wrong(3),
  abstained,
  abstained,
];

describe('certifiedAccuracy', () => {
  it.each([
    [0, 0.6],
    [0.25, 0.6],
    [0.250_001, 0.5],
    [0.5, 0.5],
    [0.6, 0.3],
    [1, 0.2],
    [2, 0.1],
    [2.5, 0],
  ])('at r = %d is %d of all inputs', (r, share) => expect(certifiedAccuracy(TEN, r)).toBe(share));

  it('counts an abstention as not correct, never as left out', () => {
    expect(certifiedAccuracy([right(1), abstained, abstained, abstained], 0)).toBe(0.25);
  });

  it('counts a wrong class at no radius, however stable', () => {
    expect(certifiedAccuracy([wrong(100)], 0)).toBe(0);
  });

  it('counts no radius of an input that claims to be correct but abstained', () => {
    expect(certifiedAccuracy([{ correct: true, certifiedRadius: null }], 0)).toBe(0);
  });

  it.each([-0.1, Number.NaN])('refuses r = %d', (r) => {
    expect(() => certifiedAccuracy(TEN, r)).toThrow(ArgumentError);
  });
});

describe('averageCertifiedRadius', () => {
  it('is the sum over correct inputs, divided by all', () => {
    expect(averageCertifiedRadius(TEN)).toBeCloseTo(0.5, 12);
  });

  it('is 0 where none is correct', () => expect(averageCertifiedRadius([wrong(1), abstained])).toBe(0));
});

describe('certifiedAccuracySteps', () => {
  it('has a step at each radius of a correct input', () => {
    const steps = certifiedAccuracySteps(TEN);
    expect(steps.map(({ radius, certifiedAccuracy: share }) => [radius, share])).toEqual([
      [0.25, 0.6],
      [0.5, 0.5],
      [0.75, 0.3],
      [1, 0.2],
      [2, 0.1],
    ]);
    for (const { certifiedAccuracy: share, low, high } of steps) {
      expect({ low, high }).toEqual(shareInterval(10 * share, 10));
    }
  });

  it('has none where none is correct', () => expect(certifiedAccuracySteps([abstained])).toEqual([]));
});

const input = fc.record({
  correct: fc.boolean(),
  certifiedRadius: fc.option(fc.double({ min: 0.001, max: 10, noNaN: true })),
});
const inputs = fc.array(input, { minLength: 1, maxLength: 30 });

describe('shareInterval', () => {
  // scipy.stats.beta.ppf(.025, k, n - k + 1) and beta.ppf(.975, k + 1, n - k), SciPy 1.17.1
  it.each([
    [0, 20, 0, 0.168_433_470_983_085_3],
    [19, 20, 0.751_267_237_227_972_2, 0.998_734_910_502_050_2],
    [20, 20, 0.831_566_529_016_914_6, 1],
    [6, 10, 0.262_378_076_606_945_07, 0.878_447_741_880_172_8],
    [1000, 1000, 0.996_317_916_103_134_4, 1],
  ])('of %d of %d is that of Clopper and Pearson, never inside it', (count, inputs, low, high) => {
    const found = shareInterval(count, inputs);
    expect(found.low).toBeCloseTo(low, 12);
    expect(found.high).toBeCloseTo(high, 12);
    expect(found.low).toBeLessThanOrEqual(low * (1 + 1e-15));
    expect(found.high).toBeGreaterThanOrEqual(high * (1 - 1e-15));
  });
});

describe('laws', () => {
  it('certified accuracy never grows with r', () => {
    fc.assert(
      fc.property(
        inputs,
        fc.double({ min: 0, max: 10, noNaN: true }),
        fc.double({ min: 0, max: 10, noNaN: true }),
        (each, a, b) => {
          const [less, more] = a < b ? [a, b] : [b, a];
          expect(certifiedAccuracy(each, less)).toBeGreaterThanOrEqual(certifiedAccuracy(each, more));
        },
      ),
    );
  });

  it('the average certified radius is the area under the curve', () => {
    fc.assert(
      fc.property(inputs, (each) => {
        let area = 0;
        let from = 0;
        for (const { radius, certifiedAccuracy: share } of certifiedAccuracySteps(each)) {
          area += (radius - from) * share;
          from = radius;
        }
        expect(averageCertifiedRadius(each)).toBeCloseTo(area, 9);
      }),
    );
  });

  it('one more abstention lowers both', () => {
    fc.assert(
      fc.property(inputs, (each) => {
        const more = [...each, abstained];
        expect(certifiedAccuracy(more, 0)).toBeLessThanOrEqual(certifiedAccuracy(each, 0));
        expect(averageCertifiedRadius(more)).toBeLessThanOrEqual(averageCertifiedRadius(each));
      }),
    );
  });
});

describe('without any input', () => {
  it('nothing can be said', () => {
    expect(() => certifiedAccuracy([], 0)).toThrow(ArgumentError);
    expect(() => averageCertifiedRadius([])).toThrow(ArgumentError);
    expect(() => certifiedAccuracySteps([])).toThrow(ArgumentError);
  });
});
