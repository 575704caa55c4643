import { describe, expect, it } from 'vitest';
import { gaussianCutpoints } from '../../../src/random/cutpoints.ts';
import { NoiseRangeError } from '../../../src/random/noise-range-error.ts';
import { noiseOfDraw, referenceDraw, referenceNoise } from '../../../src/random/reference.ts';
import vectors from '../../fixtures/noise/vectors.json' with { type: 'json' };

const STREAM = { key0: 1, key1: 2, stream: 3 };

describe('the plain reference', () => {
  for (const { sigma, draws } of vectors.vectors) {
    it(`gives the scheme's published draws and noise at sigma ${sigma}`, () => {
      const law = gaussianCutpoints(sigma);
      for (const { key, stream, purpose, sample, element, U, K } of draws) {
        const input = { key0: key[0]!, key1: key[1]!, stream };
        expect(referenceDraw(input, purpose, sample, element)).toBe(BigInt(`0x${U}`));
        expect(referenceNoise(law, input, purpose, sample, element)).toBe(K);
      }
    });
  }

  it('takes the largest k whose cutpoint does not exceed the draw, empty cells skipped', () => {
    const cutpoints = { kmin: -1, kmax: 2, values: [0n, 10n, 10n, 2n ** 95n, 2n ** 96n] };
    const noise = [0n, 9n, 10n, 2n ** 95n - 1n, 2n ** 95n, 2n ** 96n - 1n].map((draw) =>
      noiseOfDraw(cutpoints, draw),
    );
    expect(noise).toEqual([-1, -1, 1, 1, 2, 2]);
  });

  it('refuses draws, samples and elements outside the scheme', () => {
    const law = gaussianCutpoints(0.25);
    expect(() => noiseOfDraw(law, -1n)).toThrow(RangeError);
    expect(() => noiseOfDraw(law, 2n ** 96n)).toThrow(RangeError);
    for (const wrong of [-1, 0.5, NaN]) {
      expect(() => referenceDraw(STREAM, 'selection', wrong, 0)).toThrow(NoiseRangeError);
      expect(() => referenceDraw(STREAM, 'selection', 0, wrong)).toThrow(NoiseRangeError);
    }
    expect(() => referenceDraw(STREAM, 'selection', 2 ** 48, 0)).toThrow(/sample must be/);
    expect(() => referenceDraw(STREAM, 'selection', 0, 2 ** 35)).toThrow(/element must be/);
  });

  it('gives every digit of the last sample and element that the counter can hold', () => {
    expect(referenceDraw(STREAM, 255, 2 ** 48 - 1, 2 ** 35 - 1)).toBeGreaterThanOrEqual(0n);
    expect(referenceDraw(STREAM, 255, 2 ** 48 - 1, 2 ** 35 - 1)).not.toBe(
      referenceDraw(STREAM, 255, 2 ** 48 - 1, 2 ** 35 - 2),
    );
  });
});
