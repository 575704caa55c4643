import { describe, expect, it } from 'vitest';
import type { Classifier } from '../../../src/engines/classifier.ts';
import { DomainError } from '../../../src/errors.ts';
import { NonFiniteScoreError } from '../../../src/engines/non-finite-score-error.ts';
import { measureBatchSize } from '../../../src/host/batch-size.ts';

/** A session whose calls take the milliseconds that `cost` says of the rows, on a clock of its own. */
function timed(cost: (rows: number) => number, fixedBatch: number | null = null) {
  let now = 0;
  const tried: number[] = [];
  const session: Classifier = {
    description: { name: 'timed', version: '1', provider: 'none', precision: 'fp32' },
    fixedBatch,
    aligned: false,
    agrees: async () => true,
    async classify(batch, rows, classes) {
      if (batch.length < rows || classes.length < rows) throw new RangeError('too short');
      tried.push(rows);
      now += cost(rows);
    },
    close: async () => undefined,
  };
  return { session, clock: () => now, sizes: () => [...new Set(tried)] };
}

describe('measureBatchSize', () => {
  it('finds the size that classifies most rows a second', async () => {
    // 1 ms a call and 0.1 ms a row up to 64 rows; from there on a row costs four times as much.
    const { session, clock } = timed((rows) => 1 + 0.1 * Math.min(rows, 64) + 0.4 * Math.max(0, rows - 64));
    const { batchSize, samplesPerSecond } = await measureBatchSize(session, 10, clock);
    expect(batchSize).toBe(64);
    expect(samplesPerSecond).toBeCloseTo(64_000 / 7.4, 6);
  });

  it('takes the only size that a model of one batch size has', async () => {
    const { session, clock, sizes } = timed((rows) => rows, 5);
    expect(await measureBatchSize(session, 10, clock)).toEqual({ batchSize: 5, samplesPerSecond: 1_000 });
    expect(sizes()).toEqual([5]);
  });

  it('takes no batch that an abort would have to wait for long, where a smaller one is as fast', async () => {
    // 2 ms a row whatever the batch: 32 rows are 64 ms, 64 rows are 128 ms.
    const { session, clock } = timed((rows) => 2 * rows);
    expect((await measureBatchSize(session, 10, clock)).batchSize).toBe(32);
  });

  it('takes even a long batch where every one is long', async () => {
    const { session, clock } = timed((rows) => 500 * rows);
    expect((await measureBatchSize(session, 10, clock)).batchSize).toBe(1);
  });

  it('stops growing once it is hopeless', async () => {
    const { session, clock, sizes } = timed((rows) => rows * rows);
    expect((await measureBatchSize(session, 10, clock)).batchSize).toBe(1);
    expect(sizes()).toEqual([1, 2, 4]);
  });

  it('keeps batches within 64 MiB, and tries single rows in any case', async () => {
    const medium = timed(() => 1);
    expect((await measureBatchSize(medium.session, 2 ** 20, medium.clock)).batchSize).toBe(16);
    const large = timed(() => 1);
    expect((await measureBatchSize(large.session, 2 ** 24 + 1, large.clock)).batchSize).toBe(1);
    expect(large.sizes()).toEqual([1]);
  });

  it('goes no further than to where a batch rounds otherwise than small ones: votes must not depend on what is measured', async () => {
    const { session, clock, sizes } = timed((rows) => 5 + 0.1 * rows);
    const rounding = { ...session, agrees: async (rows: number) => rows <= 32 };
    expect((await measureBatchSize(rounding, 10, clock)).batchSize).toBe(32);
    expect(sizes()).toEqual([1, 2, 4, 8, 16, 32]);
  });

  it('passes on what a session throws', async () => {
    const { session, clock } = timed(() => 1);
    const broken = { ...session, classify: () => Promise.reject(new Error('NaN')) };
    await expect(measureBatchSize(broken, 10, clock)).rejects.toThrow('NaN');
  });

  it('goes on to thousands of rows on a GPU where that pays', async () => {
    // 5 ms a call and 2 microseconds a row: 4,096 rows take 13.2 ms, and every doubling up to there gains.
    const { session, clock } = timed((rows) => 5 + 0.002 * rows);
    const { batchSize } = await measureBatchSize(session, 784, clock, 'cuda');
    expect(batchSize).toBe(16_384);
    const onCpu = timed((rows) => 5 + 0.002 * rows);
    expect((await measureBatchSize(onCpu.session, 784, onCpu.clock)).batchSize).toBe(256);
  });

  it('keeps batches of a GPU within 512 MiB: 512 rows of 3 x 224 x 224', async () => {
    const { session, clock } = timed(() => 1);
    expect((await measureBatchSize(session, 150_528, clock, 'cuda')).batchSize).toBe(512);
  });

  it('stops after four doublings that make nothing faster', async () => {
    // From 8 rows on a row costs the same, a tenth more than in a batch of 8.
    const flat = timed((rows) => (rows <= 8 ? 8 : rows * 1.1));
    expect((await measureBatchSize(flat.session, 10, flat.clock, 'cuda')).batchSize).toBe(8);
    expect(flat.sizes()).toEqual([1, 2, 4, 8, 16, 32, 64, 128]);
  });

  it('takes 20 seconds at most on a device that takes a second a batch, whatever its size', async () => {
    const { session, clock, sizes } = timed(() => 1_000);
    const { batchSize, samplesPerSecond } = await measureBatchSize(session, 784, clock, 'webgpu');
    expect(clock()).toBeLessThanOrEqual(20_000);
    expect(sizes()).toContain(64);
    expect(samplesPerSecond).toBeCloseTo(batchSize, 6);
  });

  it('measures the first size of the slowest device with two calls', async () => {
    const { session, clock } = timed((rows) => 30_000 * rows);
    expect((await measureBatchSize(session, 784, clock, 'webgpu')).batchSize).toBe(1);
    expect(clock()).toBe(60_000);
  });

  it('takes a quarter of a size that is too large for the memory of the device, which two lanes share', async () => {
    const { session, clock, sizes } = timed((rows) => 1 + 0.001 * rows);
    const limited: Classifier = {
      ...session,
      classify: (batch, rows, classes) =>
        rows > 1_024
          ? Promise.reject(new Error('Failed to allocate memory for requested buffer of size 4294967296'))
          : session.classify(batch, rows, classes),
    };
    expect((await measureBatchSize(limited, 784, clock, 'cuda')).batchSize).toBe(512);
    expect(sizes()).toContain(1_024);
  });

  it('passes on the failure of a device that is lost with a size that was too large', async () => {
    const { session, clock } = timed((rows) => 1 + 0.001 * rows);
    let lost = false;
    const fragile: Classifier = {
      ...session,
      async classify(batch, rows, classes) {
        lost ||= rows > 1_024;
        if (lost) throw new Error('device lost');
        await session.classify(batch, rows, classes);
      },
    };
    await expect(measureBatchSize(fragile, 784, clock, 'cuda')).rejects.toThrow('device lost');
  });

  it.each([
    new NonFiniteScoreError(),
    new DomainError('model_output_invalid', "the model gives 2, which is no sigmoid's value"),
  ])('passes on what is wrong with scores, at any size: $message', async (fault) => {
    const { session, clock } = timed((rows) => 1 + 0.001 * rows);
    const broken: Classifier = {
      ...session,
      classify: (batch, rows, classes) =>
        rows > 4 ? Promise.reject(fault) : session.classify(batch, rows, classes),
    };
    await expect(measureBatchSize(broken, 784, clock, 'cuda')).rejects.toBe(fault);
  });

  it('is not misled by one size that other work on the machine has slowed down', async () => {
    const { session, clock } = timed((rows) => (rows === 2 ? 50 : 5 + 0.1 * rows));
    expect((await measureBatchSize(session, 10, clock)).batchSize).toBe(256);
  });
});
