import { describe, expect, it } from 'vitest';
import { betaConstant, betaTail } from '../../../src/statistics/beta-tail.ts';
import {
  inverseRegularizedBeta,
  regularizedBeta,
  regularizedBetaComplement,
} from '../../../src/statistics/beta.ts';
import { deviance } from '../../../src/statistics/deviance.ts';
import { stirlingError } from '../../../src/statistics/stirling.ts';
import { argumentFault } from '../../support/argument-fault.ts';
import { relativeError } from '../../support/exact-decimal.ts';
import { statisticsFixture } from '../../support/statistics-fixture.ts';

const cases = statisticsFixture('regularized-beta');

describe('regularised incomplete beta function', () => {
  it('agrees with mpmath in both tails, half-integer shapes included', () => {
    for (const { x, a, b, lower, upper } of cases) {
      const name = `tail of Beta(${a}, ${b}) at ${x}`;
      // The rounding of 1 − x is multiplied by the distance from the mean.
      const allowed = 1.5e-14 + 4e-16 * Math.abs(a - (a + b) * x) + 1e-15 * Math.abs(Math.log(Number(lower)));
      expect(Math.abs(relativeError(regularizedBeta(x, a, b), lower)), `lower ${name}`).toBeLessThan(allowed);
      const allowedAbove = allowed + 1e-15 * Math.abs(Math.log(Number(upper)));
      expect(
        Math.abs(relativeError(regularizedBetaComplement(x, a, b), upper)),
        `upper ${name}`,
      ).toBeLessThan(allowedAbove);
    }
  });

  it('is x for shapes 1 and 1, and has the closed forms of DLMF 8.17(i) for one shape 1', () => {
    for (const x of [1e-50, 1e-10, 0.1, 0.5, 0.9]) {
      expect(regularizedBeta(x, 1, 1) / x).toBeCloseTo(1, 13);
      expect(regularizedBeta(x, 3, 1) / x ** 3).toBeCloseTo(1, 13);
      expect(regularizedBetaComplement(x, 1, 3) / (1 - x) ** 3).toBeCloseTo(1, 13);
    }
  });

  it('is 0 and 1 at the ends', () => {
    expect(regularizedBeta(0, 2, 3)).toBe(0);
    expect(regularizedBeta(1, 2, 3)).toBe(1);
    expect(regularizedBetaComplement(0, 2, 3)).toBe(1);
    expect(regularizedBetaComplement(1, 2, 3)).toBe(0);
  });

  it('keeps the digits of a complement far below the spacing of doubles at 1', () => {
    expect(regularizedBetaComplement(0.99, 1, 20) / 1e-40).toBeCloseTo(1, 12);
    expect(regularizedBeta(0.99, 1, 20)).toBe(1);
  });

  it('refuses x outside [0, 1] and shapes outside [0.5, 1e10], by name', () => {
    expect(argumentFault(() => regularizedBeta(1.5, 1, 1))).toMatchObject({
      argument: 'x',
      allowed: 'a probability in [0, 1]',
    });
    expect(argumentFault(() => regularizedBeta(0.5, 0, 1))).toMatchObject({
      argument: 'a',
      allowed: 'a number in [0.5, 10000000000]',
    });
    expect(argumentFault(() => regularizedBetaComplement(0.5, 1, Number.NaN)).argument).toBe('b');
    expect(argumentFault(() => inverseRegularizedBeta(-1, 1, 1)).argument).toBe('p');
    expect(argumentFault(() => inverseRegularizedBeta(1e-200, 1, 1)).allowed).toContain('[1e-100, 1]');
  });
});

describe('inverse of the incomplete beta function', () => {
  it('returns the x of mpmath’s table from its probability', () => {
    let checked = 0;
    for (const { x, a, b, lower } of cases) {
      const p = Number(lower);
      if (p > 0.5 || p < 1e-100) continue;
      checked += 1;
      expect(inverseRegularizedBeta(p, a, b) / x, `${x} ${a} ${b}`).toBeCloseTo(1, 13);
    }
    expect(checked).toBeGreaterThan(100);
  });

  it('solves from above the median too', () => {
    expect(inverseRegularizedBeta(0.75, 1, 1)).toBeCloseTo(0.75, 14);
    expect(inverseRegularizedBeta(0.999, 1, 2)).toBeCloseTo(1 - Math.sqrt(0.001), 13);
  });

  it('is 0 and 1 at the ends', () => {
    expect(inverseRegularizedBeta(0, 2, 3)).toBe(0);
    expect(inverseRegularizedBeta(1, 2, 3)).toBe(1);
  });
});

describe('parts of the beta tail', () => {
  it('state an error bound that is at least twice the error found at the exact Clopper-Pearson bounds', () => {
    for (const { k, n, alpha, p, q } of statisticsFixture('clopper-pearson')) {
      if (k === n) continue;
      const tail = betaTail(k, n - k + 1, betaConstant(k, n - k + 1), Number(p), Number(q));
      expect(Math.abs(tail.log - Math.log(alpha)), `k=${k} n=${n} alpha=${alpha}`).toBeLessThan(
        tail.error / 2,
      );
    }
  });

  it('know the errors of Stirling’s formula from the factorials (Loader 2000, table 1)', () => {
    expect(stirlingError(1)).toBeCloseTo(0.08106146679532726, 15);
    expect(stirlingError(2)).toBeCloseTo(0.04134069595540929, 15);
    expect(stirlingError(15)).toBeCloseTo(0.005554733551962801, 16);
    expect(stirlingError(0.5)).toBeCloseTo(0.1534264097200273, 15);
    expect(stirlingError(1e9) * 12e9).toBeCloseTo(1, 12);
  });

  it('know the deviance beside its zero, where x ln(x/m) + m − x would lose every digit', () => {
    // d²/(2m) − d³/(6m²) + ... for x = m + d.
    const d = 2 ** -20;
    expect(deviance(1 + d, 1, d) / ((d * d) / 2 - d ** 3 / 6 + d ** 4 / 12)).toBeCloseTo(1, 14);
    expect(deviance(1, 1, 0)).toBe(0);
    expect(deviance(8, 1, 7)).toBeCloseTo(8 * Math.log(8) - 7, 13);
  });
});
