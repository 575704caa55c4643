import { describe, expect, it } from 'vitest';
import { choosePool, poolHosts, samplingQueueName, waitsFor } from '../../../src/jobs/pool.ts';
import { describeEngine } from '../../../src/smoothing/describe-engine.ts';
import type { WorkerStatus } from '../../../src/jobs/stored/worker-status.ts';
import { ENGINE, hostStatus, loadedModel, NOISE, workerStatus } from '../../support/worker-status.ts';

const DIGEST = 'd'.repeat(64);
const ASKED = { model: { name: 'mnist-cnn', version: '1.0.0', digest: DIGEST }, noise: NOISE };
const UNKNOWN = { ...ASKED, model: { ...ASKED.model, digest: 'f'.repeat(64) } };
const LATER = { scheme: NOISE.scheme, version: 2 };
/** A job of a release that draws by another version of the scheme. */
const OF_LATER = { ...ASKED, noise: { ...NOISE, ...LATER } };
/** A worker of a release that draws both. */
const newer = (worker: WorkerStatus): WorkerStatus => ({ ...worker, noise: [...worker.noise, LATER] });
const CUDA = { ...ENGINE, provider: 'cuda' };
const onCpu = (speed: number, state: 'ready' | 'out' = 'ready') =>
  hostStatus({ state, models: [loadedModel({ samplesPerSecond: speed })] });
const onGpu = (speed: number, state: 'ready' | 'recovering' | 'out' = 'ready') =>
  hostStatus({ state, models: [loadedModel({ samplesPerSecond: speed, engine: CUDA })] });

describe('the pool of a job', () => {
  it('is the one that is fastest in all, not the one with the fastest device', () => {
    const workers = [workerStatus('a', [onGpu(500)]), workerStatus('b', [onCpu(300)], [onCpu(201)])];
    expect(choosePool(workers, ASKED)).toEqual(ENGINE);
    expect(choosePool([...workers, workerStatus('c', [onGpu(2)])], ASKED)).toEqual(CUDA);
  });

  it('counts only hosts with the very model', () => {
    const other = hostStatus({ models: [loadedModel({ digest: 'e'.repeat(64), samplesPerSecond: 9_000 })] });
    const workers = [workerStatus('a', [other], [onGpu(1)])];
    expect(choosePool(workers, ASKED)).toEqual(CUDA);
    expect(choosePool(workers, UNKNOWN)).toBeNull();
    expect(choosePool([], ASKED)).toBeNull();
  });

  it('is not one whose devices are all out of service while another works', () => {
    expect(choosePool([workerStatus('a', [onGpu(900, 'out')], [onCpu(1)])], ASKED)).toEqual(ENGINE);
    expect(choosePool([workerStatus('a', [onGpu(900, 'recovering')], [onCpu(1)])], ASKED)).toEqual(CUDA);
  });

  it('is one that is out of service where no other has the model: the job waits for it', () => {
    expect(choosePool([workerStatus('a', [onGpu(900, 'out')])], ASKED)).toEqual(CUDA);
  });

  it('is the same whatever the order of the workers, also where speeds tie', () => {
    const workers = [workerStatus('a', [onGpu(5)]), workerStatus('b', [onCpu(5)])];
    expect(choosePool(workers, ASKED)).toEqual(choosePool(workers.toReversed(), ASKED));
  });
});

describe('the hosts of a pool', () => {
  it('are those in service with the model, on all workers, with the rows of all their lanes', () => {
    const workers = [
      workerStatus('a', [onGpu(500)], [onCpu(3)]),
      workerStatus('b', [onGpu(400), onGpu(9, 'out')]),
    ];
    // Two lanes with batches of 64.
    expect(poolHosts(workers, ASKED, CUDA)).toMatchObject([
      { samplesPerSecond: 500, rows: 128 },
      { samplesPerSecond: 400, rows: 128 },
    ]);
    expect(poolHosts(workers, UNKNOWN, CUDA)).toEqual([]);
  });
});

describe('a job waits', () => {
  const [bound, unbound] = [
    { engine: CUDA, request: ASKED },
    { engine: null, request: ASKED },
  ];

  it('for nothing where a host in service can draw for it', () => {
    const workers = [workerStatus('a', [onGpu(5, 'out'), onGpu(5, 'recovering')])];
    expect(waitsFor(workers, bound)).toBeNull();
    expect(waitsFor([workerStatus('a', [onCpu(5)])], unbound)).toBeNull();
  });

  it('for its own engine, and the words name it and the model', () => {
    const older = { ...ENGINE, version: '1.29.0' };
    expect(waitsFor([workerStatus('a', [onCpu(5)])], { engine: older, request: ASKED })).toBe(
      'mnist-cnn in onnxruntime-node 1.29.0 on cpu (fp32), which no worker has',
    );
  });

  it('for a device that is out of service, and the words say why', () => {
    const host = { ...onGpu(5, 'out'), reason: 'died of SIGSEGV' };
    expect(waitsFor([workerStatus('a', [host])], bound)).toBe(
      'mnist-cnn in onnxruntime-node 1.30.0 on cuda (fp32), whose devices are out of service (died of SIGSEGV)',
    );
  });

  it('for a model that no worker has loaded, and for any worker where there is none', () => {
    const other = { engine: null, request: UNKNOWN };
    expect(waitsFor([workerStatus('a', [onCpu(5)])], other)).toBe('mnist-cnn, which no worker has');
    expect(waitsFor([], bound)).toBe('a worker: none is there');
  });
});

describe('a job whose noise only workers of another release draw', () => {
  const [here, there] = [workerStatus('a', [onGpu(900)]), newer(workerStatus('b', [onCpu(1)]))];

  it('gets the pool of those that draw it, be others ever so fast', () => {
    expect(choosePool([here, there], OF_LATER)).toEqual(ENGINE);
    expect(choosePool([here, there], ASKED)).toEqual(CUDA);
    expect(choosePool([here], OF_LATER)).toBeNull();
    expect(poolHosts([here, newer(here)], OF_LATER, CUDA)).toHaveLength(1);
  });

  it('waits while none is there, and the words name the scheme', () => {
    const what = 'with noise by rounded-gaussian 2, which no worker has';
    expect(waitsFor([here], { engine: null, request: OF_LATER })).toBe(`mnist-cnn ${what}`);
    expect(waitsFor([here, there], { engine: CUDA, request: OF_LATER })).toBe(
      `mnist-cnn in onnxruntime-node 1.30.0 on cuda (fp32) ${what}`,
    );
    expect(waitsFor([here, there], { engine: null, request: OF_LATER })).toBeNull();
    expect(waitsFor([], { engine: null, request: OF_LATER })).toBe('a worker: none is there');
  });

  it('has a queue of its own', () => {
    const names = [NOISE, LATER, { scheme: 'other', version: 1 }].map((noise) =>
      samplingQueueName(ENGINE, noise),
    );
    expect(new Set(names).size).toBe(3);
  });
});

describe('two engines share a pool and a queue only if they are the same', () => {
  const others = [
    { ...ENGINE, name: 'other' },
    { ...ENGINE, version: '1.30.1' },
    { ...ENGINE, provider: 'cuda' },
    { ...ENGINE, precision: 'tf32' as const },
    { ...ENGINE, output: 'logits before Softmax' },
    { ...ENGINE, batch: 1 },
    { ...ENGINE, batch: 64 },
  ];

  it.each(others)('%o is another', (other) => {
    expect(describeEngine(other)).not.toBe(describeEngine(ENGINE));
    expect(samplingQueueName(other, NOISE)).not.toBe(samplingQueueName(ENGINE, NOISE));
  });

  it('whether the independence of the rows is proved or probed makes no other', () => {
    expect(describeEngine({ ...ENGINE, rows: 'proved' })).toBe(describeEngine({ ...ENGINE, rows: 'probed' }));
  });

  it('and a queue has a name that the queueing library allows', () => {
    const engine = {
      name: '@tensorflow/tfjs-node-gpu',
      version: '4.22.0+tensorflow.2.9.1',
      provider: 'cuda',
      precision: 'fp32',
    } as const;
    const name = samplingQueueName(engine, NOISE);
    expect(name).toBe(
      'sampling-rounded-gaussian-1-tensorflow-tfjs-node-gpu-4.22.0-tensorflow.2.9.1-cuda-fp32',
    );
  });
});
