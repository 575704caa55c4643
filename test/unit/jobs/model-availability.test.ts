import { describe, expect, test } from 'vitest';
import { modelAvailability, requireAvailable } from '../../../src/jobs/model-availability.ts';
import type { RegisteredModel } from '../../../src/models/store.ts';
import { domainFault } from '../../support/domain-fault.ts';
import { imageInput, manifestOf } from '../../support/model-folder.ts';
import { ENGINE, hostStatus, loadedModel, workerStatus } from '../../support/worker-status.ts';

const DIGEST = 'd'.repeat(64);
const model: RegisteredModel = {
  manifest: manifestOf('digits', { files: {}, input: imageInput(2, 2), classes: 2 }),
  digest: DIGEST,
  folder: '/models/digits',
};
const MIXES = { code: 'model_invalid', detail: 'its rows mix' } as const;
const refusing = hostStatus({ state: 'out', refused: [{ name: 'digits', digest: DIGEST, ...MIXES }] });
const having = hostStatus({ models: [loadedModel({ digest: DIGEST, samplesPerSecond: 500 })] });
const other = hostStatus({ models: [loadedModel({ digest: 'e'.repeat(64) })] });
const starting = hostStatus({ state: 'recovering', reason: 'starting' });

const pointer = '/model';
const check = (...workers: Parameters<typeof requireAvailable>[0]) =>
  requireAvailable(workers, model, pointer);

describe('a model', () => {
  test('that a host has loaded is there, with each engine, its devices and their speed together', () => {
    const cuda = { ...ENGINE, provider: 'cuda' };
    const fast = hostStatus({
      models: [loadedModel({ digest: DIGEST, engine: cuda, samplesPerSecond: 9_000 })],
    });
    const workers = [workerStatus('a', [having], [having]), workerStatus('b', [refusing], [fast])];
    expect(modelAvailability(workers, model)).toEqual({
      state: 'loaded',
      engines: [
        { engine: ENGINE, devices: 2, samplesPerSecond: 1_000 },
        { engine: cuda, devices: 1, samplesPerSecond: 9_000 },
      ],
      refusals: [{ ...MIXES, hosts: ['onnx on Device 0 of here'] }],
    });
    check(...workers);
  });

  test('of hosts that are out of service is there: they come back, and its jobs wait', () => {
    check(workerStatus('a', [{ ...having, state: 'out', reason: 'it died' }]));
  });

  test('that all refuse is refused, with each reason once and the places that give it', async () => {
    const missing = { code: 'engine_missing', detail: 'not installed' } as const;
    const without = hostStatus({ refused: [{ name: 'digits', digest: DIGEST, ...missing }] });
    const workers = [workerStatus('a', [refusing], [refusing]), workerStatus('b', [without, other])];
    expect(modelAvailability(workers, model)).toEqual({
      state: 'refused',
      engines: [],
      refusals: [
        { ...MIXES, hosts: ['onnx on Device 0 of here', 'onnx on Device 1 of here'] },
        { ...missing, hosts: ['onnx on Device 0 of here'] },
      ],
    });
    const { code, message, faults } = await domainFault(() => check(...workers));
    expect(code).toBe('model_refused');
    expect(message).toBe(
      'no worker can run digits: its rows mix (onnx on Device 0 of here, onnx on Device 1 of here); not installed (onnx on Device 0 of here)',
    );
    expect(faults.map((fault) => fault.pointer)).toEqual([pointer, pointer]);
  });

  test('that no worker has with this digest is absent, whatever else it has', async () => {
    const workers = [workerStatus('a', [other]), workerStatus('b', [other])];
    expect(modelAvailability(workers, model).state).toBe('absent');
    const { code, message } = await domainFault(() => check(...workers));
    expect(code).toBe('model_unavailable');
    expect(message).toBe(`none of 2 workers has digits with the digest ${DIGEST}`);
  });

  test('is waited for while a host of its engine has tried nothing yet, and where there is no worker', () => {
    expect(modelAvailability([workerStatus('a', [refusing], [starting])], model).state).toBe('loading');
    check(workerStatus('a', [refusing], [starting]));
    expect(modelAvailability([], model)).toEqual({ state: 'no_worker', engines: [], refusals: [] });
    check();
    // A host of another engine will never have it.
    const tensorflow = hostStatus({ engine: 'tensorflow', state: 'recovering', reason: 'starting' });
    expect(modelAvailability([workerStatus('a', [refusing, tensorflow])], model).state).toBe('refused');
  });
});
