import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type ComputeTarget, CPU_TARGET } from '../../src/engines/compute-target.ts';
import { installWithoutBinding } from '../support/installation.ts';
import { linearTensorflowWriter, type TensorflowFormat } from '../support/linear-tensorflow.ts';
import { imageInput, writeLinearModel } from '../support/model-folder.ts';
import { nativeTensorflowObstacle } from '../support/native-tensorflow.ts';
import { useTemporaryDirectory } from '../support/temporary-directory.ts';

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
    const { openModelStore, verifyModel } = await import(root + '/dist/inference/model-store.js');
    const { openSession } = await import(root + '/dist/inference/open-session.js');
    const { models } = await openModelStore(dirname(folder));
    const answer = {};
    try {
      const model = await verifyModel(models.find((each) => each.folder === folder));
      const session = await openSession(model, JSON.parse(target));
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
    expect(refused!.fault!.code).toBe('engine_unavailable');
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
});
