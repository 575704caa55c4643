import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chunkSize, chunkWindow, type HostSpeed } from '../../../src/jobs/chunk-size.ts';

const hosts = (speeds: readonly number[], rows = 1): HostSpeed[] =>
  speeds.map((samplesPerSecond) => ({ samplesPerSecond, rows }));

describe('chunkSize', () => {
  it('is a second of work of a host, in a long round', () => {
    const size = chunkSize(10_000_000, hosts([2_000, 2_500]));
    expect(size).toBeLessThanOrEqual(2_250);
    expect(size).toBeGreaterThan(2_240);
  });

  it('is no more than a second and a half of the slowest host', () => {
    expect(chunkSize(10_000_000, hosts([1_000, 3_000]))).toBe(1_500);
  });

  it('gives every host the same number of chunks', () => {
    // 401 chunks of a second would take seven turns of 64, the last of them for 17 hosts.
    const size = chunkSize(1_001_000, hosts(Array.from<number>({ length: 64 }).fill(2_500)));
    expect(Math.ceil(1_001_000 / size) % 64).toBe(0);
    expect(size / 2_500).toBeGreaterThan(0.8);
    expect(size / 2_500).toBeLessThanOrEqual(1);
  });

  it('lets hosts finish a short round together: two chunks each', () => {
    expect(chunkSize(4_000, hosts([4_000, 4_000]))).toBe(1_000);
    expect(chunkSize(100_000, hosts([100_000]))).toBe(50_000);
  });

  it('is at least a quarter of a second of work, however short the round', () => {
    expect(chunkSize(10, hosts([1_000]))).toBe(250);
    expect(chunkSize(1_000, hosts(Array.from<number>({ length: 10 }).fill(4_000)))).toBe(1_000);
  });

  it('is whole batches on every lane: a slow network is not run on half a batch', () => {
    // Five samples a second on two lanes with batches of eight.
    expect(chunkSize(1_000, hosts([5], 16))).toBe(16);
    expect(chunkSize(10_000_000, hosts([40_000], 128)) % 128).toBe(0);
    expect(chunkSize(10_000_000, [...hosts([40_000], 128), ...hosts([40_000], 96)]) % 96).toBe(0);
  });

  it('is a fixed size while no host has told its speed', () => {
    expect(chunkSize(1_000_000, [])).toBe(4_096);
    expect(chunkSize(1, [])).toBe(4_096);
  });

  it('is a positive integer, for any speeds, and at most 100,000 chunks', () => {
    const host = fc.record({
      samplesPerSecond: fc.double({ min: 0, max: 1e7, noNaN: true }),
      rows: fc.integer({ min: 1, max: 4_096 }),
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e11 }), fc.array(host, { maxLength: 9 }), (total, hosts) => {
        const size = chunkSize(total, hosts);
        expect(Number.isInteger(size) && size >= 1).toBe(true);
        expect(Math.ceil(total / size)).toBeLessThanOrEqual(100_000);
      }),
      { seed: 3, numRuns: 300 },
    );
  });
});

describe('chunkWindow', () => {
  it('is what all hosts can hold, two each, and two that wait; never less than for one host', () => {
    expect([0, 1, 2, 64].map(chunkWindow)).toEqual([4, 4, 6, 130]);
  });

  it('draws for a thousand inputs at most, however fast they are drawn', () => {
    const fast = [{ samplesPerSecond: 1e6, rows: 64 }];
    expect(chunkSize(400_000, fast, 4)).toBe(4_000);
    expect(chunkSize(4e9, fast, 4)).toBe(40_000);
    expect(chunkSize(400_000, fast, 100_000)).toBe(chunkSize(400_000, fast));
  });
});
