import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DeviceResource } from '../../src/contract/device.ts';
import { installWithoutBinding } from '../support/installation.ts';
import { linearTensorflowWriter } from '../support/linear-tensorflow.ts';
import { imageInput, writeLinearModel } from '../support/model-folder.ts';
import { nativeTensorflowObstacle } from '../support/native-tensorflow.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';
import { createTestClient, type ServiceProcess, startProcess, type TestClient } from '../support/service.ts';
import { useTemporaryDirectory } from '../support/temporary-directory.ts';

// One classifier as an ONNX and as a TensorFlow model: its weights are quarters, so that no two scores of pixels k/255 are
// as close as rounding, and whatever computes it right draws the same votes.
const LINEAR = {
  input: imageInput(1, 3),
  weights: [
    [1, -0.5, 0.25],
    [-0.25, 1, 0.5],
    [0.25, 0.25, -1],
  ],
  biases: [0.003, 0.001, 0.002],
};
const WASM = {
  name: '@tensorflow/tfjs-backend-wasm',
  version: '4.22.0',
  provider: 'wasm',
  precision: 'fp32',
};
const ONNX = { name: 'onnxruntime-node', provider: 'cpu', precision: 'fp32' };
const request = (model: string) => ({
  model,
  parameters: { sigma: 0.5, n0: 100, n: 5_000 },
  inputs: [
    { tensor: { dtype: 'uint8', shape: [1, 1, 3], data: Buffer.of(120, 130, 90).toString('base64') } },
  ],
  reproductionSeed: '5eed'.repeat(16),
});

const at = useTemporaryDirectory();
let redis: TestRedis;
const running: ServiceProcess[] = [];

beforeAll(async () => {
  redis = await startTestRedis();
  await installWithoutBinding(at('installation'));
  await writeLinearModel(at('models', 'in-onnx'), LINEAR);
  await linearTensorflowWriter('LayersModel')(at('models', 'in-tensorflow'), LINEAR);
});
afterAll(async () => {
  await Promise.all(running.map((service) => service.end()));
  await redis?.close();
});

interface Started {
  readonly service: ServiceProcess;
  readonly client: TestClient;
}

/** The whole service with both models on the CPU, in queues of its own. */
async function start(prefix: string, wasm: 'allow' | null, root?: string): Promise<Started> {
  const variables = {
    REDIS_URL: redis.url,
    SMOOTHCERT_PREFIX: prefix,
    SMOOTHCERT_PORT: '0',
    SMOOTHCERT_DEVICES: 'cpu',
    SMOOTHCERT_LANES: '1',
    SMOOTHCERT_DATA_DIR: at(prefix),
    SMOOTHCERT_MODELS_DIR: at('models'),
    ...(wasm === null ? {} : { SMOOTHCERT_TENSORFLOW_WASM: wasm }),
  };
  const service = startProcess('serve', variables, root);
  running.push(service);
  const listening = await service.logged('api_listening');
  await service.logged('worker_ready');
  return { service, client: createTestClient(String(listening['url'])) };
}

/** The hosts of the only device, by engine. */
async function hostsOf({ client }: Started): Promise<Record<string, DeviceResource['hosts'][number]>> {
  const { data } = (await (await fetch(`${client.url}/v1/devices`)).json()) as { data: DeviceResource[] };
  expect(data).toHaveLength(1);
  return Object.fromEntries(data[0]!.hosts.map((host) => [host.engine, host]));
}

/** The votes of the request for that model. */
async function reproductionOf({ client }: Started, model: string) {
  const { id } = await client.submit(request(model));
  expect(await client.ended(id)).toMatchObject({ status: 'succeeded' });
  const [result] = await client.results(id);
  if (!('certificate' in result!) || result.reproduction === null) throw new Error(JSON.stringify(result));
  return result.reproduction;
}

const votesOf = ({ selectionVotes, estimationVotes }: Awaited<ReturnType<typeof reproductionOf>>) => ({
  selectionVotes,
  estimationVotes,
});

describe('a worker without the native binding', () => {
  it('says that its TensorFlow model cannot be loaded, why, and what to do, and serves its ONNX model', async () => {
    const started = await start('refusing', null, at('installation'));
    const { onnx, tensorflow } = await hostsOf(started);
    expect(onnx).toMatchObject({ state: 'ready', reason: null, models: [{ name: 'in-onnx', engine: ONNX }] });
    expect(tensorflow).toMatchObject({ state: 'out', models: [] });
    for (const said of [tensorflow!.reason, (await started.service.logged('model_not_loadable'))['detail']]) {
      expect(said).toMatch(/native binding runs on Node 20 and 22|tfjs-node-gpu is not installed/);
      expect(said).toContain('SMOOTHCERT_TENSORFLOW_WASM=allow');
    }
    const ready = await fetch(`${started.client.url}/health/ready`);
    expect(JSON.stringify(await ready.json())).toContain('tensorflow on CPU');

    expect(await reproductionOf(started, 'in-onnx')).toMatchObject({ engine: ONNX });
    await expect(started.client.submit(request('in-tensorflow'))).rejects.toThrow(
      /409 .*"model_refused".*no worker can run in-tensorflow: .*SMOOTHCERT_TENSORFLOW_WASM=allow/,
    );
    await started.service.end();
  });

  it('runs it on WebAssembly where that is allowed, and says so in the model, the job and the certificate', async () => {
    const started = await start('allowing', 'allow', at('installation'));
    const { onnx, tensorflow } = await hostsOf(started);
    expect(onnx).toMatchObject({ state: 'ready', models: [{ engine: ONNX }] });
    expect(tensorflow).toMatchObject({
      state: 'ready',
      reason: null,
      models: [{ name: 'in-tensorflow', engine: WASM }],
    });
    const certificate = await reproductionOf(started, 'in-tensorflow');
    expect(certificate.engine).toMatchObject(WASM);
    expect(votesOf(certificate)).toEqual(votesOf(await reproductionOf(started, 'in-onnx')));
    const { id } = await started.client.submit(request('in-tensorflow'));
    expect(await started.client.ended(id)).toMatchObject({ status: 'succeeded', engine: WASM });
    await started.service.end();
  });
});

describe('a worker with an ONNX and a TensorFlow model', () => {
  const obstacle = nativeTensorflowObstacle();
  const native = { name: '@tensorflow/tfjs-node-gpu', provider: 'cpu', precision: 'fp32' };

  it('runs each in a process that never loads the other library, and certifies alike with both', async () => {
    const started = await start('mixed', obstacle === null ? null : 'allow');
    const pids = started.service.log
      .filter(({ event }) => event === 'device_host_started')
      .map(({ hostPid }) => Number(hostPid));
    expect(new Set(pids).size).toBe(2);
    const libraries = pids.map((pid) => {
      const maps = readFileSync(`/proc/${pid}/maps`, 'utf8');
      return [/onnxruntime/.test(maps), /tensorflow/.test(maps)];
    });
    expect(libraries).toEqual([[true, false], [false, obstacle === null]]); // prettier-ignore

    const engine = obstacle === null ? native : WASM;
    const [onnx, tensorflow] = await Promise.all([
      reproductionOf(started, 'in-onnx'),
      reproductionOf(started, 'in-tensorflow'),
    ]);
    expect(onnx.engine).toMatchObject(ONNX);
    expect(tensorflow.engine).toMatchObject(engine);
    expect(votesOf(tensorflow)).toEqual(votesOf(onnx));
    // All three classes are drawn: the agreement says something.
    expect(Object.keys(onnx.estimationVotes)).toHaveLength(3);
    await started.service.end();
  });
});
