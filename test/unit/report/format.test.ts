import { describe, expect, it } from 'vitest';
import {
  formatCount,
  formatDuration,
  formatPercentDown,
  formatPercentUp,
  formatProbabilityDown,
  formatProbabilityUp,
  formatRadiusDown,
  formatShareDown,
  formatSmallUp,
} from '../../../src/report/format.ts';

describe('formats for people', () => {
  it.each([
    [0, '0'],
    [999, '999'],
    [1_000, '1,000'],
    [2_102_100, '2,102,100'],
    [39_746.6, '39,747'],
  ])('the count %d is %s', (count, text) => expect(formatCount(count)).toBe(text));

  it.each([
    [0, '0 s'],
    [0.4, '0 s'],
    [42.2, '42 s'],
    [59.6, '1 min 00 s'],
    [65, '1 min 05 s'],
    [3_599, '59 min 59 s'],
    [3_600, '1 h 00 min'],
    [7_620, '2 h 07 min'],
  ])('%d seconds are %s', (seconds, text) => expect(formatDuration(seconds)).toBe(text));

  it('radii and lower bounds are rounded down, not to the nearest', () => {
    expect(formatRadiusDown(1.905_79)).toBe('1.9057');
    expect(formatProbabilityDown(0.999_930_99)).toBe('0.999930');
  });

  it('upper bounds and p-values are rounded up, not to the nearest', () => {
    expect(formatProbabilityUp(0.146_880_11)).toBe('0.146881');
    expect(formatSmallUp(0.001_001)).toBe('0.00101');
    expect(formatSmallUp(1.231e-20)).toBe('1.24e-20');
  });

  it('shares of inputs are rounded down, and whole per cents kept', () => {
    for (let total = 1; total <= 1_000; total += 7) {
      for (let count = 0; count <= total; count += 3) {
        const tenths = BigInt(formatShareDown(count, total).replace(/[.%]/g, ''));
        expect(tenths * BigInt(total) <= 1000n * BigInt(count), `${count} of ${total}`).toBe(true);
        expect((tenths + 1n) * BigInt(total) > 1000n * BigInt(count), `${count} of ${total}`).toBe(true);
      }
    }
    expect(formatShareDown(29, 100)).toBe('29.0%');
    expect(formatShareDown(2, 3)).toBe('66.6%');
    expect(formatPercentDown(0.999_99)).toBe('99.9%');
    expect(formatPercentUp(0.000_01)).toBe('0.1%');
    expect(formatPercentUp(1)).toBe('100.0%');
  });
});
