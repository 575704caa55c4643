import { describe, expect, it } from 'vitest';
import { gaussianCutpoints, type Cutpoints } from '../../../src/random/cutpoints.ts';
import { NoiseKernel } from '../../../src/random/noise-kernel.ts';
import { noiseOfDraw, referenceDraw } from '../../../src/random/reference.ts';

const STREAM = { key0: 0xdeadbeef, key1: 0x01234567, stream: 0x89abcdef };
const ONE = 2n ** 96n;
const LOW = 2n ** 64n;

/** A law whose inner cutpoints are the given ones. */
function lawOf(inner: readonly bigint[]): Cutpoints {
  const sorted = inner.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const kmin = -Math.floor(sorted.length / 2);
  return { kmin, kmax: kmin + sorted.length, values: [0n, ...sorted, ONE] };
}

function kernelFor(law: Cutpoints, elements: number): NoiseKernel {
  const kernel = NoiseKernel.create({ elements, rows: 1, output: { kind: 'grid' } });
  kernel.setLaw(law);
  return kernel;
}

function fill(kernel: NoiseKernel, sample: number, stream = STREAM): Int16Array {
  const image = new Uint8Array(kernel.elements);
  kernel.fill({ row: 0, rows: 1, image, stream, purpose: 'selection', firstSample: sample });
  return kernel.grid;
}

describe('draws that agree with a cutpoint in their top 32 bits', () => {
  const elements = 3001;
  const draws = Array.from({ length: elements }, (_, element) =>
    referenceDraw(STREAM, 'selection', 42, element),
  );

  /** Cutpoints around a draw, chosen so that each decision depends on the last 64 bits. */
  const AROUND: readonly [string, (draw: bigint) => readonly bigint[]][] = [
    ['the draw itself', (draw) => [draw]],
    ['one more', (draw) => [draw + 1n]],
    ['one less', (draw) => [draw - 1n]],
    ['both neighbours', (draw) => [draw - 1n, draw + 1n]],
    ['three times the draw', (draw) => [draw, draw, draw]],
    ['the ends of the 32-bit pattern', (draw) => [(draw / LOW) * LOW, (draw / LOW) * LOW + LOW - 1n]],
    [
      'a middle of the remaining bits',
      (draw) => [(draw / LOW) * LOW + LOW / 2n, draw - (draw % 2n ** 32n), draw + 2n ** 31n],
    ],
  ];
  for (const [name, around] of AROUND) {
    it(`are decided by all 96 bits: ${name}`, () => {
      const law = lawOf(draws.flatMap(around).filter((cutpoint) => cutpoint > 0n && cutpoint < ONE));
      const kernel = kernelFor(law, elements);
      expect([...fill(kernel, 42)]).toEqual(draws.map((draw) => noiseOfDraw(law, draw)));
      expect(kernel.deepDraws).toBeGreaterThanOrEqual(elements);
    });
  }

  it('are decided alike when every element of every block is undecided', () => {
    const law = lawOf(draws.flatMap((draw) => [draw - 2n, draw - 1n, draw, draw + 1n, draw + 2n]));
    const kernel = kernelFor(law, elements);
    // another sample: some are deep by chance at most, all are undecided where a cutpoint lies in each 16-bit pattern
    for (const sample of [42, 43]) {
      const expected = Array.from({ length: elements }, (_, element) =>
        noiseOfDraw(law, referenceDraw(STREAM, 'selection', sample, element)),
      );
      expect([...fill(kernel, sample)]).toEqual(expected);
    }
  });
});

describe('draws at the ends of the range', () => {
  // found by searching 4 · 10⁹ draws: the first 32 bits of these two are all ones and all zeros
  const ZERO_STREAM = { key0: 0, key1: 0, stream: 0 };
  const ENDS = [
    { name: 'ones', sample: 413, element: 148_819, top: 0xffffffffn },
    { name: 'zeros', sample: 111, element: 586_607, top: 0n },
  ];
  for (const { name, sample, element, top } of ENDS) {
    it(`that begin with 32 ${name} are decided by all 96 bits`, () => {
      const draw = referenceDraw(ZERO_STREAM, 'selection', sample, element);
      expect(draw >> 64n).toBe(top);
      const laws = [
        gaussianCutpoints(0.12),
        gaussianCutpoints(1),
        lawOf([draw]),
        lawOf([draw + 1n]),
        lawOf([draw - 1n, draw, draw, draw + 1n]),
        lawOf([ONE / 2n]),
      ];
      const kernel = kernelFor(laws[0]!, element + 1);
      for (const law of laws) {
        kernel.setLaw(law);
        expect(fill(kernel, sample, ZERO_STREAM)[element]).toBe(noiseOfDraw(law, draw));
      }
    });
  }
});

describe('the rarest path', () => {
  it('is as rare as cutpoints among 2^32 patterns make it', () => {
    const kernel = kernelFor(gaussianCutpoints(0.25), 2 ** 22);
    for (let sample = 0; sample < 64; sample++) fill(kernel, sample);
    // 2²⁸ draws of probability 1442 / 2³² each: Poisson of mean 90; [30, 170] is left with probability below 1e-12
    expect(kernel.deepDraws).toBeGreaterThanOrEqual(30);
    expect(kernel.deepDraws).toBeLessThanOrEqual(170);
  });
});
