import { describe, expect, it } from 'vitest';
import { clopperPearsonLower } from '../../../src/statistics/clopper-pearson.ts';
import { samplesForPower } from '../../../src/statistics/samples-for-power.ts';
import { samplesForRadius } from '../../../src/statistics/samples-for-radius.ts';
import { argumentFault } from '../../support/argument-fault.ts';
import { fastest } from '../../support/fastest.ts';
import { statisticsFixture } from '../../support/statistics-fixture.ts';

const CASES = statisticsFixture('samples-for-power');

describe('samples that reach a radius with a given power', () => {
  it('are those found by trying one n after another, in exact arithmetic', () => {
    expect(CASES.length).toBeGreaterThan(400);
    for (const { radius, alpha, pA, power, n } of CASES) {
      const name = `radius=${radius} alpha=${alpha} pA=${pA} power=${power}`;
      expect(samplesForPower(radius, 1, alpha, pA, power), `at sigma 1, ${name}`).toBe(n);
      expect(samplesForPower(radius / 2, 0.5, alpha, pA, power), `at sigma 0.5, ${name}`).toBe(n);
    }
  });

  it('are more than the first n that happens to reach it: between the two are some that do not', () => {
    const reached = CASES.filter(({ n }) => n !== null);
    for (const { first, n } of reached) expect(n).toBeGreaterThanOrEqual(first!);
    expect(reached.filter(({ first, n }) => n! > first!).length).toBeGreaterThan(reached.length / 3);
  });

  it('grow with the power', () => {
    const planned = [0.5, 0.8, 0.95, 0.999].map((power) => samplesForPower(0.25, 0.5, 0.001, 0.75, power)!);
    expect(planned).toEqual(planned.toSorted((a, b) => a - b));
    expect(new Set(planned).size).toBe(planned.length);
  });

  it('are those of unanimous votes where every vote is sure', () => {
    for (const radius of [0.25, 1, 3]) {
      const unanimous = samplesForRadius(radius, 1, 0.001);
      expect(samplesForPower(radius, 1, 0.001, 1, 0.95)).toBe(unanimous);
    }
  });

  it('are null for a radius that no number of such votes certifies, or none up to 1e7', () => {
    // Φ(1) = 0.8413.
    expect(samplesForPower(1, 1, 0.001, 0.84, 0.95)).toBeNull();
    expect(samplesForPower(1, 1, 0.001, 0.84135, 0.95)).toBeNull();
    expect(samplesForPower(1, 1, 0.001, 0.843, 0.95)).not.toBeNull();
    expect(samplesForPower(100, 1, 0.001, 0.99, 0.95)).toBeNull();
    expect(samplesForPower(6, 1, 0.001, 1, 0.95)).toBeNull();
  });

  it('are found at the largest n for the price of some thousand bounds: not every n is tried', () => {
    const n = samplesForPower(0.25, 1, 1e-6, 0.6, 0.999)!;
    expect(n).toBeGreaterThan(8_000_000);
    const search = fastest(() => void samplesForPower(0.25, 1, 1e-6, 0.6, 0.999));
    const bound = fastest(() => void clopperPearsonLower(Math.floor(0.6 * n), n, 1e-6));
    expect(search / bound).toBeLessThan(30_000);
  });

  it('refuse what is out of range, by name', () => {
    for (const pA of [0.5, 0, 1.01, Number.NaN]) {
      expect(argumentFault(() => samplesForPower(1, 1, 0.001, pA, 0.95))).toMatchObject({
        argument: 'pA',
        allowed: 'a probability in (0.5, 1]',
      });
    }
    for (const power of [0.49, 1, Number.NaN]) {
      expect(argumentFault(() => samplesForPower(1, 1, 0.001, 0.9, power)).argument).toBe('power');
    }
    expect(argumentFault(() => samplesForPower(-1, 1, 0.001, 0.9, 0.95)).argument).toBe('radius');
    expect(argumentFault(() => samplesForPower(1, 0, 0.001, 0.9, 0.95)).argument).toBe('sigma');
    expect(argumentFault(() => samplesForPower(1, 1, 0.9, 0.9, 0.95)).argument).toBe('alpha');
  });
});
