import { describe, expect, it } from 'vitest';
import { gaussianCutpoints, type Cutpoints } from '../../../src/random/cutpoints.ts';
import { lawTable } from '../../../src/random/law-table.ts';
import { NoiseRangeError } from '../../../src/random/noise-range-error.ts';
import { noiseOfDraw } from '../../../src/random/reference.ts';
import vectors from '../../fixtures/noise/vectors.json' with { type: 'json' };

const ONE = 2n ** 96n;
const UNDECIDED = 16384;

/** What an entry must say, from the definition: the noise of the first and of the last draw with that digit. */
function entryByDefinition(law: Cutpoints, digit: number): number {
  const least = noiseOfDraw(law, BigInt(digit) << 80n);
  const most = noiseOfDraw(law, ((BigInt(digit) + 1n) << 80n) - 1n);
  return least === most ? least : UNDECIDED + least;
}

const LAWS: readonly [string, Cutpoints][] = [
  ['sigma 0.12', gaussianCutpoints(0.12)],
  ['sigma 1', gaussianCutpoints(1)],
  ['no noise', { kmin: 0, kmax: 0, values: [0n, ONE] }],
  ['cutpoints on the edges of digits', { kmin: 0, kmax: 2, values: [0n, 1n << 80n, 77n << 80n, ONE] }],
  [
    'several cutpoints in one digit',
    {
      kmin: -8191,
      kmax: -8186,
      values: [0n, 0n, 1n, (5n << 80n) + 1n, (5n << 80n) + 1n, (6n << 80n) - 1n, ONE],
    },
  ],
  ['cutpoints beside the edges', { kmin: 8189, kmax: 8191, values: [0n, (9n << 80n) - 1n, ONE - 1n, ONE] }],
];

describe('lawTable', () => {
  for (const [name, law] of LAWS) {
    it(`marks exactly the first digits that do not decide: ${name}`, () => {
      const { firstDigit } = lawTable(law);
      const expected = Int16Array.from({ length: 65536 }, (_, digit) => entryByDefinition(law, digit));
      expect(firstDigit).toEqual(expected);
    });
  }

  for (const { sigma, undecidedPatterns } of vectors.vectors) {
    it(`leaves ${undecidedPatterns} first digits open at sigma ${sigma}, as published`, () => {
      const { firstDigit } = lawTable(gaussianCutpoints(sigma));
      expect(firstDigit.filter((entry) => entry > 8191)).toHaveLength(undecidedPatterns);
    });
  }

  it('remembers a frozen law', () => {
    expect(lawTable(gaussianCutpoints(0.25))).toBe(lawTable(gaussianCutpoints(0.25)));
  });

  it('reads a law that can change anew', () => {
    const values = [0n, 2n ** 95n, ONE];
    const law = { kmin: 0, kmax: 1, values };
    expect(lawTable(law).firstDigit[40_000]).toBe(1);
    values[1] = 65_535n << 80n;
    expect(lawTable(law).firstDigit[40_000]).toBe(0);
  });

  const WRONG: readonly [string, Cutpoints][] = [
    ['more than 8191', { kmin: 8192, kmax: 8192, values: [0n, ONE] }],
    ['less than -8191', { kmin: -8192, kmax: -8192, values: [0n, ONE] }],
    ['fractions', { kmin: 0.5, kmax: 0.5, values: [0n, ONE] }],
    ['kmin above kmax', { kmin: 1, kmax: 0, values: [0n] }],
    ['a cutpoint too few', { kmin: 0, kmax: 1, values: [0n, ONE] }],
    ['a cutpoint too many', { kmin: 0, kmax: 0, values: [0n, 1n, ONE] }],
    ['a start above 0', { kmin: 0, kmax: 0, values: [1n, ONE] }],
    ['an end below 2^96', { kmin: 0, kmax: 0, values: [0n, ONE - 1n] }],
    ['a decrease', { kmin: 0, kmax: 2, values: [0n, 2n, 1n, ONE] }],
    ['an impossible kmax', { kmin: 0, kmax: 1, values: [0n, ONE, ONE] }],
  ];
  for (const [name, law] of WRONG) {
    it(`refuses ${name}`, () => {
      expect(() => lawTable(law)).toThrow(NoiseRangeError);
    });
  }
});
