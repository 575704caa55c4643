import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { roundDown } from '../../../src/report/round-down.ts';

describe('roundDown', () => {
  it.each([
    [1.905_749, 4, '1.9057'],
    // to the nearest these are 1.9058, 0.28742 and 1.0000: more than was certified
    [1.905_79, 4, '1.9057'],
    [0.287_415_82, 5, '0.28741'],
    [0.999_999_9, 4, '0.9999'],
    [0.000_01, 4, '0.0000'],
    [0, 4, '0.0000'],
    [2, 4, '2.0000'],
    [10, 2, '10.00'],
    [9.999_9, 0, '9'],
    [0.7, 0, '0'],
  ])('%d with %i digits is %s', (value, digits, text) => {
    expect(roundDown(value, digits)).toBe(text);
  });

  it('keeps decimals that already have no more digits', () => {
    for (const text of ['0.3', '0.1', '0.7', '1.1', '2.3']) expect(roundDown(Number(text), 1)).toBe(text);
  });

  it('keeps the zeros behind the point when it borrows', () => {
    expect(roundDown(0.009_999_99, 4)).toBe('0.0099');
    expect(roundDown(0.000_199_9, 4)).toBe('0.0001');
    expect(roundDown(1.000_099_99, 4)).toBe('1.0000');
  });

  it('never claims more than the number, nor a unit less than it could', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1e6, noNaN: true }),
        fc.integer({ min: 0, max: 8 }),
        (x, digits) => {
          const rounded = Number(roundDown(x, digits));
          expect(rounded).toBeLessThanOrEqual(x);
          expect(rounded + 1.000_001 * 10 ** -digits).toBeGreaterThan(x);
        },
      ),
    );
  });

  it('always has the digits that were asked for', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 100, noNaN: true }),
        fc.integer({ min: 1, max: 8 }),
        (x, digits) => {
          expect(roundDown(x, digits)).toMatch(new RegExp(`^\\d+\\.\\d{${digits}}$`));
        },
      ),
    );
  });

  it.each([-0.1, Number.NaN, Number.POSITIVE_INFINITY, 1e21])('refuses %d', (value) => {
    expect(() => roundDown(value, 4)).toThrow(RangeError);
  });
});
