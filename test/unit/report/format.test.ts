import { describe, expect, it } from 'vitest';
import { formatCount, formatDuration, formatLowerBound, formatRadius } from '../../../src/report/format.ts';

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
    expect(formatRadius(1.905_79)).toBe('1.9057');
    expect(formatLowerBound(0.999_930_99)).toBe('0.999930');
  });
});
