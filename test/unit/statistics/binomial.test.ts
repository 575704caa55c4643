import { describe, expect, it } from 'vitest';
import { binomialTestTwoSided } from '../../../src/statistics/binomial-test.ts';
import { binomialLowerTail, binomialUpperTail } from '../../../src/statistics/binomial.ts';
import { argumentFault } from '../../support/argument-fault.ts';
import { compareExactly, relativeError } from '../../support/exact-decimal.ts';
import { statisticsFixture } from '../../support/statistics-fixture.ts';

/** C(n, k) by exact integers. */
function choose(n: number, k: number): bigint {
  let result = 1n;
  for (let j = 1; j <= k; j++) result = (result * BigInt(n - j + 1)) / BigInt(j);
  return result;
}

describe('binomial tails', () => {
  it('are the exact sums of binomial coefficients for a fair coin', () => {
    for (const n of [1, 2, 7, 20, 52]) {
      let below = 0n;
      for (let k = 0; k <= n; k++) {
        const above = 2n ** BigInt(n) - below;
        below += choose(n, k);
        expect(binomialLowerTail(k, n, 0.5) / (Number(below) / 2 ** n)).toBeCloseTo(1, 13);
        expect(binomialUpperTail(k, n, 0.5) / (Number(above) / 2 ** n)).toBeCloseTo(1, 13);
      }
    }
  });

  it('give back alpha at the exact Clopper-Pearson bound of mpmath', () => {
    for (const { k, n, alpha, p } of statisticsFixture('clopper-pearson')) {
      if (Number(p) > 0.9) continue;
      const relative = binomialUpperTail(k, n, Number(p)) / alpha - 1;
      // The rounding of p itself moves the tail by up to about k ulps.
      expect(Math.abs(relative), `k=${k} n=${n} alpha=${alpha}`).toBeLessThan(1e-13 + 4e-16 * k);
    }
  });

  it('are certain at the ends', () => {
    expect(binomialLowerTail(10, 10, 0.3)).toBe(1);
    expect(binomialUpperTail(0, 10, 0.3)).toBe(1);
    expect(binomialUpperTail(3, 10, 0)).toBe(0);
    expect(binomialUpperTail(3, 10, 1)).toBe(1);
    expect(binomialLowerTail(3, 10, 0)).toBe(1);
    expect(binomialLowerTail(3, 10, 1)).toBe(0);
  });

  it('reach a thousand million trials', () => {
    expect(binomialUpperTail(500_000_000, 1_000_000_000, 0.5)).toBeCloseTo(0.5 + 1.26156626101e-5, 12);
  });

  it('refuse counts and probabilities outside their range, by name', () => {
    expect(argumentFault(() => binomialLowerTail(-1, 10, 0.5)).argument).toBe('k');
    expect(argumentFault(() => binomialUpperTail(1, 0, 0.5))).toMatchObject({
      argument: 'n',
      allowed: 'an integer in [1, 1000000000]',
    });
    expect(argumentFault(() => binomialUpperTail(1, 10, 1.1)).argument).toBe('p');
  });
});

describe('two-sided binomial test', () => {
  it('is never below the exact p-value and within 1e-10 of it, against exact summation', () => {
    for (const { k, n, p } of statisticsFixture('binomial-test')) {
      const value = binomialTestTwoSided(k, n);
      expect(compareExactly(value, p), `k=${k} n=${n}`).toBeGreaterThanOrEqual(0);
      expect(relativeError(value, p), `k=${k} n=${n}`).toBeLessThan(1e-10);
    }
  });

  it('is within 1e-12 of the exact p-value where a decision could hang on it', () => {
    for (const { k, n, p } of statisticsFixture('binomial-test')) {
      if (Number(p) < 1e-6 || n > 100_000) continue;
      expect(relativeError(binomialTestTwoSided(k, n), p), `k=${k} n=${n}`).toBeLessThan(1e-12);
    }
  });

  it('does not care which of the two classes is counted', () => {
    for (const [k, n] of [
      [0, 5],
      [40, 100],
      [4900, 10_000],
    ] as const) {
      expect(binomialTestTwoSided(k, n)).toBe(binomialTestTwoSided(n - k, n));
    }
  });

  it('is 1 for a tie and for the counts nearest to one', () => {
    expect(binomialTestTwoSided(50, 100)).toBe(1);
    expect(binomialTestTwoSided(50, 101)).toBe(1);
    expect(binomialTestTwoSided(51, 101)).toBe(1);
    expect(binomialTestTwoSided(1, 1)).toBe(1);
  });

  it('is positive even where the exact value underflows, so that no alpha is ever beaten by 0', () => {
    expect(binomialTestTwoSided(10_000_000, 10_000_000)).toBe(Number.MIN_VALUE);
  });

  it('needs eleven unanimous votes for alpha = 0.001, not ten', () => {
    expect(binomialTestTwoSided(10, 10)).toBeGreaterThan(0.001);
    expect(binomialTestTwoSided(11, 11)).toBeLessThanOrEqual(0.001);
  });

  it('refuses an empty vote and more than 1e7 votes', () => {
    expect(argumentFault(() => binomialTestTwoSided(0, 0)).argument).toBe('n');
    expect(argumentFault(() => binomialTestTwoSided(0, 10_000_001)).allowed).toBe(
      'an integer in [1, 10000000]',
    );
    expect(argumentFault(() => binomialTestTwoSided(1.5, 3)).argument).toBe('k');
  });
});
