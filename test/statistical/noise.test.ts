import { describe, expect, it } from 'vitest';
import { gaussianCutpoints, type Cutpoints } from '../../src/random/cutpoints.ts';
import { deriveNoiseStream, type NoiseStream } from '../../src/random/noise-stream.ts';
import known from '../fixtures/noise/chi-squared.json' with { type: 'json' };
import { chiSquaredTail } from '../support/chi-squared.ts';
import { noiseRows } from '../support/noise-rows.ts';
import { correlationPValue, fitPValue, independencePValue } from '../support/noise-statistics.ts';

/**
 * Every test below compares a p-value with this: if the noise were perfect, a test would fail for one choice of
 * streams in 10⁹. The streams are fixed, so a result repeats; should one fail, the noise is wrong.
 */
const FALSE_ALARM = 1e-9;

const LAW = gaussianCutpoints(0.25);
const STREAM: NoiseStream = { key0: 0x00c0ffee, key1: 0x5eed5eed, stream: 7 };
const ELEMENTS = 2 ** 14;
const ROWS = 2 ** 8;
const WORD = 2 ** 32;

interface Draw {
  cutpoints?: Cutpoints;
  stream?: NoiseStream;
  purpose?: number;
  firstSample?: number;
  elements?: number;
  rows?: number;
}

function draw(options: Draw = {}): Int16Array {
  return noiseRows({
    cutpoints: LAW,
    stream: STREAM,
    elements: ELEMENTS,
    rows: ROWS,
    purpose: 1,
    ...options,
  });
}

function expectIndependent(a: Int16Array, b: Int16Array): void {
  expect(correlationPValue(LAW, a, b)).toBeGreaterThan(FALSE_ALARM);
  expect(independencePValue(LAW, a, b)).toBeGreaterThan(FALSE_ALARM);
}

describe('the χ² tail that these tests rely on', () => {
  it('agrees with mpmath', () => {
    for (const { degrees, statistic, probability } of known.tails) {
      const error = Math.abs(chiSquaredTail(statistic, degrees) / probability - 1);
      expect(error).toBeLessThan(1e-9);
    }
  });
});

describe('the frequencies of the noise', () => {
  for (const sigma of [0.01, 0.12, 0.25, 0.5, 1, 2.84]) {
    it(`are those of the exact law at sigma ${sigma}, over 2^24 draws`, () => {
      const cutpoints = gaussianCutpoints(sigma);
      expect(fitPValue(cutpoints, draw({ cutpoints, rows: 4 * ROWS }))).toBeGreaterThan(FALSE_ALARM);
    });
  }

  it('are exact beyond the first digit: a law whose 64 cells all lie in one of its 65,536 values', () => {
    // 2²⁵ draws, of which 512 are expected in the cells
    const start = 0x8000n << 80n;
    const values = [0n, ...Array.from({ length: 65 }, (_, i) => start + (BigInt(i) << 74n)), 2n ** 96n];
    const cutpoints = { kmin: -1, kmax: 64, values };
    const noise = draw({ cutpoints, rows: 8 * ROWS });
    const inside = noise.filter((k) => k >= 0 && k < 64);
    const uniform = {
      kmin: 0,
      kmax: 3,
      values: [0n, 1n, 2n, 3n, 4n].map((quarter) => quarter << 94n),
    };
    expect(
      fitPValue(
        uniform,
        inside.map((k) => k >> 4),
      ),
    ).toBeGreaterThan(FALSE_ALARM);
    // Poisson of mean 512 leaves [362, 682] with probability below 1e-9
    expect(inside.length).toBeGreaterThan(362);
    expect(inside.length).toBeLessThan(682);
  });

  it('are those of the law at every place of a block, and at every residue of 32 elements', () => {
    const noise = draw();
    for (let place = 0; place < 32; place++) {
      const there = Int16Array.from({ length: noise.length / 32 }, (_, i) => noise[32 * i + place]!);
      expect(fitPValue(LAW, there)).toBeGreaterThan(FALSE_ALARM);
    }
  });

  it('would show a sigma that is wrong by one part in a hundred', () => {
    const noise = draw({ cutpoints: gaussianCutpoints(0.2525) });
    const inRange = noise.filter((k) => Math.abs(k) <= LAW.kmax);
    expect(fitPValue(LAW, inRange)).toBeLessThan(FALSE_ALARM);
  });
});

describe('neighbours', () => {
  const noise = draw();

  // rows follow each other, so some pairs join the end of a row and the start of the next; they are independent too
  for (const lag of [1, 2, 3, 4, 5, 6, 7, 8, 16, 32, 64, 2048]) {
    it(`are independent: elements ${lag} apart`, () => {
      expectIndependent(noise.subarray(0, noise.length - lag), noise.subarray(lag));
    });
  }

  for (const lag of [1, 2, 3, 64, 128]) {
    it(`are independent: samples ${lag} apart`, () => {
      expectIndependent(noise.subarray(0, noise.length - lag * ELEMENTS), noise.subarray(lag * ELEMENTS));
    });
  }

  it('are independent along a diagonal: the next element of the next sample', () => {
    expectIndependent(noise.subarray(0, noise.length - ELEMENTS - 8), noise.subarray(ELEMENTS + 8));
  });
});

describe('what differs in one part of the counter or key', () => {
  const base = draw();
  const OTHERS: readonly [string, Draw][] = [
    ['selection against estimation', { purpose: 0 }],
    ['prediction against estimation', { purpose: 2 }],
    ['samples 2^32 apart', { firstSample: WORD }],
    ['samples 2^47 apart', { firstSample: 2 ** 47 }],
    ['the next stream', { stream: { ...STREAM, stream: 8 } }],
    ['a stream with another top bit', { stream: { ...STREAM, stream: 0x80000007 } }],
    ['one bit of the first key', { stream: { ...STREAM, key0: STREAM.key0 + 1 } }],
    ['one bit of the second key', { stream: { ...STREAM, key1: STREAM.key1 - 1 } }],
    ['the keys exchanged', { stream: { ...STREAM, key0: STREAM.key1, key1: STREAM.key0 } }],
  ];
  for (const [name, options] of OTHERS) {
    it(`is independent: ${name}`, () => {
      expectIndependent(base, draw(options));
    });
  }

  it('is independent: two inputs of a job, and one input of two jobs', async () => {
    const seed = new Uint8Array(32).fill(17);
    const digest = new Uint8Array(32).fill(34);
    const first = draw({ stream: await deriveNoiseStream(seed, digest, 0) });
    expectIndependent(first, draw({ stream: await deriveNoiseStream(seed, digest, 1) }));
    expectIndependent(first, draw({ stream: await deriveNoiseStream(seed.with(0, 16), digest, 0) }));
    expectIndependent(first, draw({ stream: await deriveNoiseStream(seed, digest.with(31, 35), 0) }));
  });
});

describe('these tests', () => {
  it('would show one reused value in a hundred', () => {
    const a = draw();
    const b = draw({ purpose: 2 }).map((k, at) => (at % 100 === 0 ? a[at]! : k));
    expect(correlationPValue(LAW, a, b)).toBeLessThan(FALSE_ALARM);
  });

  it('would show dependence without correlation: equal sizes, independent signs', () => {
    const a = draw();
    const b = a.map((k, at) => (at % 2 === 0 ? k : -k));
    expect(correlationPValue(LAW, a, b)).toBeGreaterThan(FALSE_ALARM);
    expect(independencePValue(LAW, a, b)).toBeLessThan(FALSE_ALARM);
  });
});
