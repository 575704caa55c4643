import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chunkSize, type InputDraws, packChunks } from '../../../src/jobs/plan.ts';

const draw = fc.record({
  purpose: fc.constantFrom('selection', 'estimation', 'prediction'),
  firstSample: fc.integer({ min: 0, max: 2 ** 40 }),
  count: fc.integer({ min: 0, max: 300 }),
});
const asked: fc.Arbitrary<InputDraws[]> = fc
  .array(fc.array(draw, { maxLength: 3 }), { maxLength: 8 })
  .map((inputs) => inputs.map((draws, input) => ({ input, draws })));

describe('packChunks', () => {
  it('tiles the draws: every sample in exactly one segment of one chunk, in order', () => {
    fc.assert(
      fc.property(asked, fc.integer({ min: 1, max: 500 }), (asked, chunkSamples) => {
        const segments = packChunks(asked, chunkSamples).flat();
        for (const { input, draws } of asked) {
          const own = segments.filter((segment) => segment.input === input);
          for (const { purpose, firstSample, count } of draws) {
            let next = firstSample;
            while (next < firstSample + count) {
              const segment = own.shift()!;
              expect(segment).toMatchObject({ input, purpose, firstSample: next });
              next += segment.count;
            }
            expect(next).toBe(firstSample + count);
          }
          expect(own).toEqual([]);
        }
        expect(segments.every(({ count }) => count > 0)).toBe(true);
        const inputs = segments.map(({ input }) => input);
        expect(inputs).toEqual(inputs.toSorted((a, b) => a - b));
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it('fills every chunk but the last', () => {
    fc.assert(
      fc.property(asked, fc.integer({ min: 1, max: 500 }), (asked, chunkSamples) => {
        const sizes = packChunks(asked, chunkSamples).map((chunk) =>
          chunk.reduce((sum, { count }) => sum + count, 0),
        );
        const last = sizes.pop() ?? 1;
        expect(sizes.every((size) => size === chunkSamples)).toBe(true);
        expect(last).toBeGreaterThan(0);
        expect(last).toBeLessThanOrEqual(chunkSamples);
      }),
      { seed: 2, numRuns: 300 },
    );
  });

  it('makes none of nothing', () => {
    expect(packChunks([], 10)).toEqual([]);
    expect(packChunks([{ input: 0, draws: [] }], 10)).toEqual([]);
  });

  it('refuses a size that would never end', () => {
    for (const size of [0, -1, 0.5, NaN, Infinity])
      expect(() => packChunks([], size)).toThrow(`chunkSamples must be a positive integer, not ${size}`);
  });
});

describe('chunkSize', () => {
  it('is three seconds of work of a device, in a long round', () => {
    const size = chunkSize(10_000_000, [2_000, 2_500]);
    expect(size).toBeLessThanOrEqual(6_750);
    expect(size).toBeGreaterThan(6_700);
  });

  it('is no more than four seconds of the slowest device', () => {
    expect(chunkSize(10_000_000, [1_000, 3_000])).toBe(4_000);
  });

  it('gives every device the same number of chunks', () => {
    const devices = Array.from<number>({ length: 64 }).fill(2_500);
    // 134 chunks of three seconds would take three turns of 64, the last of them for six devices.
    const size = chunkSize(1_001_000, devices);
    expect(Math.ceil(1_001_000 / size) % 64).toBe(0);
    expect(size / 2_500).toBeGreaterThan(2);
    expect(size / 2_500).toBeLessThanOrEqual(3);
  });

  it('lets devices finish a short round together: two chunks each', () => {
    expect(chunkSize(8_000, [4_000, 4_000])).toBe(2_000);
    expect(chunkSize(100_000, [100_000])).toBe(50_000);
  });

  it('is at least a quarter of a second of work, however short the round', () => {
    expect(chunkSize(10, [1_000])).toBe(250);
    expect(chunkSize(1_000, Array.from<number>({ length: 10 }).fill(4_000))).toBe(1_000);
  });

  it('is a fixed size while no device has told its speed', () => {
    expect(chunkSize(1_000_000, [])).toBe(4_096);
    expect(chunkSize(1, [])).toBe(4_096);
  });

  it('is a positive integer that packChunks takes, for any speeds, and at most 10,000 chunks', () => {
    const speed = fc.double({ min: 0, max: 1e7, noNaN: true });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000_000_000 }),
        fc.array(speed, { maxLength: 9 }),
        (total, speeds) => {
          const size = chunkSize(total, speeds);
          expect(Number.isInteger(size) && size >= 1).toBe(true);
          expect(Math.ceil(total / size)).toBeLessThanOrEqual(10_000);
        },
      ),
      { seed: 3, numRuns: 300 },
    );
  });
});
