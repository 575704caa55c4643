import { describe, expect, it } from 'vitest';
import { radiusCeiling } from '../../../src/statistics/radius.ts';
import { samplesForRadius } from '../../../src/statistics/samples-for-radius.ts';
import { argumentFault } from '../../support/argument-fault.ts';
import { statisticsFixture } from '../../support/statistics-fixture.ts';

describe('samples needed for a radius', () => {
  it('are those of the closed form in exact arithmetic', () => {
    for (const { radius, alpha, n } of statisticsFixture('samples-for-radius')) {
      const name = `radius=${radius} alpha=${alpha}`;
      expect(samplesForRadius(radius, 1, alpha), `at sigma 1, ${name}`).toBe(n);
      expect(samplesForRadius(radius / 2, 0.5, alpha), `at sigma 0.5, ${name}`).toBe(n);
    }
  });

  it('are the least: one fewer has a ceiling below the radius', () => {
    for (const radius of [0.25, 1, 3, 3.8]) {
      const n = samplesForRadius(radius, 1, 0.001) ?? 0;
      expect(radiusCeiling(1, n, 0.001)).toBeGreaterThanOrEqual(radius);
      expect(radiusCeiling(1, n - 1, 0.001)).toBeLessThan(radius);
    }
  });

  it('are null beyond the stated limits instead of a number nobody can draw', () => {
    expect(samplesForRadius(6, 1, 0.001)).toBeNull();
    expect(samplesForRadius(1e9, 1e-6, 0.001)).toBeNull();
  });

  it('refuse what is out of range, by name', () => {
    expect(argumentFault(() => samplesForRadius(-1, 1, 0.001)).argument).toBe('radius');
    expect(argumentFault(() => samplesForRadius(1, 0, 0.001)).argument).toBe('sigma');
    expect(argumentFault(() => samplesForRadius(1, 1, 0.9)).argument).toBe('alpha');
  });
});
