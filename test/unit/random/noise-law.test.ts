import { describe, expect, it } from 'vitest';
import { gaussianCutpoints, totalVariationBound } from '../../../src/random/cutpoints.ts';
import {
  describeLaw,
  DRAWN_SCHEMES,
  drawsLaw,
  gaussianLaw,
  lawCutpoints,
  lawVariation,
  sameLaw,
} from '../../../src/random/noise-law.ts';
import { NoiseRangeError } from '../../../src/random/noise-range-error.ts';
import vectors from '../../fixtures/noise/vectors.json' with { type: 'json' };

const LAW = gaussianLaw(0.5);
/** Laws that another release may draw. */
const OTHERS = [
  { ...LAW, version: 2 },
  { ...LAW, scheme: 'other' },
  { ...LAW, distribution: 'uniform' },
];

describe('the law of new jobs', () => {
  it('is of the scheme whose vectors are published, which is one that this build draws', () => {
    const { scheme, version } = vectors;
    expect(LAW).toEqual({ distribution: 'gaussian', sigma: 0.5, scheme, version });
    expect(DRAWN_SCHEMES).toContainEqual({ scheme, version });
    expect(drawsLaw(LAW)).toBe(true);
  });

  it('has the cutpoints of its sigma, and the variation that follows from them', () => {
    for (const sigma of [0.01, 0.25, 2.84]) {
      expect(lawCutpoints(gaussianLaw(sigma))).toBe(gaussianCutpoints(sigma));
      expect(lawVariation(gaussianLaw(sigma), 784)).toBe(totalVariationBound(gaussianCutpoints(sigma), 784));
    }
  });
});

describe('a law of another release', () => {
  it.each(OTHERS)('%o is not drawn, and nothing is said of its cutpoints and its variation', (other) => {
    expect(drawsLaw(other)).toBe(false);
    for (const ask of [() => lawCutpoints(other), () => lawVariation(other, 1)]) {
      expect(ask).toThrow(NoiseRangeError);
      expect(ask).toThrow(`noise law must be drawn by rounded-gaussian 1; got ${describeLaw(other)}`);
    }
  });

  it('is another one, in comparison and in words; so is one of another sigma', () => {
    for (const other of [...OTHERS, gaussianLaw(0.25)]) {
      expect(sameLaw(LAW, other)).toBe(false);
      expect(describeLaw(other)).not.toBe(describeLaw(LAW));
    }
    expect(sameLaw(LAW, gaussianLaw(0.5))).toBe(true);
  });
});
