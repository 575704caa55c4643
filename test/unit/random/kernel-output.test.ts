import { describe, expect, it } from 'vitest';
import { type Cutpoints } from '../../../src/random/cutpoints.ts';
import { NoiseKernel, type KernelOutput } from '../../../src/random/noise-kernel.ts';
import { NoiseRangeError } from '../../../src/random/noise-range-error.ts';

const STREAM = { key0: 1, key1: 2, stream: 3 };

/** The law that always gives k, so that x + k runs through any range. */
function constantly(k: number): Cutpoints {
  return { kmin: k, kmax: k, values: [0n, 2n ** 96n] };
}

/** Outputs for every pixel value and K = k. */
function outputsFor(kernel: NoiseKernel, k: number, image: Uint8Array): Float32Array {
  kernel.setLaw(constantly(k));
  kernel.fill({ row: 0, rows: 1, image, stream: STREAM, purpose: 'estimation', firstSample: 0 });
  return kernel.batch;
}

describe('output unit', () => {
  // 264 elements go through the vector code alone, 7 through the scalar code alone
  for (const [elements, step] of [
    [264, 250],
    [7, 7],
  ] as const) {
    it(`is the float32 nearest to i/255 for every i that can arise, in images of ${elements} elements`, () => {
      const seen = new Uint8Array(8191 + 8191 + 256);
      const kernel = NoiseKernel.create({ elements, rows: 1 });
      const check = (image: Uint8Array, k: number): void => {
        const outputs = outputsFor(kernel, k, image);
        const expected = Float32Array.from(image, (pixel) => (pixel + k) / 255);
        expect(outputs).toEqual(expected);
        for (const pixel of image) seen[pixel + k + 8191] = 1;
      };
      const dark = Uint8Array.from({ length: elements }, (_, e) => e % 256);
      for (let k = -8191; k <= 8191; k += step) check(dark, k);
      for (let pixel = 0; pixel <= 255; pixel += 7) {
        check(
          dark.map((offset) => Math.min(255, pixel + (offset % 7))),
          8191,
        );
      }
      expect(seen.every((mark) => mark === 1)).toBe(true); // every i from −8191 to 8446
    });
  }

  it('is an even function of i, so -8446 to -8192 are exact too', () => {
    // no pixel is negative, so i below -8191 cannot arise; its formula is that of -i, as float products keep the sign
    const main = 257 / 65536;
    const rest = Math.fround(1 / 255 - main);
    for (let i = 0; i <= 8446; i++) {
      const formula = (n: number): number => Math.fround(Math.fround(n * main) + Math.fround(n * rest));
      expect(formula(i)).toBe(Math.fround(i / 255));
      expect(formula(-i)).toBe(-Math.fround(i / 255));
    }
  });
});

describe('output affine', () => {
  // ImageNet's mean and std, as torchvision documents them
  const mean = [0.485, 0.456, 0.406];
  const std = [0.229, 0.224, 0.225];
  const scale = std.map((value) => 1 / (255 * value));
  const offset = std.map((value, c) => -mean[c]! / value);

  /** The definition, one rounding at a time. */
  function affine(i: number, channel: number): number {
    const product = Math.fround(i * Math.fround(scale[channel]!));
    return Math.fround(product + Math.fround(offset[channel]!));
  }

  const LAYOUTS = {
    planar: (element: number, pixels: number): number => Math.floor(element / pixels),
    interleaved: (element: number): number => element % 3,
  };
  for (const pixels of [1, 7, 64, 683, 1366, 4099]) {
    for (const [channelStride, channelOf] of Object.entries(LAYOUTS)) {
      it(`is scale and offset of the channel in two roundings: ${channelStride}, ${pixels} pixels`, () => {
        const elements = 3 * pixels;
        const output = { kind: 'affine', scale, offset, channelStride } as KernelOutput;
        const kernel = NoiseKernel.create({ elements, rows: 2, output });
        const grid = NoiseKernel.create({ elements, rows: 2, output: { kind: 'grid' } });
        const image = Uint8Array.from({ length: elements }, (_, e) => (e * 91) % 256);
        const values = [0n, 2n ** 93n, 2n ** 94n, 2n ** 95n, 2n ** 96n];
        for (const each of [kernel, grid]) {
          each.setLaw({ kmin: -2, kmax: 1, values });
          each.fill({ row: 0, rows: 2, image, stream: STREAM, purpose: 'estimation', firstSample: 9 });
        }
        const expected = Float32Array.from({ length: 2 * elements }, (_, at) =>
          affine(grid.grid[at]!, channelOf(at % elements, pixels)),
        );
        expect(kernel.batch).toEqual(expected);
      });
    }
  }

  it('takes one channel, and many', () => {
    for (const channels of [1, 5, 1024]) {
      const scales = Array.from({ length: channels }, (_, c) => c + 1);
      const offsets = Array.from({ length: channels }, (_, c) => -c);
      for (const channelStride of ['planar', 'interleaved'] as const) {
        const elements = channels * 3;
        const output = { kind: 'affine', scale: scales, offset: offsets, channelStride } as const;
        const kernel = NoiseKernel.create({ elements, rows: 1, output });
        const outputs = outputsFor(kernel, 100, new Uint8Array(elements).fill(23));
        const channelOf = (e: number): number =>
          channelStride === 'planar' ? Math.floor(e / 3) : e % channels;
        expect([...outputs]).toEqual(
          Array.from({ length: elements }, (_, e) => 123 * scales[channelOf(e)]! + offsets[channelOf(e)]!),
        );
      }
    }
  });

  const base = { kind: 'affine', scale, offset, channelStride: 'planar' } as const;
  const WRONG: readonly [string, number, KernelOutput][] = [
    ['elements that are no multiple of the channels', 3073, base],
    ['offsets of another number', 3072, { ...base, offset: [0] }],
    ['no channels', 3072, { ...base, scale: [], offset: [] }],
    ['more than 1024 channels', 2050, { ...base, scale: Array(1025).fill(1), offset: Array(1025).fill(0) }],
    ['a scale that is not a number', 3072, { ...base, scale: [1, NaN, 1] }],
    ['an offset beyond float32', 3072, { ...base, offset: [0, 0, 1e39] }],
  ];
  for (const [name, elements, output] of WRONG) {
    it(`refuses ${name}`, () => {
      expect(() => NoiseKernel.create({ elements, rows: 1, output })).toThrow(NoiseRangeError);
    });
  }
});

describe('output grid', () => {
  it('is pixel plus noise as int16', () => {
    const kernel = NoiseKernel.create({ elements: 21, rows: 1, output: { kind: 'grid' } });
    for (const k of [-8191, -1, 0, 8191]) {
      kernel.setLaw(constantly(k));
      const image = Uint8Array.from({ length: 21 }, (_, i) => 255 - i);
      kernel.fill({ row: 0, rows: 1, image, stream: STREAM, purpose: 'estimation', firstSample: 0 });
      expect([...kernel.grid]).toEqual(Array.from(image, (x) => x + k));
    }
  });

  it('is not offered as a float batch, nor a float batch as a grid', () => {
    const grid = NoiseKernel.create({ elements: 1, rows: 1, output: { kind: 'grid' } });
    const unit = NoiseKernel.create({ elements: 1, rows: 1 });
    expect(() => grid.batch).toThrow(TypeError);
    expect(() => unit.grid).toThrow(TypeError);
  });
});
