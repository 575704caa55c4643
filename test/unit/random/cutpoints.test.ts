import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { gaussianCutpoints, totalVariationBound } from '../../../src/random/cutpoints.ts';
import { MAX_NOISE, MAX_SIGMA } from '../../../src/random/limits.ts';
import { NoiseRangeError } from '../../../src/random/noise-range-error.ts';
import known from '../../fixtures/noise/cutpoints.json' with { type: 'json' };
import vectors from '../../fixtures/noise/vectors.json' with { type: 'json' };

const ONE = 2n ** 96n;

describe('gaussianCutpoints', () => {
  for (const { sigma, kmin, kmax, sha256, cutpoints } of known.laws) {
    it(`equals mpmath at 400 bits in every cutpoint for sigma ${sigma}`, () => {
      const law = gaussianCutpoints(sigma);
      expect([law.kmin, law.kmax]).toEqual([kmin, kmax]);
      for (const { k, hex } of cutpoints) expect(law.values[k - kmin]?.toString(16)).toBe(hex);
      const text = law.values.map((value) => `${value.toString(16)}\n`).join('');
      expect(createHash('sha256').update(text).digest('hex')).toBe(sha256);
    });
  }

  for (const { sigma, kmin, kmax, cutpoints } of vectors.vectors) {
    it(`gives the scheme's published cutpoints for sigma ${sigma}`, () => {
      const law = gaussianCutpoints(sigma);
      expect([law.kmin, law.kmax]).toEqual([kmin, kmax]);
      for (const { k, C } of cutpoints) expect(law.values[k - kmin]).toBe(BigInt(`0x${C}`));
    });
  }

  it('runs from 0 to 2^96, never decreasing, with one value more than there are integers of noise', () => {
    for (const { sigma } of known.laws) {
      const { kmin, kmax, values } = gaussianCutpoints(sigma);
      expect(values).toHaveLength(kmax - kmin + 2);
      expect([values[0], values.at(-1)]).toEqual([0n, ONE]);
      expect(values.every((value, i) => i === 0 || values[i - 1]! <= value)).toBe(true);
    }
  });

  it('is symmetric: K and -K are equally likely, to the last bit', () => {
    for (const { sigma } of known.laws) {
      const { values } = gaussianCutpoints(sigma);
      expect(values.every((value, i) => value === ONE - values[values.length - 1 - i]!)).toBe(true);
    }
  });

  it('keeps within the noise that the kernel can hold at the largest sigma', () => {
    expect(gaussianCutpoints(MAX_SIGMA).kmax).toBeLessThanOrEqual(MAX_NOISE);
  });

  it('takes the smallest positive double: no noise at all', () => {
    expect(gaussianCutpoints(Number.MIN_VALUE)).toEqual({ kmin: 0, kmax: 0, values: [0n, ONE] });
  });

  it('reads sigma as the exact double: neighbouring doubles give different laws', () => {
    const law = gaussianCutpoints(0.25);
    const next = gaussianCutpoints(0.25 + 2 ** -54);
    expect(next.values[law.kmax + 2]! < law.values[law.kmax + 2]!).toBe(true);
  });

  for (const sigma of [0, -0, -1, NaN, Infinity, MAX_SIGMA + 2 ** -40, 2.85]) {
    it(`refuses sigma ${sigma} and says what is allowed`, () => {
      expect(() => gaussianCutpoints(sigma)).toThrow(NoiseRangeError);
      expect(() => gaussianCutpoints(sigma)).toThrow(
        `sigma must be above 0 and at most ${MAX_SIGMA}; got ${sigma}`,
      );
    });
  }

  it('cannot be changed by those who share it', () => {
    const law = gaussianCutpoints(0.12);
    expect(Object.isFrozen(law)).toBe(true);
    expect(Object.isFrozen(law.values)).toBe(true);
  });

  it('gives the same object for a sigma asked for lately, and keeps only the last 16', () => {
    const law = gaussianCutpoints(0.012);
    for (let i = 1; i < 16; i++) gaussianCutpoints(0.001 * i);
    expect(gaussianCutpoints(0.012)).toBe(law);
    for (let i = 1; i <= 16; i++) gaussianCutpoints(0.0001 * i);
    const again = gaussianCutpoints(0.012);
    expect(again).not.toBe(law);
    expect(again).toEqual(law);
  });
});

describe('totalVariationBound', () => {
  for (const { sigma, totalVariation } of known.laws) {
    it(`is above the exact distance at 400 bits, and at most eight times it plus an ulp, for sigma ${sigma}`, () => {
      const bound = totalVariationBound(gaussianCutpoints(sigma), 1);
      expect(bound).toBeGreaterThan(totalVariation);
      expect(bound).toBeLessThanOrEqual(8 * totalVariation + 2 ** -96);
    });
  }

  it('is too small to matter: below 1e-20 for an ImageNet-size sample at sigma 1', () => {
    expect(totalVariationBound(gaussianCutpoints(1), 150_528)).toBeLessThan(1e-20);
  });

  it('is exactly proportional to the number of elements, so no rounding lowers it', () => {
    const law = gaussianCutpoints(0.25);
    const one = totalVariationBound(law, 1);
    for (const elements of [0, 3, 784, 150_528, 2 ** 35 - 1, 2 ** 35]) {
      expect(totalVariationBound(law, elements)).toBe(one * elements);
      // 2^97 · bound is an integer: elements times (kmax - kmin + 2)
      expect(BigInt(totalVariationBound(law, elements) * 2 ** 97)).toBe(
        BigInt(elements) * BigInt(law.kmax - law.kmin + 2),
      );
    }
  });

  it('refuses a number of elements beyond the scheme', () => {
    const law = gaussianCutpoints(0.25);
    for (const elements of [-1, 0.5, NaN, 2 ** 35 + 1]) {
      expect(() => totalVariationBound(law, elements)).toThrow(NoiseRangeError);
    }
  });
});
