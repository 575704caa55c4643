import { describe, expect, it } from 'vitest';
import { exactRatio, roundedNormalCdf } from '../../../src/random/normal-fixed-point.ts';

describe('roundedNormalCdf', () => {
  // mpmath 1.3.0 at 400 bits: int(floor(2**96 * erfc(-z/sqrt(2))/2 + 1/2)) for z = numerator/denominator
  const KNOWN: readonly [bigint, bigint, string][] = [
    [1n, 1n, 'd7625e89069be9a4bf22e9ef'],
    [1n, 3n, 'a16c4ad621008a0b0fafd7a0'],
    [1n, 1000000000000n, '8000000000704ad225913b31'],
    [5n, 1n, 'fffffb30d7437b31f3c037b8'],
    [113n, 10n, 'ffffffffffffffffffffffff'],
    [11n, 1n, 'fffffffffffffffffffffff1'],
    [1131n, 100n, '1000000000000000000000000'],
    [12n, 1n, '1000000000000000000000000'],
    [1000n, 1n, '1000000000000000000000000'],
  ];

  for (const [numerator, denominator, hex] of KNOWN) {
    it(`equals mpmath to the last bit at ${numerator}/${denominator}`, () => {
      expect(roundedNormalCdf({ numerator, denominator }).toString(16)).toBe(hex);
    });
  }

  it('gives the same integer from any first precision: a doubtful rounding is computed again', () => {
    // at 138 bits half of the dropped 42 bits may be in error, so that nearly every first attempt is doubtful
    for (let numerator = 1n; numerator < 40n; numerator++) {
      const z = { numerator, denominator: 7n };
      const value = roundedNormalCdf(z);
      for (const precision of [138n, 139n, 145n, 200n, 400n])
        expect(roundedNormalCdf(z, precision)).toBe(value);
    }
  });
});

describe('exactRatio', () => {
  it('is the double exactly, subnormals and integers included', () => {
    for (const value of [1, 0.25, 0.1, 1 / 3, 2.84, 1e-300, Number.MIN_VALUE, 2 ** 80, Number.MAX_VALUE]) {
      const { numerator, denominator } = exactRatio(value);
      // the denominator is a power of two: both parts are converted without rounding after scaling
      const shift = denominator.toString(2).length - 1;
      expect(denominator).toBe(1n << BigInt(shift));
      expect(Number(numerator) * 2 ** -Math.ceil(shift / 2) * 2 ** -Math.floor(shift / 2)).toBe(value);
    }
  });
});
