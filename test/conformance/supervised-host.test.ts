import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { CPU_TARGET } from '../../src/engines/compute-target.ts';
import { openModelStore, type RegisteredModel } from '../../src/models/store.ts';
import type { HostState } from '../../src/contract/status.ts';
import { openBatchMemory } from '../../src/host/batch-memory.ts';
import type * as DeviceHosts from '../../src/host/device-host.ts';
import type { Work } from '../../src/host/protocol.ts';
import type * as SupervisedHosts from '../../src/host/supervised-host.ts';
import { gaussianLaw } from '../../src/random/noise-law.ts';
import { isAlive } from '../support/processes.ts';
import { SHARED_CACHE } from '../support/shared-cache.ts';
import { until } from '../support/until.ts';

// The host's process starts from the build, so everything here does.
const built = (path: string): string => new URL(`../../dist/host/${path}`, import.meta.url).href;
const { createDeviceHost } = (await import(built('device-host.js'))) as typeof DeviceHosts;
const { superviseHost } = (await import(built('supervised-host.js'))) as typeof SupervisedHosts;

const MODELS = fileURLToPath(new URL('../../models', import.meta.url));
const NEVER = new AbortController().signal;
const SAMPLES = 5_000;

interface Supervised {
  readonly host: SupervisedHosts.SupervisedHost;
  readonly model: RegisteredModel;
  /** Every state that was entered, in order. */
  readonly states: readonly HostState[];
  draw(onProgress?: () => void): ReturnType<SupervisedHosts.SupervisedHost['draw']>;
  state(): HostState;
  pid(): number;
}

async function supervise(times?: SupervisedHosts.SupervisionTimes): Promise<Supervised> {
  const model = (await openModelStore(MODELS)).find('mnist-cnn')!;
  const device = { id: 'cpu', name: 'CPU', kind: 'cpu', lanes: 1, driver: null } as const;
  const logger = pino({ level: 'silent' });
  const states: HostState[] = [];
  const host = superviseHost({
    host: createDeviceHost(device, CPU_TARGET, { ...process.env, ORT_DISABLE_TELEMETRY: '1' }, logger, {
      batches: openBatchMemory(SHARED_CACHE, device),
    }),
    engine: 'onnx',
    models: [model],
    logger,
    onChange: () => {
      const { state } = host.status();
      if (states.at(-1) !== state) states.push(state);
    },
    ...(times === undefined ? {} : { times }),
  });
  onTestFinished(() => host.close());
  await host.start();
  const work: Work = {
    id: 'work',
    model,
    noise: gaussianLaw(0.5),
    inputs: [{ bytes: new Uint8Array(784).fill(128), stream: { key0: 1, key1: 2, stream: 3 } }],
    segments: [{ input: 0, purpose: 'estimation', firstSample: 0, count: SAMPLES }],
  };
  return {
    host,
    model,
    states,
    draw: (onProgress = () => undefined) => host.draw(work, NEVER, onProgress),
    state: () => host.status().state,
    pid: () => host.status().hostPid!,
  };
}

/** Draws and kills the host with `signal` as soon as it has counted something. */
async function drawAndKill({ draw, pid }: Supervised, signal: NodeJS.Signals) {
  let killed = 0;
  const outcome = await draw(() => {
    if (killed === 0) process.kill((killed = pid()), signal);
  });
  expect(isAlive(killed)).toBe(false);
  return outcome;
}

const half = (batchSize: number): number => Math.max(1, Math.floor(batchSize / 2));

function sampled(outcome: DeviceHosts.DrawOutcome) {
  if (outcome.kind !== 'sampled') throw new Error(JSON.stringify(outcome));
  return outcome;
}

describe('a host that dies', () => {
  it.each(['SIGKILL', 'SIGSEGV', 'SIGABRT', 'SIGBUS'] as const)(
    'of %s loses its draw and nothing else: the next one gives the same votes, with half the batch',
    async (signal) => {
      const supervised = await supervise();
      const { draw, state, states } = supervised;
      const before = sampled(await draw());
      expect(await drawAndKill(supervised, signal)).toMatchObject({
        kind: 'failed',
        code: 'device_failed',
        detail: `the host of cpu died of ${signal}`,
      });
      expect(state()).toBe('recovering');
      expect(supervised.host.status().reason).toBe(`the host of cpu died of ${signal}`);
      const after = sampled(await draw());
      expect(after.votes).toEqual(before.votes);
      expect(after.engine).toEqual(before.engine);
      expect(after.batchSize).toBe(half(before.batchSize));
      expect(states).toEqual(['ready', 'recovering', 'ready']);
      expect(supervised.host.status()).toMatchObject({ reason: null, restarts: 1 });
    },
  );

  it('has the measured batch again once a draw has succeeded', async () => {
    const supervised = await supervise();
    const { batchSize, votes } = sampled(await supervised.draw());
    for (let round = 0; round < 2; round += 1) {
      await drawAndKill(supervised, 'SIGKILL');
      expect(sampled(await supervised.draw())).toMatchObject({ batchSize: half(batchSize), votes });
    }
  });

  it('again and again is taken out, draws nothing, and comes back after a pause', async () => {
    const supervised = await supervise({ firstPause: 2_000, longestPause: 2_000 });
    const { draw, state, states } = supervised;
    const { votes } = sampled(await draw());
    for (let failure = 1; failure <= 5; failure += 1) {
      expect(state()).toBe(failure === 1 ? 'ready' : 'recovering');
      await drawAndKill(supervised, 'SIGSEGV');
    }
    expect(state()).toBe('out');
    expect(supervised.host.status().hostPid).toBeNull();
    expect(await draw()).toMatchObject({ kind: 'failed', code: 'device_failed' });
    await until(() => state() === 'ready', { what: 'the return of the device' });
    expect(states).toEqual(['ready', 'recovering', 'out', 'ready']);
    expect(sampled(await draw()).votes).toEqual(votes);
    // One draw that succeeds makes it as good as new.
    await drawAndKill(supervised, 'SIGSEGV');
    expect(state()).toBe('recovering');
  });

  it('for want of memory loses its draw and nothing else', async () => {
    const supervised = await supervise();
    const { votes } = sampled(await supervised.draw());
    const pid = supervised.pid();
    const data = /^VmData:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'));
    // No page more than it has: the next growth of a heap fails, in JavaScript or in native code.
    await promisify(execFile)('prlimit', [`--pid=${pid}`, `--data=${Number(data![1]) * 1024}`]);
    let outcome = await supervised.draw();
    for (let draws = 0; outcome.kind === 'sampled' && draws < 50; draws += 1)
      outcome = await supervised.draw();
    expect(outcome).toMatchObject({ kind: 'failed', code: 'device_failed' });
    expect(isAlive(pid)).toBe(false);
    expect(sampled(await supervised.draw()).votes).toEqual(votes);
  });
});

describe('several draws', () => {
  it('that are lost with one process count as one failure', async () => {
    const supervised = await supervise();
    const { batchSize } = sampled(await supervised.draw());
    const both = [drawAndKill(supervised, 'SIGKILL'), supervised.draw(), supervised.draw()];
    for (const outcome of await Promise.all(both)) expect(outcome).toMatchObject({ code: 'device_failed' });
    expect(sampled(await supervised.draw()).batchSize).toBe(half(batchSize));
  });
});

describe('the speed', () => {
  it('is that of the samples of the last ten seconds', async () => {
    const { draw, host } = await supervise();
    const speed = (): number => host.status().samplesPerSecond;
    const pass = (milliseconds: number): unknown => vi.setSystemTime(Date.now() + milliseconds);
    // The date stands still but where it is put on.
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());
    expect(speed()).toBe(0);
    await draw();
    expect(speed()).toBe(SAMPLES / 10);
    pass(6_000);
    await draw();
    expect(speed()).toBe((2 * SAMPLES) / 10);
    pass(6_000);
    expect(speed()).toBe(SAMPLES / 10);
    pass(6_000);
    expect(speed()).toBe(0);
  });
});
