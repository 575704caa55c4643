import { describe, expect, it } from 'vitest';
import {
  normalCdf,
  normalQuantile,
  normalUpperQuantile,
  normalUpperTail,
} from '../../../src/statistics/normal.ts';
import { argumentFault } from '../../support/argument-fault.ts';
import { relativeError } from '../../support/exact-decimal.ts';
import { statisticsFixture } from '../../support/statistics-fixture.ts';

describe('normal distribution function', () => {
  it('has a relative error below 4e-15 in either tail, against mpmath', () => {
    for (const { x, upper, lower } of statisticsFixture('normal-tails')) {
      expect(Math.abs(relativeError(normalUpperTail(x), upper)), `1-Φ(${x})`).toBeLessThan(4e-15);
      expect(Math.abs(relativeError(normalCdf(-x), upper)), `Φ(${-x})`).toBeLessThan(4e-15);
      expect(Math.abs(relativeError(normalCdf(x), lower)), `Φ(${x})`).toBeLessThan(4e-15);
    }
  });

  it('knows the three-sigma and five-sigma tails of the tables (Abramowitz & Stegun, table 26.2)', () => {
    expect(normalUpperTail(3)).toBeCloseTo(1.349898031630095e-3, 17);
    expect(normalUpperTail(5)).toBeCloseTo(2.866515718791939e-7, 21);
    expect(normalCdf(1)).toBeCloseTo(0.8413447460685429, 15);
  });

  it('is exactly 1/2 at 0, and 0 and 1 at the infinities', () => {
    expect(normalCdf(0)).toBe(0.5);
    expect(normalUpperTail(0)).toBe(0.5);
    expect(normalCdf(Number.POSITIVE_INFINITY)).toBe(1);
    expect(normalCdf(Number.NEGATIVE_INFINITY)).toBe(0);
    expect(normalUpperTail(40)).toBe(0);
  });

  it('joins its two formulas without a step', () => {
    for (const x of [1, -1]) {
      const step = normalCdf(x + 2 ** -40) - normalCdf(x - 2 ** -40);
      expect(step / (2 ** -39 * 0.24197072451914337)).toBeCloseTo(1, 3);
    }
  });

  it('refuses NaN by name', () => {
    expect(argumentFault(() => normalCdf(Number.NaN)).argument).toBe('x');
    expect(argumentFault(() => normalUpperTail(Number.NaN)).allowed).toBe('a number');
  });
});

describe('normal quantile', () => {
  it('has a relative error below 2e-15 for every upper tail down to the smallest double, against mpmath', () => {
    for (const { q, z } of statisticsFixture('normal-upper-quantile')) {
      expect(Math.abs(relativeError(normalUpperQuantile(q), z)), `q=${q}`).toBeLessThan(2e-15);
      expect(normalQuantile(q), `p=${q}`).toBe(-normalUpperQuantile(q));
    }
  });

  it('knows the usual critical values', () => {
    expect(normalUpperQuantile(0.025)).toBeCloseTo(1.959963984540054, 14);
    expect(normalUpperQuantile(0.001)).toBeCloseTo(3.090232306167813, 14);
    expect(normalQuantile(0.975)).toBeCloseTo(1.959963984540054, 14);
  });

  it('is 0 at 1/2 and keeps its digits beside it', () => {
    expect(Math.abs(normalUpperQuantile(0.5))).toBe(0);
    expect(normalUpperQuantile(0.5 - 2 ** -54)).toBeCloseTo(2 ** -54 * Math.sqrt(2 * Math.PI), 30);
    expect(normalUpperQuantile(0.5 + 2 ** -53)).toBeLessThan(0);
  });

  it('is antisymmetric where the complement is exact', () => {
    for (const p of [0.5, 0.625, 0.75, 0.875, 1 - 2 ** -20, 1 - 2 ** -53]) {
      expect(Math.abs(normalQuantile(p) + normalQuantile(1 - p))).toBe(0);
    }
  });

  it('refuses 0, 1 and whatever is no probability, instead of answering an infinity', () => {
    for (const value of [0, 1, -0.1, 1.1, Number.NaN]) {
      expect(argumentFault(() => normalQuantile(value))).toMatchObject({
        argument: 'p',
        allowed: 'a probability in (0, 1)',
      });
      expect(argumentFault(() => normalUpperQuantile(value)).argument).toBe('q');
    }
  });
});
