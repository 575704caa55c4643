import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decimalAbove,
  decimalBelow,
  significantAbove,
  significantBelow,
} from '../../../src/report/directed-decimal.ts';
import { compareExactly } from '../../support/exact-decimal.ts';

const size = fc.oneof(
  fc.double({ min: 0, max: 1e6, noNaN: true }),
  fc.double({ min: 0, max: 1, noNaN: true }),
  // Decimals, whose doubles lie a little above or below them.
  fc.tuple(fc.integer({ min: 0, max: 10 ** 8 }), fc.integer({ min: 0, max: 8 })).map(([n, d]) => n / 10 ** d),
);
const digits = fc.integer({ min: 0, max: 9 });

/** The decimal one unit of its last digit further on. */
function next(text: string, direction: 1n | -1n): string {
  const places = text.split('.')[1]?.length ?? 0;
  const units = (BigInt(text.replace('.', '')) + direction).toString();
  const padded = units.replace('-', '').padStart(places + 1, '0');
  const sign = units.startsWith('-') ? '-' : '';
  return places === 0 ? units : `${sign}${padded.slice(0, -places)}.${padded.slice(-places)}`;
}

describe('decimalBelow', () => {
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
    // the double is 0.299999999999999988…
    [0.3, 1, '0.2'],
    // and this one 0.1000000000000000055…
    [0.1, 1, '0.1'],
    [0.009_999_99, 4, '0.0099'],
    [1.000_099_99, 4, '1.0000'],
  ])('of %d with %i digits is %s', (value, places, text) => {
    expect(decimalBelow(value, places)).toBe(text);
  });

  it('is the largest that is not above the double, both taken exactly', () => {
    fc.assert(
      fc.property(size, digits, (value, places) => {
        const text = decimalBelow(value, places);
        expect(compareExactly(value, text)).toBeGreaterThanOrEqual(0);
        expect(compareExactly(value, next(text, 1n))).toBe(-1);
      }),
    );
  });
});

describe('significantBelow', () => {
  it.each([
    [1.999_99, '1.99'],
    [0.000_123_89, '0.000123'],
    [9.999_9, '9.99'],
    [1_234.5, '1234'],
    [0, '0.00'],
  ])('of %d with three digits is %s', (value, text) => {
    expect(significantBelow(value, 3)).toBe(text);
  });

  it('is the largest that is not above the double, both taken exactly', () => {
    fc.assert(
      fc.property(size, (value) => {
        const text = significantBelow(value, 3);
        expect(compareExactly(value, text)).toBeGreaterThanOrEqual(0);
        expect(compareExactly(value, next(text, 1n))).toBe(-1);
      }),
    );
  });
});

describe('decimalAbove', () => {
  it.each([
    [0.146_880_11, 6, '0.146881'],
    [0.5, 3, '0.500'],
    [0.3, 1, '0.3'],
    // above the double, which is above one tenth
    [0.1, 1, '0.2'],
    [0.999_999_9, 4, '1.0000'],
    [Number.MIN_VALUE, 2, '0.01'],
    [0, 2, '0.00'],
  ])('of %d with %i digits is %s', (value, places, text) => {
    expect(decimalAbove(value, places)).toBe(text);
  });

  it('is the least that is not below the double, both taken exactly', () => {
    fc.assert(
      fc.property(size, digits, (value, places) => {
        const text = decimalAbove(value, places);
        expect(compareExactly(value, text)).toBeLessThanOrEqual(0);
        expect(compareExactly(value, next(text, -1n))).toBe(1);
      }),
    );
  });
});

describe('significantAbove', () => {
  it.each([
    [1.231e-20, '1.24e-20'],
    [9.991e-20, '1.00e-19'],
    [0.001_001, '0.00101'],
    [1e-6, '1.00e-6'],
    [1.001e-6, '0.00000101'],
    [9.999e-7, '1.00e-6'],
    [0.5, '0.500'],
    [1, '1.00'],
    [0, '0'],
    [Number.MIN_VALUE, '4.95e-324'],
  ])('of %d with three digits is %s', (value, text) => {
    expect(significantAbove(value, 3)).toBe(text);
  });

  it('is not below the double and within a unit of the last digit, both taken exactly', () => {
    const small = fc.oneof(
      fc.double({ min: 0, max: 1, noNaN: true, minExcluded: true }),
      fc
        .tuple(fc.integer({ min: 1, max: 99_999 }), fc.integer({ min: 5, max: 300 }))
        .map(([n, e]) => n / 10 ** e),
    );
    fc.assert(
      fc.property(small, fc.integer({ min: 1, max: 6 }), (value, places) => {
        const text = significantAbove(value, places);
        expect(compareExactly(value, text)).toBeLessThanOrEqual(0);
        expect(Number(text) / value - 1).toBeLessThanOrEqual(10 ** (1 - places) * 1.000_001);
      }),
      { numRuns: 500 },
    );
  });
});

describe('what has no decimals', () => {
  it.each([-0.1, Number.NaN, Number.POSITIVE_INFINITY])('%d is refused', (value) => {
    expect(() => decimalBelow(value, 4)).toThrow(RangeError);
    expect(() => decimalAbove(value, 4)).toThrow(RangeError);
    expect(() => significantAbove(value, 4)).toThrow(RangeError);
  });
});
