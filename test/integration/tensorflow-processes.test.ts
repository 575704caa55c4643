import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { type ComputeTarget, CPU_TARGET } from '../../src/engines/compute-target.ts';
import type * as DeviceHosts from '../../src/host/device-host.ts';
import type * as SupervisedHosts from '../../src/host/supervised-host.ts';
import { installWithoutBinding } from '../support/installation.ts';
import { linearTensorflowWriter, type TensorflowFormat } from '../support/linear-tensorflow.ts';
import { imageInput, writeLinearModel } from '../support/model-folder.ts';
import { nativeTensorflowObstacle } from '../support/native-tensorflow.ts';
import { useTemporaryDirectory } from '../support/temporary-directory.ts';
import { until } from '../support/until.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const at = useTemporaryDirectory();
const LINEAR = { input: imageInput(1, 2), weights: [[1, 0], [0, 1]], biases: [0, 0] }; // prettier-ignore

interface Answer {
  readonly description?: { readonly name: string; readonly provider: string };
  readonly classes?: readonly number[];
  readonly fault?: { readonly code: string; readonly message: string };
  /** Packages of TensorFlow that were loaded. */
  readonly loaded: readonly string[];
}

// Arguments: root of the build, the model folder, the target as JSON, how many threads open the model (0: none but the
// first). Each prints an Answer.
const SCRIPT = `
  import { createRequire } from 'node:module';
  import { dirname } from 'node:path';
  import { isMainThread, Worker } from 'node:worker_threads';
  const [root, folder, target, threads] = process.argv.slice(2);
  if (isMainThread && threads !== '0') {
    const argv = process.argv.slice(2);
    for (let thread = 0; thread < Number(threads); thread += 1) new Worker(new URL(import.meta.url), { argv });
  } else {
    const { openModelStore } = await import(root + '/dist/models/store.js');
    const { verifyModel } = await import(root + '/dist/models/verify.js');
    const { openClassifier } = await import(root + '/dist/engines/open-classifier.js');
    const { models } = await openModelStore(dirname(folder));
    const answer = {};
    try {
      const model = await verifyModel(models.find((each) => each.folder === folder));
      const session = await openClassifier(model, JSON.parse(target));
      const classes = new Int32Array(2);
      for (let batch = 0; batch < 20; batch += 1) await session.classify(Float32Array.of(1, 0, 0, 1), 2, classes);
      Object.assign(answer, { description: session.description, classes: [...classes] });
      await session.close();
    } catch (fault) {
      answer.fault = { code: fault.code, message: fault.message };
    }
    const files = Object.keys(createRequire(import.meta.url).cache);
    answer.loaded = [...new Set(files.flatMap((file) => /@tensorflow.[^/\\\\]+/.exec(file) ?? []))];
    console.log(JSON.stringify(answer));
  }`;

/** Opens a model in a process of its own, by the build under `root`, and classifies the rows (1, 0) and (0, 1). */
async function opened(root: string, folder: string, target: ComputeTarget, threads = 0): Promise<Answer[]> {
  const script = at('open.mjs');
  await writeFile(script, SCRIPT);
  const args = [script, root, folder, JSON.stringify(target), String(threads)];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Answer);
}

const write = (format: TensorflowFormat) =>
  linearTensorflowWriter(format)(at(`models-${format.toLowerCase()}`, 'linear'), LINEAR);

describe('a process', () => {
  it('that runs ONNX models never loads TensorFlow', async () => {
    const { folder } = await writeLinearModel(at('onnx', 'linear'), LINEAR);
    const [answer] = await opened(ROOT, folder, CPU_TARGET);
    expect(answer).toMatchObject({ classes: [0, 1], loaded: [] });
  });

  if (nativeTensorflowObstacle() === null) {
    it.each(['LayersModel', 'GraphModel', 'SavedModel'] as const)(
      'runs a %s in several threads, and writes nothing to the terminal',
      async (format) => {
        const { folder } = await write(format);
        const answers = await opened(ROOT, folder, CPU_TARGET, 2);
        expect(answers).toHaveLength(2);
        for (const answer of answers)
          expect(answer).toMatchObject({ classes: [0, 1], description: { provider: 'cpu' } });
      },
    );
  }
});

describe('without the native binding', () => {
  it('a model is refused with what to do, or runs on WebAssembly where that is allowed', async () => {
    const root = at('without');
    await installWithoutBinding(root);
    const { folder } = await write('GraphModel');
    const [refused] = await opened(root, folder, CPU_TARGET);
    expect(refused!.fault!.code).toBe('engine_missing');
    expect(refused!.fault!.message).toMatch(/npm run tensorflow|Node 20 and 22/);
    expect(refused!.fault!.message).toContain('SMOOTHCERT_TENSORFLOW_WASM=allow');
    expect(refused!.loaded).toEqual([]);

    const allowed = { ...CPU_TARGET, wasm: true };
    for (const format of ['LayersModel', 'GraphModel'] as const) {
      const [answer] = await opened(root, (await write(format)).folder, allowed, 1);
      expect(answer).toMatchObject({
        classes: [0, 1],
        description: {
          name: '@tensorflow/tfjs-backend-wasm',
          version: '4.22.0',
          provider: 'wasm',
          precision: 'fp32',
        },
      });
    }
    const [saved] = await opened(root, (await write('SavedModel')).folder, allowed);
    expect(saved!.fault!.code).toBe('model_invalid');
    expect(saved!.fault!.message).toContain('a SavedModel needs the native binding');
  });

  it('a host is out for good, starts no second process, and says so in one line that is no error', async () => {
    const root = at('supervised');
    await installWithoutBinding(root);
    const load = async (file: string): Promise<unknown> =>
      import(pathToFileURL(join(root, 'dist', file)).href);
    const { createDeviceHost } = (await load('host/device-host.js')) as typeof DeviceHosts;
    const { superviseHost } = (await load('host/supervised-host.js')) as typeof SupervisedHosts;
    const model = await write('LayersModel');
    const lines: { readonly level: number; readonly event: string }[] = [];
    const logger = pino(
      { level: 'info' },
      { write: (line) => lines.push(JSON.parse(line) as (typeof lines)[0]) },
    );
    const device = {
      id: 'cpu',
      name: 'CPU',
      kind: 'cpu',
      lanes: 1,
      driver: null,
    } as const;
    const inner = createDeviceHost(device, CPU_TARGET, process.env, logger);
    let loads = 0;
    const host = superviseHost({
      host: { ...inner, load: (model) => ((loads += 1), inner.load(model)) },
      engine: 'tensorflow',
      models: [model],
      logger,
      onChange: () => undefined,
      times: { firstPause: 1, longestPause: 1 },
    });
    try {
      expect(await host.start()).toMatchObject({ code: 'engine_missing' });
      await until(() => inner.pid() === null, { what: 'the end of its process' });
      // A probe would be due after a millisecond; the end of the process took longer.
      expect(host.status()).toMatchObject({ state: 'out', restarts: 0, hostPid: null });
      expect(loads).toBe(1);
      expect(lines.map(({ level }) => level)).toEqual([30, 30]);
      expect(lines.map(({ event }) => event)).toEqual(['model_not_loadable', 'device_host_state_changed']);
    } finally {
      await host.close();
    }
  });
});
