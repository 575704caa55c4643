import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { CPU_TARGET } from '../../src/engines/compute-target.ts';
import { type Classifier, createClassifier } from '../../src/engines/classifier.ts';
import type { RegisteredModel } from '../../src/models/store.ts';
import { verifyModel } from '../../src/models/verify.ts';
import { openClassifier } from '../../src/engines/open-classifier.ts';
import { openIn } from '../../src/engines/tensorflow/engine.ts';
import { type LoadedTensorflow, loadTensorflow } from '../../src/engines/tensorflow/library.ts';
import { openBatchMemory } from '../../src/host/batch-memory.ts';
import type * as DeviceHosts from '../../src/host/device-host.ts';
import type * as SupervisedHosts from '../../src/host/supervised-host.ts';
import { gaussianLaw } from '../../src/random/noise-law.ts';
import { type ConvolutionInput, writeConvolution } from '../support/convolution-model.ts';
import { domainFault } from '../support/domain-fault.ts';
import { linearTensorflowWriter, type TensorflowFormat } from '../support/linear-tensorflow.ts';
import { constant, FLOAT, type GraphFunction, INT, savedModel } from '../support/tensorflow-graph.ts';
import { imageInput, writeModelFolder } from '../support/model-folder.ts';
import { nativeTensorflowObstacle } from '../support/native-tensorflow.ts';
import { SHARED_CACHE } from '../support/shared-cache.ts';
import { useTemporaryDirectory } from '../support/temporary-directory.ts';
import { classify, pixels } from './engine-laws.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const at = useTemporaryDirectory();
const LINEAR = { input: imageInput(1, 2, 1, 'NHWC'), weights: [[1, -0.25], [-0.5, 0.75]], biases: [0.125, 0.25] }; // prettier-ignore
const open = async (model: RegisteredModel): Promise<Classifier> => {
  const session = await openClassifier(await verifyModel(model), CPU_TARGET);
  onTestFinished(() => session.close());
  return session;
};
const linear = (name: string, format: TensorflowFormat, batch?: number): Promise<RegisteredModel> =>
  linearTensorflowWriter(format)(at(name), { ...LINEAR, ...(batch === undefined ? {} : { batch }) });

const built = (path: string): string => new URL(`../../dist/host/${path}`, import.meta.url).href;
const { createDeviceHost } = (await import(built('device-host.js'))) as typeof DeviceHosts;
const { superviseHost } = (await import(built('supervised-host.js'))) as typeof SupervisedHosts;
const IMAGE = { name: 'image:0', dims: [-1, 2, 2, 1] };
/** What TensorFlow.js says of its memory, for which the product has no use. */
interface Counted {
  readonly memory: () => { readonly numTensors: number; readonly numBytes: number };
}

const VARIABLES = ['variables/variables.index', 'variables/variables.data-00000-of-00001'];
/** A model folder of a SavedModel that TensorFlow wrote. */
function written(name: string, fixture: string, files = ['saved_model.pb', ...VARIABLES]) {
  const bytes = files.map((file) => [
    file,
    readFileSync(join(ROOT, 'test/fixtures/tensorflow', fixture, file)),
  ]);
  return writeModelFolder(at(name), {
    engine: 'tensorflow',
    files: Object.fromEntries(bytes) as Record<string, Buffer>,
    input: LINEAR.input,
    classes: 2,
  });
}

const convolution = (name: string, image: ConvolutionInput): Promise<RegisteredModel> =>
  writeConvolution(at(name), image);

function traps(): void {
  describe('a SavedModel', () => {
    it('that takes another rank, shape or type than the manifest says is refused before it runs: the binding aborts the process', async () => {
      const sound = await convolution('sound', { name: 'image:0', dims: [-1, 2, 2, 1] });
      expect(await classify(await open(sound), Float32Array.of(1, 0, 0, 0), 1)).toEqual([1]);

      const script = `
        const tf = require('@tensorflow/tfjs-node-gpu');
        tf.node.loadSavedModel(process.argv[1]).then((model) => model.predict(tf.ones([3, 4])));`;
      const raw = spawnSync(process.execPath, ['--eval', script, sound.folder], {
        cwd: ROOT,
        encoding: 'utf8',
      });
      expect(raw.signal).toBe('SIGABRT');
      expect(raw.stderr).toContain('Check failed');

      for (const [name, image] of Object.entries({
        flat: { name: 'image:0', dims: [-1, 4] },
        larger: { name: 'image:0', dims: [-1, 3, 2, 1] },
        any: { name: 'image:0' },
        whole: { name: 'image:0', dims: [-1, 2, 2, 1], dtype: 3 },
      })) {
        const model = await verifyModel(await convolution(name, image));
        const fault = await domainFault(() => openClassifier(model, CPU_TARGET));
        expect(fault.code).toBe('model_invalid');
        expect(fault.message).toMatch(/the manifest says \[batch, 2, 2, 1\]|float32 is expected/);
      }
    });

    it('with variables is read, from a private copy that is gone afterwards', async () => {
      const model = await written('with-variables', 'variables');
      const temporary = at('temporary');
      mkdirSync(temporary);
      vi.stubEnv('TMPDIR', temporary);
      onTestFinished(() => void vi.unstubAllEnvs());
      const session = await open(model);
      expect(readdirSync(temporary)).toEqual([]);
      expect(await classify(session, Float32Array.of(1, 0, 0, 1), 2)).toEqual([0, 1]);
    });

    it('loses a Softmax at its end in the functions that it calls, and nothing else', async () => {
      const model = await written('with-softmax', 'variables');
      const session = await open(model);
      expect(session.description).not.toHaveProperty('output');

      const floats = { T: FLOAT };
      const serve = {
        name: 'serve',
        inputs: ['image'],
        results: { scores: 'identity:output:0' },
        nodes: [
          constant('shape', { dtype: 'DT_INT32', dims: [2], values: [-1, 2] }),
          {
            name: 'logits',
            op: 'Reshape',
            input: ['image', 'shape:output:0'],
            attr: { ...floats, Tshape: INT },
          },
          { name: 'softmax', op: 'Softmax', input: ['logits:output:0'], attr: floats },
          { name: 'identity', op: 'Identity', input: ['softmax:softmax:0'], attr: floats },
        ],
      } as const satisfies GraphFunction;
      const bytes = savedModel({
        functions: [serve],
        nodes: [
          { name: 'image', op: 'Placeholder', attr: { dtype: FLOAT, shape: { shape: [-1, 1, 2, 1] } } },
          {
            name: 'call',
            op: 'StatefulPartitionedCall',
            input: ['image'],
            attr: { f: { func: 'serve' }, Tin: { types: ['DT_FLOAT'] }, Tout: { types: ['DT_FLOAT'] } },
          },
        ],
        inputs: { image: { name: 'image:0', dims: [-1, 1, 2, 1] } },
        outputs: { scores: { name: 'call:0', dims: [-1, 2] } },
      });
      const called = await open(
        await writeModelFolder(at('calls'), {
          engine: 'tensorflow',
          files: { 'saved_model.pb': bytes },
          input: LINEAR.input,
          classes: 2,
        }),
      );
      expect(called.description).toMatchObject({ output: 'logits before Softmax' });
      // A Softmax makes equal numbers of these.
      expect(await classify(called, Float32Array.of(0, 1e-9, 1e-9, 0), 2)).toEqual([1, 0]);
    });

    it('whose variables are missing is refused when it is opened', async () => {
      const model = await verifyModel(await written('without-variables', 'variables', ['saved_model.pb']));
      const fault = await domainFault(() => openClassifier(model, CPU_TARGET));
      expect(fault.code).toBe('model_invalid');
      expect(fault.message).toContain('variable');
    });

    it('of a later TensorFlow is refused with what to do by 2.9.1, and read by later ones', async () => {
      const { identity } = await loadTensorflow(CPU_TARGET);
      const older = identity.version.endsWith('+tensorflow.2.9.1');
      const model = await verifyModel(await written('later', 'copy-on-read'));
      const answer = await open(model)
        .then((session) => classify(session, Float32Array.of(1, 0, 0, 1), 2))
        .catch((error: unknown) => error);
      const refusal: unknown = expect.objectContaining({
        code: 'model_invalid',
        message: expect.stringMatching(
          /DisableCopyOnRead came after TensorFlow 2\.9\.1: freeze .* or build a newer one/,
        ) as string,
      });
      expect(answer).toEqual(older ? refusal : [0, 1]);
    });

    it('is opened from the bytes that were verified, each time anew', async () => {
      const first = await linear('anew', 'SavedModel');
      const session = await open(first);
      const turned = { ...LINEAR, weights: LINEAR.weights.toReversed(), biases: LINEAR.biases.toReversed() };
      const second = await open(await linearTensorflowWriter('SavedModel')(first.folder, turned));
      const rows = pixels(2 * 50, 4);
      const classes = await classify(session, rows, 50);
      expect(await classify(second, rows, 50)).toEqual(classes.map((each) => 1 - each));
    });
  });

  it('a LayersModel whose weights have other names than its layers is refused with what to do', async () => {
    const { folder, manifest } = await linear('other-names', 'LayersModel');
    const files = manifest.files.map(({ path }) => [path, readFileSync(join(folder, path))] as const);
    const renamed = files.map(([path, bytes]) => [
      path,
      path === 'model.json' ? Buffer.from(bytes.toString().replace('/kernel"', '_1/kernel"')) : bytes,
    ]);
    const model = await writeModelFolder(at('renamed'), {
      engine: 'tensorflow',
      files: Object.fromEntries(renamed) as Record<string, Buffer>,
      input: LINEAR.input,
      classes: 2,
    });
    const fault = await domainFault(async () => openClassifier(await verifyModel(model), CPU_TARGET));
    expect(fault.code).toBe('model_invalid');
    expect(fault.message).toMatch(
      /no target variable: .*_1\/kernel \(.* save a SavedModel; docs\/your-model\.md\)$/,
    );
  });

  it('a LayersModel computes a whole batch at once, not 32 rows at a time', async () => {
    const library = await loadTensorflow(CPU_TARGET);
    const batches: (number | undefined)[] = [];
    const tf: LoadedTensorflow['tf'] = {
      ...library.tf,
      async loadLayersModel(source) {
        const model = await library.tf.loadLayersModel(source);
        const predict = model.predict.bind(model);
        model.predict = (input, options) => {
          batches.push(options?.batchSize);
          return predict(input, options);
        };
        return model;
      },
    };
    const model = await verifyModel(await linear('whole', 'LayersModel'));
    const session = createClassifier(await openIn({ ...library, tf }, model), model.manifest);
    onTestFinished(() => session.close());
    batches.length = 0;
    await classify(session, pixels(2 * 256, 1), 256);
    expect(batches).toEqual([256]);
  });

  it.each(['LayersModel', 'GraphModel', 'SavedModel'] as const)(
    'the memory of a %s stays the same from the first batch to the last, where batches fail too',
    async (format) => {
      const { tf } = await loadTensorflow(CPU_TARGET);
      const memory = (tf as typeof tf & Counted).memory;
      const before = memory();
      const session = await openClassifier(
        await verifyModel(await linear(`memory-${format.toLowerCase()}`, format)),
        CPU_TARGET,
      );
      const rows = pixels(2 * 40, 5);
      const spoilt = rows.slice().fill(NaN, 0, 1);
      await classify(session, rows, 40);
      const { numTensors, numBytes } = memory();
      for (let batch = 0; batch < 200; batch += 1) {
        await classify(session, rows, 40);
        await expect(classify(session, spoilt, 40)).rejects.toThrow('not a finite number');
      }
      expect(memory()).toMatchObject({ numTensors, numBytes });
      await session.close();
      expect(memory()).toMatchObject({ numTensors: before.numTensors, numBytes: before.numBytes });
    },
  );

  it('TensorFlow refuses CUDA where it finds no GPU', async () => {
    const fault = await domainFault(() => loadTensorflow({ ...CPU_TARGET, kind: 'cuda' }));
    expect(fault.code).toBe('engine_unavailable');
    expect(fault.message).toContain('found no GPU');
  });

  it('is described by the versions of the package and of TensorFlow, though WebAssembly is allowed', async () => {
    const { identity } = await loadTensorflow({ ...CPU_TARGET, wasm: true });
    const { version } = createRequire(import.meta.url)('@tensorflow/tfjs-node-gpu/package.json') as {
      version: string;
    };
    expect(identity).toEqual({
      name: '@tensorflow/tfjs-node-gpu',
      version: expect.stringMatching(
        new RegExp(`^${version.replaceAll('.', '\\.')}\\+tensorflow\\.\\d+\\.\\d+\\.\\d+$`),
      ),
      provider: 'cpu',
      precision: 'fp32',
    });
  });

  it('a model on which native code aborts ends a host process, and nothing else: other models are served', async () => {
    const lying = await writeConvolution(at('lying'), IMAGE, true);
    const sound = await writeConvolution(at('beside'), IMAGE);
    const log: Record<string, unknown>[] = [];
    const logger = pino(
      { level: 'debug' },
      { write: (line: string) => void log.push(JSON.parse(line) as Record<string, unknown>) },
    );
    const device = {
      id: 'cpu',
      name: 'CPU',
      kind: 'cpu',
      lanes: 1,
      driver: null,
    } as const;
    const host = superviseHost({
      host: createDeviceHost(device, CPU_TARGET, { ...process.env }, logger, {
        batches: openBatchMemory(SHARED_CACHE, device),
      }),
      engine: 'tensorflow',
      models: [lying, sound],
      logger,
      onChange: () => undefined,
    });
    onTestFinished(() => host.close());
    await host.start();
    expect(log).toContainEqual(
      expect.objectContaining({ event: 'device_host_crashed', reason: 'died of SIGABRT' }),
    );
    // TensorFlow's own last words are in the log too.
    expect(log).toContainEqual(
      expect.objectContaining({
        event: 'device_host_output',
        line: expect.stringContaining('Check failed') as string,
      }),
    );
    expect(log).toContainEqual(
      expect.objectContaining({
        event: 'model_not_loadable',
        model: lying.manifest.name,
        code: 'device_failed',
      }),
    );
    const status = host.status();
    expect(status).toMatchObject({ state: 'ready', reason: null });
    expect(status.models.map(({ digest }) => digest)).toEqual([sound.digest]);
    const outcome = await host.draw(
      {
        id: 'work',
        model: sound,
        noise: gaussianLaw(0.25),
        inputs: [{ bytes: Uint8Array.of(10, 20, 30, 40), stream: { key0: 1, key1: 2, stream: 3 } }],
        segments: [{ input: 0, purpose: 'estimation', firstSample: 0, count: 1_000 }],
      },
      new AbortController().signal,
      () => undefined,
    );
    expect(outcome).toMatchObject({ kind: 'sampled', engine: { name: '@tensorflow/tfjs-node-gpu' } });
  });
}

it('TensorFlow refuses WebGPU', async () => {
  const fault = await domainFault(() => loadTensorflow({ ...CPU_TARGET, kind: 'webgpu' }));
  expect(fault.code).toBe('engine_unavailable');
  expect(fault.message).toContain('not on WebGPU');
});

// The suite of the engine's laws says why it is not here.
if (nativeTensorflowObstacle() === null) traps();
