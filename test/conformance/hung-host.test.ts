import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import type { Device } from '../../src/devices/device.ts';
import type * as DeviceHosts from '../../src/host/device-host.ts';
import type { Work } from '../../src/host/protocol.ts';
import { CPU_TARGET } from '../../src/engines/compute-target.ts';
import { openModelStore } from '../../src/models/store.ts';
import { isAlive } from '../support/processes.ts';

// Host processes are started from their files, so the build is tested; `npm test` makes it first.
const BUILT = new URL('../../dist/host/device-host.js', import.meta.url);
const { createDeviceHost, HostCrashedError } = (await import(BUILT.href)) as typeof DeviceHosts;

const MODELS = fileURLToPath(new URL('../../models', import.meta.url));

it('kills a host that hangs while it owes samples, and the next one gives the same votes', async () => {
  const model = (await openModelStore(join(MODELS))).find('mnist-cnn')!;
  const work: Work = {
    id: 'hang',
    model,
    sigma: 0.5,
    inputs: [{ bytes: new Uint8Array(784).fill(128), stream: { key0: 1, key1: 2, stream: 3 } }],
    segments: [{ input: 0, purpose: 'estimation', firstSample: 0, count: 20_000 }],
  };
  const device: Device = { id: 'cpu', name: 'CPU', kind: 'cpu', lanes: 1, memoryBytes: null, driver: null };
  const environment = { ...process.env, ORT_DISABLE_TELEMETRY: '1' };
  const host = createDeviceHost(device, CPU_TARGET, environment, pino({ level: 'silent' }), {
    silenceMilliseconds: 1_000,
  });
  try {
    const signal = new AbortController().signal;
    const undisturbed = await host.sample(work, signal, () => undefined);
    const hung = host.pid()!;
    let stopped = false;
    const sampling = host.sample({ ...work, id: 'again' }, signal, () => {
      if (!stopped) process.kill(hung, 'SIGSTOP');
      stopped = true;
    });
    await expect(sampling).rejects.toBeInstanceOf(HostCrashedError);
    expect(isAlive(hung)).toBe(false);
    const repeated = await host.sample({ ...work, id: 'again' }, signal, () => undefined);
    expect(repeated).toMatchObject({ kind: 'sampled' });
    if (repeated.kind !== 'sampled' || undisturbed.kind !== 'sampled') throw new Error('nothing was sampled');
    expect(repeated.votes).toEqual(undisturbed.votes);
  } finally {
    await host.close();
  }
});
