import { describe, expect, it } from 'vitest';
import { clopperPearsonLower } from '../../../src/statistics/clopper-pearson.ts';
import {
  certifies,
  smallestCertifyingCount,
  smallestCountForRadius,
} from '../../../src/statistics/counts.ts';
import { leastInteger } from '../../../src/statistics/least-integer.ts';
import { argumentFault } from '../../support/argument-fault.ts';
import { statisticsFixture } from '../../support/statistics-fixture.ts';

describe('smallest count for a radius', () => {
  it('is the one found by exact summation, null included', () => {
    for (const { n, alpha, z, k } of statisticsFixture('smallest-count')) {
      expect(smallestCountForRadius(n, alpha, 1, z), `n=${n} alpha=${alpha} z=${z}`).toBe(k);
      expect(smallestCountForRadius(n, alpha, 0.25, z / 4), `n=${n} alpha=${alpha} z=${z}`).toBe(k);
    }
  });

  it('is null above the ceiling', () => {
    expect(smallestCountForRadius(100_000, 0.001, 0.5, 1.9)).not.toBeNull();
    expect(smallestCountForRadius(100_000, 0.001, 0.5, 1.906)).toBeNull();
  });

  it('refuses a negative or unbounded radius and other bad arguments, by name', () => {
    for (const radius of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(argumentFault(() => smallestCountForRadius(100, 0.001, 0.5, radius))).toMatchObject({
        argument: 'radius',
        allowed: 'a number in [0, 1000000000]',
      });
    }
    expect(argumentFault(() => smallestCountForRadius(0, 0.001, 0.5, 1)).argument).toBe('n');
    expect(argumentFault(() => smallestCountForRadius(100, 0, 0.5, 1)).argument).toBe('alpha');
    expect(argumentFault(() => smallestCountForRadius(100, 0.001, 0, 1)).argument).toBe('sigma');
  });
});

describe('smallest certifying count', () => {
  it('is the one found by exact summation', () => {
    const anyRadius = statisticsFixture('smallest-count').filter(({ z }) => z === 0);
    expect(anyRadius.length).toBeGreaterThan(30);
    for (const { n, alpha, k } of anyRadius) {
      expect(smallestCertifyingCount(n, alpha), `n=${n} alpha=${alpha}`).toBe(k);
    }
  });

  it('is null for nine draws at alpha = 0.001 and ten for ten', () => {
    expect(smallestCertifyingCount(9, 0.001)).toBeNull();
    expect(smallestCertifyingCount(10, 0.001)).toBe(10);
  });

  it('does not certify at exactly 1/2', () => {
    // One success in one trial at alpha = 1/2 has the lower bound 1/2 itself.
    expect(smallestCertifyingCount(1, 0.5)).toBeNull();
    expect(smallestCertifyingCount(2, 0.5)).toBe(2);
  });

  it('separates abstention from certification exactly', () => {
    const least = smallestCertifyingCount(1000, 0.001) ?? 0;
    expect(clopperPearsonLower(least, 1000, 0.001).p).toBeGreaterThan(0.5);
    expect(clopperPearsonLower(least - 1, 1000, 0.001).p).toBeLessThanOrEqual(0.5);
  });

  it('takes a bound as certifying only if p is above and q below 1/2', () => {
    expect(certifies({ p: 0.6, q: 0.4 }, 1, 0)).toBe(true);
    expect(certifies({ p: 0.5, q: 0.5 }, 1, 0)).toBe(false);
    expect(certifies({ p: 0.6, q: 0.4 }, 1, 0.3)).toBe(false);
  });
});

describe('least integer', () => {
  it('finds every threshold of a range, and null if there is none', () => {
    for (let threshold = -3; threshold <= 9; threshold++) {
      expect(leastInteger(-3, 9, (value) => value >= threshold)).toBe(threshold);
    }
    expect(leastInteger(-3, 9, () => false)).toBeNull();
  });
});
