import { describe, expect, it } from 'vitest';
import { chunkSize, type HostSpeed } from '../../../src/jobs/chunk-size.ts';
import { planOf } from '../../../src/jobs/plan.ts';
import { planRound } from '../../support/plan-round.ts';

interface Visit {
  readonly redis: number;
  readonly worker: number;
  readonly delay: number;
}
interface Model {
  hosts(speeds: readonly number[]): HostSpeed[];
  fit(rows: readonly { readonly x: number[]; readonly y: number }[]): number[];
  rates(
    fleet: { gpus: number; speed: number; inputs: number; samples: number },
    size: typeof chunkSize,
  ): Record<string, number>;
  load(cost: Record<string, number>, rate: Record<string, number>): number;
  saturation(utilisation: (devices: number) => number, most?: number): number;
  simulate(options: {
    speeds: readonly number[];
    chunks: readonly number[];
    start?: number;
    take?: Visit;
    record?: Visit;
    devicesPerWorker?: number;
    slots?: number;
  }): { makespan: number; drawn: number[] };
}
const { fit, hosts, rates, load, saturation, simulate } = (await import(
  new URL('../../../bench/fleet-model.mjs', import.meta.url).href
)) as Model;

const cost = (redis: number, worker: number, delay: number): Visit => ({ redis, worker, delay });
const sum = (values: readonly number[]): number => values.reduce((total, each) => total + each, 0);
const repeat = <Value>(count: number, value: Value): Value[] =>
  Array.from<Value>({ length: count }).fill(value);

describe('the costs of the fleet bench', () => {
  it('are recovered from totals that they add up to', () => {
    const runs = [
      [1, 20, 40],
      [1, 20, 600],
      [1, 100, 200],
      [60, 60, 120],
    ];
    const solved = fit(runs.map((x) => ({ x, y: 7 * x[0]! + 3 * x[1]! + 0.5 * x[2]! })));
    for (const [index, expected] of [7, 3, 0.5].entries()) expect(solved[index]).toBeCloseTo(expected, 9);
  });

  it('come at the rates that draw every sample once', () => {
    const fleet = { gpus: 64, speed: 2_500, inputs: 10, samples: 100_100 };
    const rate = rates(fleet, chunkSize);
    expect(rate['inputs']! * fleet.samples).toBeCloseTo(64 * 2_500, 6);
    expect(rate['chunks']).toBeCloseTo(rate['jobs']! * rate['chunksPerJob']!, 9);
    // 1,001,000 samples are 401 chunks of 2,500, a second; the next number that all 64 devices share evenly is 448.
    expect(rate['chunksPerJob']).toBe(448);
    expect(load({ inputs: 2, devices: 0.5 }, rate)).toBeCloseTo(2 * rate['inputs']! + 32, 9);
  });

  it('saturate at the first number of devices that needs all of a resource', () => {
    expect(saturation((devices) => devices / 100)).toBe(100);
    expect(saturation(() => 0.9)).toBe(Infinity);
  });
});

describe('the simulated job', () => {
  it('takes its work and the costs of every chunk in turn on one device that holds one chunk', () => {
    const { makespan, drawn } = simulate({
      speeds: [100],
      chunks: [200, 300, 50],
      start: 1,
      take: cost(0.01, 0.02, 0.03),
      record: cost(0.001, 0.002, 0.003),
      slots: 1,
    });
    expect(makespan).toBeCloseTo(1 + 5.5 + 3 * 0.066, 9);
    expect(drawn).toEqual([550]);
  });

  it('hides all costs but the first and the last behind a second chunk', () => {
    const { makespan } = simulate({
      speeds: [100],
      chunks: repeat(10, 100),
      take: cost(0.01, 0.02, 0.03),
      record: cost(0.001, 0.002, 0.003),
    });
    // The second chunk is asked for behind the first in the worker's process, and is there long before it is needed.
    expect(makespan).toBeCloseTo(10 + 0.06 + 0.006, 9);
  });

  it('waits for Redis where Redis is what saturates', () => {
    const { makespan } = simulate({ speeds: repeat(8, 1e9), chunks: repeat(100, 1), take: cost(0.1, 0, 0) });
    expect(makespan).toBeCloseTo(10, 6);
  });

  it('draws every sample once, whatever the speeds', () => {
    const asked = [
      { input: 0, draws: [{ purpose: 'estimation' as const, firstSample: 0, count: 100_000 }] },
      { input: 1, draws: [{ purpose: 'estimation' as const, firstSample: 0, count: 70_001 }] },
    ];
    const speeds = Array.from({ length: 64 }, (_, index) => 500 * (1 + (index % 4)));
    const plan = planOf([planRound(asked, chunkSize(170_001, hosts(speeds)))]);
    const chunks = Array.from({ length: plan.chunks }, (_, number) =>
      sum(plan.chunk(number).map(({ count }) => count)),
    );
    const { drawn, makespan } = simulate({ speeds, chunks, take: cost(0.001, 0.001, 0.002) });
    expect(sum(drawn)).toBe(170_001);
    expect(makespan).toBeGreaterThan(170_001 / sum(speeds));
  });

  it('is never slower with more devices, for equal chunks and speeds', () => {
    const times = [1, 2, 4, 8, 16, 32, 64, 128].map(
      (devices) => simulate({ speeds: repeat(devices, 1_000), chunks: repeat(256, 3_000) }).makespan,
    );
    expect(times).toEqual(times.toSorted((a, b) => b - a));
    expect(times[0]).toBeCloseTo(768, 6);
    expect(times.at(-1)).toBeCloseTo(6, 6);
  });
});
