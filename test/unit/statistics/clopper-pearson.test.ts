import { describe, expect, it } from 'vitest';
import { clopperPearsonLower, clopperPearsonUpper } from '../../../src/statistics/clopper-pearson.ts';
import { argumentFault } from '../../support/argument-fault.ts';
import { compareExactly, relativeError } from '../../support/exact-decimal.ts';
import { fastest } from '../../support/fastest.ts';
import { statisticsFixture } from '../../support/statistics-fixture.ts';

const cases = statisticsFixture('clopper-pearson');

/** The promise of the public functions. */
const ACCURACY = 1e-12;

describe('Clopper-Pearson lower bound', () => {
  it('is tested over the whole promised range', () => {
    expect(cases.length).toBeGreaterThan(700);
    expect(new Set(cases.map(({ n }) => n))).toContain(10_000_000);
    expect(Math.min(...cases.map(({ alpha }) => alpha))).toBe(1e-12);
    expect(Math.max(...cases.map(({ alpha }) => alpha))).toBe(0.5);
  });

  it('is never above the exact bound, in p and in q', () => {
    for (const { k, n, alpha, p, q } of cases) {
      const bound = clopperPearsonLower(k, n, alpha);
      const name = `k=${k} n=${n} alpha=${alpha}`;
      expect(compareExactly(bound.p, p), `p for ${name}`).toBeLessThanOrEqual(0);
      expect(compareExactly(bound.q, q), `q for ${name}`).toBeGreaterThanOrEqual(0);
    }
  });

  it('is within 1e-12 of the exact bound, relatively, in p and in q', () => {
    for (const { k, n, alpha, p, q } of cases) {
      const bound = clopperPearsonLower(k, n, alpha);
      const name = `k=${k} n=${n} alpha=${alpha}`;
      expect(relativeError(bound.p, p), `p for ${name}`).toBeGreaterThan(-ACCURACY);
      expect(relativeError(bound.q, q), `q for ${name}`).toBeLessThan(ACCURACY);
    }
  });

  it('is 0.7172974 for 7312 of 10,000 at alpha = 0.001, not the .721 of some course notes', () => {
    const { p } = clopperPearsonLower(7312, 10_000, 0.001);
    expect(p).toBeCloseTo(0.7172974164, 10);
    expect(p).toBeLessThan(0.7173);
  });

  it('is one-sided: half of alpha would give another, lower bound', () => {
    const oneSided = clopperPearsonLower(7312, 10_000, 0.001).p;
    expect(clopperPearsonLower(7312, 10_000, 0.0005).p).toBeLessThan(oneSided - 8e-4);
  });

  it('is 0 without a success, whatever alpha', () => {
    for (const alpha of [1e-100, 0.001, 0.5]) {
      expect(clopperPearsonLower(0, 10, alpha)).toEqual({ p: 0, q: 1 });
    }
  });

  it('is alpha for one success in one trial', () => {
    for (const alpha of [1e-12, 0.001, 0.05]) {
      expect(clopperPearsonLower(1, 1, alpha).p).toBeLessThanOrEqual(alpha);
      expect(clopperPearsonLower(1, 1, alpha).p / alpha).toBeCloseTo(1, 12);
    }
  });

  it('is 1 − (1 − alpha)^(1/n) for one success and alpha^(1/n) for n, the closed forms', () => {
    for (const n of [2, 10, 1000, 10_000_000]) {
      for (const alpha of [1e-12, 0.001, 0.5]) {
        const one = -Math.expm1(Math.log1p(-alpha) / n);
        expect(clopperPearsonLower(1, n, alpha).p / one).toBeCloseTo(1, 12);
        const all = -Math.expm1(Math.log(alpha) / n);
        expect(clopperPearsonLower(n, n, alpha).q / all).toBeCloseTo(1, 12);
      }
    }
  });

  it('stays on the safe side for an alpha far below the range of full accuracy', () => {
    for (const alpha of [1e-20, 1e-50, 1e-100]) {
      const exact = -Math.expm1(Math.log1p(-alpha) / 1000);
      const { p } = clopperPearsonLower(1, 1000, alpha);
      expect(p).toBeLessThan(exact);
      expect(p / exact).toBeCloseTo(1, 11);
    }
  });

  it('costs about as much at n = 1e7 as at n = 100: nothing is summed over n', () => {
    const at = (n: number) => () => {
      for (const k of [1, n / 2, 0.9 * n, n - 1]) for (let i = 0; i < 20; i++) clopperPearsonLower(k, n, 0.5);
    };
    fastest(at(100));
    // Measured at 4, where n grows by 100,000.
    expect(fastest(at(10_000_000)) / fastest(at(100))).toBeLessThan(50);
  });

  it('refuses bad counts and alphas, naming the argument and its range', () => {
    expect(argumentFault(() => clopperPearsonLower(11, 10, 0.001))).toMatchObject({
      argument: 'k',
      value: 11,
      allowed: 'an integer in [0, 10]',
    });
    expect(argumentFault(() => clopperPearsonLower(0, 0, 0.001)).argument).toBe('n');
    expect(argumentFault(() => clopperPearsonLower(0, 10_000_001, 0.001)).allowed).toBe(
      'an integer in [1, 10000000]',
    );
    expect(argumentFault(() => clopperPearsonLower(1.5, 10, 0.001)).argument).toBe('k');
    for (const alpha of [0, 0.6, 1, -1, Number.NaN]) {
      expect(argumentFault(() => clopperPearsonLower(5, 10, alpha)).argument).toBe('alpha');
    }
  });
});

describe('Clopper-Pearson upper bound', () => {
  it('is never below the exact bound and within 1e-12 of it: the mirror image of the lower', () => {
    for (const { k, n, alpha, p, q } of cases) {
      // P[X <= n−k | 1−p] = P[X >= k | p]: the exact upper bound for n−k successes is 1 − p.
      const bound = clopperPearsonUpper(n - k, n, alpha);
      const name = `k=${n - k} n=${n} alpha=${alpha}`;
      expect(compareExactly(bound.p, q), `p for ${name}`).toBeGreaterThanOrEqual(0);
      expect(compareExactly(bound.q, p), `q for ${name}`).toBeLessThanOrEqual(0);
      expect(relativeError(bound.p, q), `p for ${name}`).toBeLessThan(ACCURACY);
      expect(relativeError(bound.q, p), `q for ${name}`).toBeGreaterThan(-ACCURACY);
    }
  });

  it('is 1 when every trial succeeds', () => {
    expect(clopperPearsonUpper(10, 10, 0.001)).toEqual({ p: 1, q: 0 });
  });

  it('is the "rule of three" for no success at alpha = 0.05', () => {
    expect(clopperPearsonUpper(0, 1000, 0.05).p).toBeCloseTo(0.0029912, 7);
  });

  it('refuses bad arguments like the lower bound', () => {
    expect(argumentFault(() => clopperPearsonUpper(-1, 10, 0.001)).argument).toBe('k');
    expect(argumentFault(() => clopperPearsonUpper(1, 10, 0.75)).argument).toBe('alpha');
  });
});
