import { describe, expect, it } from 'vitest';
import type { EngineSession } from '../../../src/inference/engine.ts';
import { measureBatchSize } from '../../../src/jobs/device-host/batch-size.ts';

/** A session whose calls take the milliseconds that `cost` says of the rows, on a clock of its own. */
function timed(cost: (rows: number) => number, fixedBatch: number | null = null) {
  let now = 0;
  const tried: number[] = [];
  const session: EngineSession = {
    description: { name: 'timed', version: '1', provider: 'none', precision: 'fp32' },
    fixedBatch,
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
    expect(sizes()).toEqual([1, 2]);
  });

  it('keeps batches within 64 MiB, and tries single rows in any case', async () => {
    const medium = timed(() => 1);
    expect((await measureBatchSize(medium.session, 2 ** 20, medium.clock)).batchSize).toBe(16);
    const large = timed(() => 1);
    expect((await measureBatchSize(large.session, 2 ** 24 + 1, large.clock)).batchSize).toBe(1);
    expect(large.sizes()).toEqual([1]);
  });

  it('passes on what a session throws', async () => {
    const { session, clock } = timed(() => 1);
    const broken = { ...session, classify: () => Promise.reject(new Error('NaN')) };
    await expect(measureBatchSize(broken, 10, clock)).rejects.toThrow('NaN');
  });
});
