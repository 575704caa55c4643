import { describe, expect, it } from 'vitest';
import { clopperPearsonLower, clopperPearsonUpper } from '../../../src/statistics/clopper-pearson.ts';
import { radiusCeiling, radiusFromLowerBound, radiusFromTwoBounds } from '../../../src/statistics/radius.ts';
import { argumentFault } from '../../support/argument-fault.ts';
import { compareExactly, relativeError } from '../../support/exact-decimal.ts';
import { statisticsFixture } from '../../support/statistics-fixture.ts';

describe('radius from the lower bound', () => {
  it('is never above −Φ⁻¹(q) and within 1e-14 of it, for q down to the smallest double', () => {
    for (const { q, z } of statisticsFixture('normal-upper-quantile')) {
      const radius = radiusFromLowerBound(1, q);
      expect(compareExactly(radius, z), `q=${q}`).toBe(-1);
      expect(relativeError(radius, z), `q=${q}`).toBeGreaterThan(-1e-14);
    }
  });

  it('is never above the radius of the exact Clopper-Pearson bound, from counts to radius', () => {
    for (const { k, n, alpha, z } of statisticsFixture('radius')) {
      const radius = radiusFromLowerBound(1, clopperPearsonLower(k, n, alpha).q);
      const name = `k=${k} n=${n} alpha=${alpha}`;
      expect(compareExactly(radius, z), `above for ${name}`).toBe(-1);
      expect(Number(z) - radius, `far below for ${name}`).toBeLessThan(1e-12 * Math.max(1, Number(z)));
    }
  });

  it('is 0.28742 for 7312 of 10,000 at alpha = 0.001 and sigma = 0.5, not the .294 of some course notes', () => {
    const radius = radiusFromLowerBound(0.5, clopperPearsonLower(7312, 10_000, 0.001).q);
    expect(radius).toBeCloseTo(0.287415819196, 11);
    expect(radius).toBeLessThan(0.288);
  });

  it('is positive for every q below 1/2 and 0 from there on', () => {
    expect(radiusFromLowerBound(1, 0.5 - 2 ** -54)).toBeGreaterThan(0);
    expect(radiusFromLowerBound(1e-6, 0.5 - 2 ** -54)).toBeGreaterThan(0);
    for (const q of [0.5, 0.75, 1]) expect(radiusFromLowerBound(1, q)).toBe(0);
  });

  it('is proportional to sigma', () => {
    for (const sigma of [0.125, 0.25, 2]) {
      expect(radiusFromLowerBound(sigma, 0.01)).toBe(sigma * radiusFromLowerBound(1, 0.01));
    }
  });

  it('refuses q = 0, which would be an infinite radius', () => {
    expect(argumentFault(() => radiusFromLowerBound(0.5, 0))).toMatchObject({
      argument: 'q',
      allowed: 'a probability in (0, 1]',
    });
  });

  it('refuses a sigma that is not positive, not finite or not a number', () => {
    for (const sigma of [0, -0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(argumentFault(() => radiusFromLowerBound(sigma, 0.1))).toMatchObject({
        argument: 'sigma',
        allowed: 'a number in [0.000001, 1000000]',
      });
    }
    for (const q of [-0.1, 1.5, Number.NaN]) {
      expect(argumentFault(() => radiusFromLowerBound(1, q)).argument).toBe('q');
    }
  });
});

describe('radius from two bounds', () => {
  it('is σ/2 (Φ⁻¹(p̲_A) − Φ⁻¹(p̄_B)), rounded down: (1.2816 + 1.6449) / 2 for 0.9 and 0.05', () => {
    // Φ⁻¹(0.9) and Φ⁻¹(0.95), Abramowitz & Stegun table 26.5 and mpmath.
    const exact = (1.2815515655446004 + 1.6448536269514722) / 2;
    const radius = radiusFromTwoBounds(1, { p: 0.9, q: 0.1 }, { p: 0.05, q: 0.95 });
    expect(radius).toBeLessThan(exact);
    expect(radius).toBeCloseTo(exact, 13);
  });

  it('is the one-bound radius where p̄_B = 1 − p̲_A, up to rounding', () => {
    for (const q of [1e-9, 0.001, 0.2, 0.49]) {
      const lowerA = { p: 1 - q, q };
      const radius = radiusFromTwoBounds(0.5, lowerA, { p: q, q: 1 - q });
      expect(radius / radiusFromLowerBound(0.5, q)).toBeCloseTo(1, 13);
    }
  });

  it('certifies with p̲_A below 1/2, when every other class is smaller still (SciPy)', () => {
    const lowerA = clopperPearsonLower(4000, 10_000, 0.0005);
    const upperB = clopperPearsonUpper(1000, 10_000, 0.0005);
    expect(radiusFromTwoBounds(1, lowerA, upperB)).toBeCloseTo(0.46505, 5);
  });

  it('is 0 where the bounds overlap, for no evidence, and for a second class that may be everything', () => {
    expect(radiusFromTwoBounds(1, { p: 0.4, q: 0.6 }, { p: 0.45, q: 0.55 })).toBe(0);
    expect(radiusFromTwoBounds(1, { p: 0.4, q: 0.6 }, { p: 0.4, q: 0.6 })).toBe(0);
    expect(radiusFromTwoBounds(1, { p: 0, q: 1 }, { p: 0.1, q: 0.9 })).toBe(0);
    expect(radiusFromTwoBounds(1, { p: 0.9, q: 0.1 }, { p: 1, q: 0 })).toBe(0);
  });

  it('refuses bounds that would make it infinite, naming the part at fault', () => {
    const fine = { p: 0.5, q: 0.5 };
    expect(argumentFault(() => radiusFromTwoBounds(1, { p: 1, q: 0 }, fine)).argument).toBe('lowerA.q');
    expect(argumentFault(() => radiusFromTwoBounds(1, fine, { p: 0, q: 1 })).argument).toBe('upperB.p');
    expect(argumentFault(() => radiusFromTwoBounds(1, { p: 2, q: 0.5 }, fine)).argument).toBe('lowerA.p');
    expect(argumentFault(() => radiusFromTwoBounds(1, fine, { p: 0.5, q: -1 })).argument).toBe('upperB.q');
    expect(argumentFault(() => radiusFromTwoBounds(0, fine, fine)).argument).toBe('sigma');
  });
});

describe('radius ceiling', () => {
  it('is 3.8114565634 σ for n = 100,000 and alpha = 0.001', () => {
    expect(radiusCeiling(1, 100_000, 0.001)).toBeCloseTo(3.8114565634, 10);
    expect(radiusCeiling(0.25, 100_000, 0.001)).toBeCloseTo(0.25 * 3.8114565634, 10);
  });

  it('is what is published for n unanimous votes', () => {
    for (const n of [10, 100, 100_000, 10_000_000]) {
      expect(radiusCeiling(0.5, n, 0.001)).toBe(
        radiusFromLowerBound(0.5, clopperPearsonLower(n, n, 0.001).q),
      );
    }
  });

  it('is 0 where even unanimous votes cannot lift the bound above 1/2', () => {
    expect(radiusCeiling(1, 9, 0.001)).toBe(0);
    expect(radiusCeiling(1, 10, 0.001)).toBeGreaterThan(0);
    expect(radiusCeiling(1, 1, 0.5)).toBe(0);
  });

  it('refuses a number of draws outside 1 to 1e9', () => {
    expect(argumentFault(() => radiusCeiling(1, 0, 0.001)).allowed).toBe('an integer in [1, 1000000000]');
    expect(argumentFault(() => radiusCeiling(1, 10, 0)).argument).toBe('alpha');
    expect(argumentFault(() => radiusCeiling(0, 10, 0.001)).argument).toBe('sigma');
  });
});
