import { describe, expect, it } from 'vitest';
import {
  choosePool,
  describeEngine,
  poolHosts,
  samplingQueueName,
  waitsFor,
} from '../../../src/jobs/pool.ts';
import type { JobRecord } from '../../../src/jobs/job-record.ts';
import { ENGINE, hostStatus, loadedModel, workerStatus } from '../../support/worker-status.ts';

const DIGEST = 'd'.repeat(64);
const CUDA = { ...ENGINE, provider: 'cuda' };
const onCpu = (speed: number, state: 'ready' | 'out' = 'ready') =>
  hostStatus({ state, models: [loadedModel({ samplesPerSecond: speed })] });
const onGpu = (speed: number, state: 'ready' | 'recovering' | 'out' = 'ready') =>
  hostStatus({ state, models: [loadedModel({ samplesPerSecond: speed, engine: CUDA })] });

describe('the pool of a job', () => {
  it('is the one that is fastest in all, not the one with the fastest device', () => {
    const workers = [workerStatus('a', [onGpu(500)]), workerStatus('b', [onCpu(300)], [onCpu(201)])];
    expect(choosePool(workers, DIGEST)).toEqual(ENGINE);
    expect(choosePool([...workers, workerStatus('c', [onGpu(2)])], DIGEST)).toEqual(CUDA);
  });

  it('counts only hosts with the very model', () => {
    const other = hostStatus({ models: [loadedModel({ digest: 'e'.repeat(64), samplesPerSecond: 9_000 })] });
    const workers = [workerStatus('a', [other], [onGpu(1)])];
    expect(choosePool(workers, DIGEST)).toEqual(CUDA);
    expect(choosePool(workers, 'f'.repeat(64))).toBeNull();
    expect(choosePool([], DIGEST)).toBeNull();
  });

  it('is not one whose devices are all out of service while another works', () => {
    expect(choosePool([workerStatus('a', [onGpu(900, 'out')], [onCpu(1)])], DIGEST)).toEqual(ENGINE);
    expect(choosePool([workerStatus('a', [onGpu(900, 'recovering')], [onCpu(1)])], DIGEST)).toEqual(CUDA);
  });

  it('is one that is out of service where no other has the model: the job waits for it', () => {
    expect(choosePool([workerStatus('a', [onGpu(900, 'out')])], DIGEST)).toEqual(CUDA);
  });

  it('is the same whatever the order of the workers, also where speeds tie', () => {
    const workers = [workerStatus('a', [onGpu(5)]), workerStatus('b', [onCpu(5)])];
    expect(choosePool(workers, DIGEST)).toEqual(choosePool(workers.toReversed(), DIGEST));
  });
});

describe('the hosts of a pool', () => {
  it('are those in service with the model, on all workers, with the rows of all their lanes', () => {
    const workers = [
      workerStatus('a', [onGpu(500)], [onCpu(3)]),
      workerStatus('b', [onGpu(400), onGpu(9, 'out')]),
    ];
    // Two lanes with batches of 64.
    expect(poolHosts(workers, DIGEST, CUDA)).toMatchObject([
      { samplesPerSecond: 500, rows: 128 },
      { samplesPerSecond: 400, rows: 128 },
    ]);
    expect(poolHosts(workers, 'f'.repeat(64), CUDA)).toEqual([]);
  });
});

describe('a job waits', () => {
  const request = { model: { name: 'mnist-cnn', version: '1.0.0', digest: DIGEST } } as JobRecord['request'];
  const [bound, unbound] = [
    { engine: CUDA, request },
    { engine: null, request },
  ];

  it('for nothing where a host in service can draw for it', () => {
    const workers = [workerStatus('a', [onGpu(5, 'out'), onGpu(5, 'recovering')])];
    expect(waitsFor(workers, bound)).toBeNull();
    expect(waitsFor([workerStatus('a', [onCpu(5)])], unbound)).toBeNull();
  });

  it('for its own engine, and the words name it and the model', () => {
    const older = { ...ENGINE, version: '1.29.0' };
    expect(waitsFor([workerStatus('a', [onCpu(5)])], { engine: older, request })).toBe(
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
    const other = {
      engine: null,
      request: { ...request, model: { ...request.model, digest: 'f'.repeat(64) } },
    };
    expect(waitsFor([workerStatus('a', [onCpu(5)])], other)).toBe('mnist-cnn, which no worker has');
    expect(waitsFor([], bound)).toBe('a worker: none is there');
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
    expect(samplingQueueName(other)).not.toBe(samplingQueueName(ENGINE));
  });

  it('whether the independence of the rows is proved or probed makes no other', () => {
    expect(describeEngine({ ...ENGINE, rows: 'proved' })).toBe(describeEngine({ ...ENGINE, rows: 'probed' }));
  });

  it('and a queue has a name that the queueing library allows', () => {
    const name = samplingQueueName({
      name: '@tensorflow/tfjs-node-gpu',
      version: '4.22.0+tensorflow.2.9.1',
      provider: 'cuda',
      precision: 'fp32',
    });
    expect(name).toBe('sampling-tensorflow-tfjs-node-gpu-4.22.0-tensorflow.2.9.1-cuda-fp32');
  });
});
