import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { binomialTestTwoSided } from '../../src/statistics/binomial-test.ts';
import { binomialLowerTail, binomialUpperTail } from '../../src/statistics/binomial.ts';
import { inverseRegularizedBeta, regularizedBeta } from '../../src/statistics/beta.ts';
import { clopperPearsonLower, clopperPearsonUpper } from '../../src/statistics/clopper-pearson.ts';
import { certifies, smallestCountForRadius } from '../../src/statistics/counts.ts';
import { normalUpperQuantile, normalUpperTail } from '../../src/statistics/normal.ts';
import { radiusCeiling, radiusFromLowerBound, radiusFromTwoBounds } from '../../src/statistics/radius.ts';
import { samplesForPower } from '../../src/statistics/samples-for-power.ts';
import { binomialLaw } from '../support/binomial-law.ts';

/** n spread evenly over its magnitudes up to 10 ** `magnitudes`. */
const trialsUpTo = (magnitudes: number): fc.Arbitrary<number> =>
  fc.double({ min: 0, max: magnitudes, noNaN: true }).map((log) => Math.max(1, Math.floor(10 ** log)));

/** A count among n trials, as often near the ends as in between. */
const trialsAndCount = (magnitudes = 7): fc.Arbitrary<{ n: number; k: number }> =>
  fc
    .tuple(
      trialsUpTo(magnitudes),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.nat({ max: 5 }),
      fc.nat({ max: 2 }),
    )
    .map(([n, share, few, where]) => {
      const near = Math.min(few, n);
      return { n, k: [Math.round(share * n), near, n - near][where]! };
    });

/** alpha spread evenly over its magnitudes from 1e-12 to 1/2. */
const failureProbability = fc
  .double({ min: -12, max: Math.log10(0.5), noNaN: true })
  .map((log) => Math.min(0.5, 10 ** log));

/** What the rounding of p to a double can add to P[X >= k], relatively: the slope of its logarithm times an ulp. */
const tailRounding = (k: number, n: number, p: number): number =>
  2 ** -53 * (64 + 10 * Math.abs(k - n * p) + (p > 0.5 ? n : Math.sqrt(n)));

const sigmas = fc.constantFrom(0.12, 0.25, 0.5, 1);

/** Seeded, so that a failure is a failure everywhere. */
const settings = { seed: 20190208, numRuns: 500 };

describe('Clopper-Pearson bounds', () => {
  it('enclose the observed share', () => {
    fc.assert(
      fc.property(trialsAndCount(), failureProbability, ({ n, k }, alpha) => {
        expect(clopperPearsonLower(k, n, alpha).p).toBeLessThanOrEqual(k / n);
        expect(clopperPearsonUpper(k, n, alpha).p).toBeGreaterThanOrEqual(k / n);
      }),
      settings,
    );
  });

  it('stay in [0, 1] and keep p and q together to within rounding', () => {
    fc.assert(
      fc.property(trialsAndCount(), failureProbability, ({ n, k }, alpha) => {
        for (const { p, q } of [clopperPearsonLower(k, n, alpha), clopperPearsonUpper(k, n, alpha)]) {
          expect(p >= 0 && p <= 1 && q >= 0 && q <= 1).toBe(true);
          expect(Math.abs(p + q - 1)).toBeLessThan(2e-15 + 2 ** -43 * Math.min(p, q));
        }
      }),
      settings,
    );
  });

  it('leave at most alpha beyond them: the bound inverts the tail', () => {
    fc.assert(
      fc.property(trialsAndCount(5), failureProbability, ({ n, k }, alpha) => {
        fc.pre(k > 0);
        const { p } = clopperPearsonLower(k, n, alpha);
        expect(binomialUpperTail(k, n, p) / alpha).toBeLessThan(1 + tailRounding(k, n, p));
      }),
      settings,
    );
  });

  it('leave at most alpha beyond the upper one too, asked through the failures, where q keeps its digits', () => {
    fc.assert(
      fc.property(trialsAndCount(5), failureProbability, ({ n, k }, alpha) => {
        fc.pre(k < n);
        const { q } = clopperPearsonUpper(k, n, alpha);
        expect(binomialUpperTail(n - k, n, q) / alpha).toBeLessThan(1 + tailRounding(n - k, n, q));
      }),
      settings,
    );
  });

  it('mirror each other when successes and failures are exchanged', () => {
    fc.assert(
      fc.property(trialsAndCount(), failureProbability, ({ n, k }, alpha) => {
        const lower = clopperPearsonLower(k, n, alpha);
        expect(clopperPearsonUpper(n - k, n, alpha)).toEqual({ p: lower.q, q: lower.p });
      }),
      settings,
    );
  });

  it('rise strictly with every further success', () => {
    fc.assert(
      fc.property(trialsAndCount(), failureProbability, ({ n, k }, alpha) => {
        if (k === n) return;
        expect(clopperPearsonLower(k + 1, n, alpha).p).toBeGreaterThan(clopperPearsonLower(k, n, alpha).p);
        expect(clopperPearsonUpper(k, n, alpha).q).toBeGreaterThan(clopperPearsonUpper(k + 1, n, alpha).q);
      }),
      settings,
    );
  });

  it('fall with every further failure', () => {
    fc.assert(
      fc.property(trialsAndCount(6), failureProbability, ({ n, k }, alpha) => {
        const fewer = clopperPearsonLower(k, n, alpha);
        const more = clopperPearsonLower(k, n + 1, alpha);
        expect(more.p).toBeLessThanOrEqual(fewer.p);
        expect(more.q).toBeGreaterThanOrEqual(fewer.q);
      }),
      settings,
    );
  });

  it('widen as alpha falls', () => {
    fc.assert(
      fc.property(
        trialsAndCount(),
        failureProbability,
        fc.double({ min: 0.01, max: 0.99, noNaN: true }),
        (trial, alpha, by) => {
          const { n, k } = trial;
          expect(clopperPearsonLower(k, n, alpha * by).p).toBeLessThanOrEqual(
            clopperPearsonLower(k, n, alpha).p,
          );
          expect(clopperPearsonUpper(k, n, alpha * by).p).toBeGreaterThanOrEqual(
            clopperPearsonUpper(k, n, alpha).p,
          );
        },
      ),
      settings,
    );
  });
});

describe('tails', () => {
  it('of the binomial distribution sum to 1 across every cut', () => {
    const share = fc.double({ min: 0.001, max: 0.999, noNaN: true });
    fc.assert(
      fc.property(trialsAndCount(6), share, ({ n, k }, p) => {
        const above = k === n ? 0 : binomialUpperTail(k + 1, n, p);
        expect(binomialLowerTail(k, n, p) + above).toBeCloseTo(1, 14);
      }),
      settings,
    );
  });

  it('of the beta distribution are undone by the inverse', () => {
    const shape = fc.double({ min: 0.5, max: 1e5, noNaN: true });
    fc.assert(
      fc.property(fc.double({ min: 1e-12, max: 0.5, noNaN: true }), shape, shape, (p, a, b) => {
        const x = inverseRegularizedBeta(p, a, b);
        // Where x rounds to nearly 1, its spacing is all that is left.
        fc.pre(x < 0.999);
        expect(regularizedBeta(x, a, b) / p).toBeCloseTo(1, 8);
      }),
      settings,
    );
  });

  it('of the normal distribution are undone by the quantile', () => {
    fc.assert(
      fc.property(fc.double({ min: -300, max: -0.31, noNaN: true }), (log) => {
        const q = 10 ** log;
        const z = normalUpperQuantile(q);
        // A relative error e in z becomes about z² e in the tail.
        expect(Math.abs(normalUpperTail(z) / q - 1)).toBeLessThan(1e-15 * (6 + z * z));
      }),
      settings,
    );
  });

  it('in the two-sided test fall as the count moves away from a tie', () => {
    fc.assert(
      fc.property(trialsAndCount(), ({ n, k }) => {
        const larger = Math.max(k, n - k);
        if (larger === n) return;
        const nearer = binomialTestTwoSided(larger, n);
        expect(nearer).toBeGreaterThan(0);
        expect(nearer).toBeLessThanOrEqual(1);
        expect(binomialTestTwoSided(larger + 1, n)).toBeLessThanOrEqual(nearer);
      }),
      settings,
    );
  });
});

describe('radii', () => {
  it('fall as q rises and are proportional to sigma', () => {
    const q = fc.double({ min: 1e-9, max: 0.5, noNaN: true });
    fc.assert(
      fc.property(q, fc.double({ min: 1.0000001, max: 2, noNaN: true }), sigmas, (q, factor, sigma) => {
        const radius = radiusFromLowerBound(sigma, q);
        expect(radiusFromLowerBound(sigma, q * factor)).toBeLessThanOrEqual(radius);
        expect(Math.abs(radius - sigma * radiusFromLowerBound(1, q))).toBeLessThanOrEqual(radius * 2 ** -50);
      }),
      settings,
    );
  });

  it('never exceed the ceiling', () => {
    fc.assert(
      fc.property(trialsAndCount(), failureProbability, sigmas, ({ n, k }, alpha, sigma) => {
        const radius = radiusFromLowerBound(sigma, clopperPearsonLower(k, n, alpha).q);
        expect(radius).toBeLessThanOrEqual(radiusCeiling(sigma, n, alpha));
      }),
      settings,
    );
  });

  it('from two bounds fall as the second class may be larger', () => {
    fc.assert(
      fc.property(trialsAndCount(), failureProbability, sigmas, ({ n, k }, alpha, sigma) => {
        const lowerA = clopperPearsonLower(Math.max(k, n - k), n, alpha);
        const other = Math.min(k, n - k);
        const radius = radiusFromTwoBounds(sigma, lowerA, clopperPearsonUpper(other, n, alpha));
        expect(radius).toBeGreaterThanOrEqual(0);
        const smaller = clopperPearsonUpper(Math.floor(other / 2), n, alpha);
        expect(radiusFromTwoBounds(sigma, lowerA, smaller)).toBeGreaterThanOrEqual(radius);
      }),
      settings,
    );
  });
});

describe('calculators', () => {
  it('give the smallest count: it reaches the radius and one fewer does not', () => {
    const radius = fc.double({ min: 0, max: 2, noNaN: true });
    fc.assert(
      fc.property(trialsUpTo(6), failureProbability, sigmas, radius, (n, alpha, sigma, radius) => {
        const least = smallestCountForRadius(n, alpha, sigma, radius) ?? n + 1;
        const certified = (k: number): boolean => certifies(clopperPearsonLower(k, n, alpha), sigma, radius);
        expect(certified(Math.min(least, n))).toBe(least <= n);
        expect(certified(least - 1)).toBe(false);
      }),
      { ...settings, numRuns: 200 },
    );
  });

  it('plan the least number of samples from which on every one has the power, tried one by one', () => {
    const radius = fc.double({ min: 0, max: 1, noNaN: true });
    const alpha = fc.constantFrom(0.001, 0.05, 0.2);
    const pA = fc.double({ min: 0.55, max: 0.999, noNaN: true });
    const power = fc.double({ min: 0.5, max: 0.999, noNaN: true });
    let checked = 0;
    fc.assert(
      fc.property(radius, alpha, pA, power, (radius, alpha, pA, power) => {
        const answer = samplesForPower(radius, 1, alpha, pA, power);
        const last = Math.min((answer ?? 0) * 2 + 50, 600);
        let lastFailure = 0;
        for (let n = 1; n <= last; n++) {
          const least = smallestCountForRadius(n, alpha, 1, radius);
          // The law of the votes by its recurrence, with a sum of its own.
          const law = binomialLaw(n, pA);
          const reached = least === null ? 0 : law.slice(least).reduce((sum, each) => sum + each, 0);
          if (Math.abs(reached - power) < 1e-9) return;
          if (reached < power) lastFailure = n;
        }
        if (answer !== null && answer > last) return;
        checked += 1;
        expect(lastFailure).toBe(answer === null ? last : answer - 1);
      }),
      { ...settings, numRuns: 150 },
    );
    expect(checked).toBeGreaterThan(50);
  });
});
