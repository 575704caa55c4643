import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import type { Device } from '../../src/devices/device.ts';
import { openBatchMemory } from '../../src/host/batch-memory.ts';
import type * as DeviceHosts from '../../src/host/device-host.ts';
import type { Work } from '../../src/host/protocol.ts';
import { CPU_TARGET } from '../../src/engines/compute-target.ts';
import { openModelStore } from '../../src/models/store.ts';
import { gaussianLaw } from '../../src/random/noise-law.ts';
import { isAlive } from '../support/processes.ts';
import { SHARED_CACHE } from '../support/shared-cache.ts';

// Host processes are started from their files, so the build is tested; `npm test` makes it first.
const BUILT = new URL('../../dist/host/device-host.js', import.meta.url);
const { createDeviceHost } = (await import(BUILT.href)) as typeof DeviceHosts;

const QUIET = pino({ level: 'silent' });
const MODELS = fileURLToPath(new URL('../../models', import.meta.url));

const device: Device = { id: 'cpu', name: 'CPU', kind: 'cpu', lanes: 1, driver: null };

function start(options: DeviceHosts.DeviceHostOptions = {}): DeviceHosts.DeviceHost {
  const environment = { ...process.env, ORT_DISABLE_TELEMETRY: '1' };
  const batches = openBatchMemory(SHARED_CACHE, device);
  const host = createDeviceHost(device, CPU_TARGET, environment, QUIET, { batches, ...options });
  onTestFinished(() => host.close());
  return host;
}

it('kills a host that hangs while it owes samples, and the next one gives the same votes', async () => {
  const model = (await openModelStore(join(MODELS))).find('mnist-cnn')!;
  const work: Work = {
    id: 'hang',
    model,
    noise: gaussianLaw(0.5),
    inputs: [{ bytes: new Uint8Array(784).fill(128), stream: { key0: 1, key1: 2, stream: 3 } }],
    segments: [{ input: 0, purpose: 'estimation', firstSample: 0, count: 20_000 }],
  };
  const draw = async (host: DeviceHosts.DeviceHost, onProgress: () => void): Promise<unknown> => {
    const outcome = await host.sample(work, new AbortController().signal, onProgress);
    if (outcome.kind !== 'sampled') throw new Error(JSON.stringify(outcome));
    return outcome.votes;
  };

  // How long a host that works is silent here and now.
  const signs: number[] = [];
  const undisturbed = await draw(start(), () => void signs.push(performance.now()));
  const silence = Math.max(...signs.slice(1).map((at, index) => at - signs[index]!));
  const host = start({ hungMilliseconds: Math.max(2_000, 10 * silence) });
  let hung = 0;
  const sampling = draw(host, () => {
    if (hung === 0) process.kill((hung = host.pid()!), 'SIGSTOP');
  });
  await expect(sampling).rejects.toMatchObject({ name: 'HostCrashedError', incarnation: 0 });
  expect(isAlive(hung)).toBe(false);
  expect(await draw(host, () => undefined)).toEqual(undisturbed);
});

it('kills a host that is stopped while it loads, and the next one loads', async () => {
  const store = await openModelStore(join(MODELS));
  const host = start({ hungMilliseconds: 6_000 });
  // It has said that it lives: its first sign may be long in coming on a busy machine.
  expect(await host.load(store.find('mnist-cnn')!)).toMatchObject({ kind: 'loaded' });
  const stopped = host.pid()!;
  const loading = host.load(store.find('fashion-mnist-cnn')!);
  process.kill(stopped, 'SIGSTOP');
  await expect(loading).rejects.toThrow(/gave no sign of life for 6 s$/);
  expect(isAlive(stopped)).toBe(false);
  expect(await host.load(store.find('fashion-mnist-cnn')!)).toMatchObject({ kind: 'loaded' });
});
