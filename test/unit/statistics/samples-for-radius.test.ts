import { describe, expect, it } from 'vitest';
import { clopperPearsonLower } from '../../../src/statistics/clopper-pearson.ts';
import { radiusCeiling } from '../../../src/statistics/radius.ts';
import { samplesForRadius } from '../../../src/statistics/samples-for-radius.ts';
import { fastest } from '../../support/fastest.ts';
import { argumentFault } from '../../support/argument-fault.ts';
import { statisticsFixture } from '../../support/statistics-fixture.ts';

describe('samples needed for a radius', () => {
  it('are those found by the closed form or by trying one n after another, in exact arithmetic', () => {
    for (const { radius, alpha, expectedPA, n } of statisticsFixture('samples-for-radius')) {
      const name = `radius=${radius} alpha=${alpha} pA=${expectedPA}`;
      expect(samplesForRadius(radius, 1, alpha, expectedPA), `at sigma 1, ${name}`).toBe(n);
      expect(samplesForRadius(radius / 2, 0.5, alpha, expectedPA), `at sigma 0.5, ${name}`).toBe(n);
    }
  });

  it('are the least: one fewer has a ceiling below the radius', () => {
    for (const radius of [0.25, 1, 3, 3.8]) {
      const n = samplesForRadius(radius, 1, 0.001) ?? 0;
      expect(radiusCeiling(1, n, 0.001)).toBeGreaterThanOrEqual(radius);
      expect(radiusCeiling(1, n - 1, 0.001)).toBeLessThan(radius);
    }
  });

  it('are null for a radius that no vote of the expected share can certify', () => {
    // Φ(1) = 0.8413.
    expect(samplesForRadius(1, 1, 0.001, 0.84)).toBeNull();
    expect(samplesForRadius(1, 1, 0.001, 0.842)).not.toBeNull();
  });

  it('are null beyond the stated limits instead of a number nobody can draw', () => {
    expect(samplesForRadius(6, 1, 0.001)).toBeNull();
    expect(samplesForRadius(1e9, 1e-6, 0.001)).toBeNull();
    expect(samplesForRadius(1, 1, 0.001, 0.84135)).toBeNull();
    expect(samplesForRadius(100, 1, 0.001, 0.99)).toBeNull();
  });

  it('take 0.57 of 100 as 57, whatever floating point makes of the product', () => {
    expect(0.57 * 100).toBeLessThan(57);
    expect(samplesForRadius(0.05, 1, 0.4, 0.57)).toBe(samplesForRadius(0.05, 1, 0.4, 0.57 + 1e-15));
  });

  it('are found at the largest n for the price of some bounds: not every n is tried', () => {
    const n = samplesForRadius(1, 1, 0.001, 0.8417317)!;
    expect(n).toBeGreaterThan(8_000_000);
    const search = fastest(() => void samplesForRadius(1, 1, 0.001, 0.8417317));
    const bound = fastest(() => void clopperPearsonLower(Math.floor(0.8417317 * n), n, 0.001));
    // Measured at 12.
    expect(search / bound).toBeLessThan(1000);
  });

  it('refuse a share of at most 1/2 or above 1, by name', () => {
    for (const share of [0.5, 0, 1.01, Number.NaN]) {
      expect(argumentFault(() => samplesForRadius(1, 1, 0.001, share))).toMatchObject({
        argument: 'expectedPA',
        allowed: 'a share in (0.5, 1]',
      });
    }
    expect(argumentFault(() => samplesForRadius(-1, 1, 0.001)).argument).toBe('radius');
    expect(argumentFault(() => samplesForRadius(1, 0, 0.001)).argument).toBe('sigma');
    expect(argumentFault(() => samplesForRadius(1, 1, 0.9)).argument).toBe('alpha');
  });
});
