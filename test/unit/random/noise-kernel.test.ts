import { Worker } from 'node:worker_threads';
import { beforeEach, describe, expect, it } from 'vitest';
import { gaussianCutpoints } from '../../../src/random/cutpoints.ts';
import { NoiseKernel, type FillOptions } from '../../../src/random/noise-kernel.ts';
import { NoiseRangeError } from '../../../src/random/noise-range-error.ts';
import { referenceNoise } from '../../../src/random/reference.ts';
import vectors from '../../fixtures/noise/vectors.json' with { type: 'json' };
import { noiseRows } from '../../support/noise-rows.ts';

const STREAM = { key0: 0x12345678, key1: 0x9abcdef0, stream: 0xfedcba98 };
const LAW = gaussianCutpoints(0.25);
const WORD = 2 ** 32;

function image(elements: number): Uint8Array {
  return Uint8Array.from({ length: elements }, (_, i) => (i * 37 + 11) % 256);
}

describe('the published vectors', () => {
  for (const { sigma, draws, row } of vectors.vectors) {
    it(`are what the kernel draws at sigma ${sigma}`, () => {
      const cutpoints = gaussianCutpoints(sigma);
      for (const { key, stream: number, purpose, sample, element, K } of draws) {
        const stream = { key0: key[0]!, key1: key[1]!, stream: number };
        const elements = element + 1;
        const noise = noiseRows({ cutpoints, elements, rows: 1, stream, purpose, firstSample: sample });
        expect(noise[element]).toBe(K);
      }
    });

    it(`hold a whole row at sigma ${sigma}`, () => {
      const stream = { key0: row.key[0]!, key1: row.key[1]!, stream: row.stream };
      const noise = noiseRows({
        cutpoints: gaussianCutpoints(sigma),
        elements: row.K.length,
        rows: 1,
        stream,
        purpose: row.purpose,
        firstSample: row.sample,
      });
      expect([...noise]).toEqual(row.K);
    });
  }
});

describe('a batch', () => {
  const elements = 3 * 37 * 29;

  it('has the same rows however the calls are cut', () => {
    const rows = 12;
    const whole = NoiseKernel.create({ elements, rows });
    const cut = NoiseKernel.create({ elements, rows });
    const common = { image: image(elements), stream: STREAM, purpose: 'estimation' } as const;
    for (const kernel of [whole, cut]) kernel.setLaw(LAW);
    whole.fill({ ...common, row: 0, rows, firstSample: 1000 });
    for (const [row, count] of [
      [7, 5],
      [0, 1],
      [3, 4],
      [1, 2],
    ] as const) {
      cut.fill({ ...common, row, rows: count, firstSample: 1000 + row });
    }
    expect(cut.batch).toEqual(whole.batch);
  });

  it('keeps the rows that a call does not name', () => {
    const kernel = NoiseKernel.create({ elements, rows: 5 });
    kernel.setLaw(LAW);
    kernel.batch.fill(-7);
    kernel.fill({
      row: 2,
      rows: 2,
      image: image(elements),
      stream: STREAM,
      purpose: 'selection',
      firstSample: 0,
    });
    expect(kernel.batch.subarray(0, 2 * elements).every((value) => value === -7)).toBe(true);
    expect(kernel.batch.subarray(4 * elements).every((value) => value === -7)).toBe(true);
    expect(kernel.batch.subarray(2 * elements, 4 * elements).some((value) => value === -7)).toBe(false);
  });

  it('mixes inputs: each row has the noise of its own stream, whatever was written before', () => {
    const kernel = NoiseKernel.create({ elements: 50, rows: 6, output: { kind: 'grid' } });
    kernel.setLaw(LAW);
    for (let row = 0; row < 6; row++) {
      const stream = { ...STREAM, stream: row % 3 };
      kernel.fill({ row, rows: 1, image: image(50), stream, purpose: 'prediction', firstSample: row });
    }
    for (let row = 0; row < 6; row++) {
      const stream = { ...STREAM, stream: row % 3 };
      const expected = [...image(50)].map(
        (x, element) => x + referenceNoise(LAW, stream, 'prediction', row, element),
      );
      expect([...kernel.grid.subarray(row * 50, (row + 1) * 50)]).toEqual(expected);
    }
  });

  it('continues over a wrap of the low word of the sample index', () => {
    const firstSample = 5 * WORD - 3;
    const together = noiseRows({ cutpoints: LAW, elements: 40, rows: 6, stream: STREAM, firstSample });
    for (let row = 0; row < 6; row++) {
      const expected = Array.from({ length: 40 }, (_, element) =>
        referenceNoise(LAW, STREAM, 'estimation', firstSample + row, element),
      );
      expect([...together.subarray(row * 40, (row + 1) * 40)]).toEqual(expected);
    }
  });

  it('ends at the last sample of the scheme', () => {
    const firstSample = 2 ** 48 - 2;
    const noise = noiseRows({
      cutpoints: LAW,
      elements: 9,
      rows: 2,
      stream: STREAM,
      purpose: 255,
      firstSample,
    });
    expect(noise[17]).toBe(referenceNoise(LAW, STREAM, 255, 2 ** 48 - 1, 8));
  });

  it('is one view for ever, over memory that never moves', () => {
    const kernel = NoiseKernel.create({ elements: 10, rows: 2 });
    const { batch } = kernel;
    kernel.setLaw(LAW);
    kernel.fill({ row: 0, rows: 2, image: image(10), stream: STREAM, purpose: 0, firstSample: 0 });
    expect(kernel.batch).toBe(batch);
    expect(batch).toHaveLength(20);
    expect(batch.byteOffset % 64).toBe(0);
    expect(batch.buffer).toBeInstanceOf(ArrayBuffer);
  });

  it('takes the image as it is at the call: a change afterwards shows in the next call only', () => {
    const kernel = NoiseKernel.create({ elements: 10, rows: 2, output: { kind: 'grid' } });
    kernel.setLaw(LAW);
    const pixels = new Uint8Array(10);
    const options = {
      rows: 1,
      image: pixels,
      stream: STREAM,
      purpose: 'estimation',
      firstSample: 3,
    } as const;
    kernel.fill({ ...options, row: 0 });
    pixels.fill(100);
    kernel.fill({ ...options, row: 1 });
    for (let i = 0; i < 10; i++) expect(kernel.grid[10 + i]! - kernel.grid[i]!).toBe(100);
  });
});

describe('the law', () => {
  it('holds until the next one, and can be set back', () => {
    const kernel = NoiseKernel.create({ elements: 500, rows: 1, output: { kind: 'grid' } });
    const seen: number[][] = [];
    for (const sigma of [0.25, 1, 0.25]) {
      kernel.setLaw(gaussianCutpoints(sigma));
      kernel.fill({
        row: 0,
        rows: 1,
        image: image(500),
        stream: STREAM,
        purpose: 'estimation',
        firstSample: 7,
      });
      seen.push([...kernel.grid]);
    }
    expect(seen[2]).toEqual(seen[0]);
    expect(seen[1]).not.toEqual(seen[0]);
  });

  it('may be any list of cutpoints, say of uniform noise', () => {
    const values = Array.from({ length: 102 }, (_, i) => (2n ** 96n * BigInt(i)) / 101n);
    const cutpoints = { kmin: -50, kmax: 50, values };
    const noise = noiseRows({ cutpoints, elements: 1000, rows: 1, stream: STREAM });
    const expected = Array.from({ length: 1000 }, (_, element) =>
      referenceNoise(cutpoints, STREAM, 'estimation', 0, element),
    );
    expect([...noise]).toEqual(expected);
  });
});

describe('a thread', () => {
  it('can have a kernel of its own: nothing but globals is used', async () => {
    // the sources as Node loads them after the build; vitest's transformation does not reach into threads
    const module = new URL('../../../dist/random/noise-kernel.js', import.meta.url).href;
    const laws = new URL('../../../dist/random/cutpoints.js', import.meta.url).href;
    const code = `
      const { parentPort } = require('node:worker_threads');
      (async () => {
        const { NoiseKernel } = await import('${module}');
        const { gaussianCutpoints } = await import('${laws}');
        const kernel = NoiseKernel.create({ elements: 30, rows: 1, output: { kind: 'grid' } });
        kernel.setLaw(gaussianCutpoints(0.25));
        const stream = { key0: ${STREAM.key0}, key1: ${STREAM.key1}, stream: ${STREAM.stream} };
        const image = new Uint8Array(30);
        kernel.fill({ row: 0, rows: 1, image, stream, purpose: 'estimation', firstSample: 0 });
        parentPort.postMessage([...kernel.grid]);
      })();`;
    const worker = new Worker(code, { eval: true });
    const noise = await new Promise((resolve, reject) => {
      worker.once('message', resolve).once('error', reject);
    });
    await worker.terminate();
    expect(noise).toEqual([...noiseRows({ cutpoints: LAW, elements: 30, rows: 1, stream: STREAM })]);
  });
});

describe('refusals', () => {
  let kernel: NoiseKernel;
  const good: FillOptions = {
    row: 0,
    rows: 2,
    image: image(10),
    stream: STREAM,
    purpose: 'estimation',
    firstSample: 0,
  };

  beforeEach(() => {
    kernel = NoiseKernel.create({ elements: 10, rows: 4 });
    kernel.setLaw(LAW);
    kernel.batch.fill(5);
  });

  const WRONG: readonly [string, Partial<Record<keyof FillOptions, unknown>>][] = [
    ['a row below 0', { row: -1 }],
    ['a row beyond the batch', { row: 4 }],
    ['a fraction of a row', { row: 0.5 }],
    ['no rows', { rows: 0 }],
    ['rows that leave the batch', { row: 3, rows: 2 }],
    ['a negative sample', { firstSample: -1 }],
    ['a fractional sample', { firstSample: 0.5 }],
    ['samples that leave the scheme', { firstSample: 2 ** 48 - 1 }],
    ['NaN', { firstSample: NaN }],
    ['a smaller image', { image: image(9) }],
    ['a larger image', { image: image(11) }],
    ['an image of floats', { image: new Float32Array(10) }],
    ['no image', { image: undefined }],
    ['an unknown purpose', { purpose: 'training' }],
    ['a purpose above 255', { purpose: 256 }],
    ['a key above 32 bits', { stream: { ...STREAM, key0: WORD } }],
    ['a negative key', { stream: { ...STREAM, key1: -1 } }],
    ['a fractional stream', { stream: { ...STREAM, stream: 0.5 } }],
  ];
  for (const [name, change] of WRONG) {
    it(`meet ${name}, and nothing is written`, () => {
      expect(() => kernel.fill({ ...good, ...(change as Partial<FillOptions>) })).toThrow(NoiseRangeError);
      expect(kernel.batch.every((value) => value === 5)).toBe(true);
    });
  }

  it('meet a fill before any law', () => {
    const fresh = NoiseKernel.create({ elements: 10, rows: 4 });
    expect(() => fresh.fill(good)).toThrow('law must be set before the first fill');
  });

  it('meet a law that is none; the law before stays', () => {
    expect(() => kernel.setLaw({ kmin: 0, kmax: 0, values: [0n, 1n] })).toThrow(NoiseRangeError);
    kernel.fill(good);
    expect(kernel.batch[0]).not.toBe(5);
  });

  it('meet sizes beyond the limits before memory is asked for', () => {
    for (const elements of [0, -1, 1.5, NaN, 2 ** 22 + 1]) {
      expect(() => NoiseKernel.create({ elements, rows: 1 })).toThrow(/^elements must be an integer/);
    }
    for (const rows of [0, 1.5, 2 ** 31]) {
      expect(() => NoiseKernel.create({ elements: 10, rows })).toThrow(/^rows must be an integer/);
    }
    expect(() => NoiseKernel.create({ elements: 2 ** 22, rows: 129 })).toThrow(
      'rows must be an integer from 1 to 128; got 129',
    );
  });

  it('name the parameter, for whoever shows the fault', () => {
    let caught: unknown;
    try {
      kernel.fill({ ...good, rows: 5 });
    } catch (error) {
      caught = error;
    }
    expect(caught).toMatchObject({
      name: 'NoiseRangeError',
      parameter: 'rows',
      allowed: 'an integer from 1 to 4',
    });
    expect(caught).toBeInstanceOf(RangeError);
  });
});
