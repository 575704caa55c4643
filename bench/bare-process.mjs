// A process that runs the network alone on one prepared batch for a while: what the engine can do. Its environment is that
// of a device host, in force before a library loads.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(import.meta.url);

/** A function that runs the model of `folder` once on `values`. */
async function openOnnx({ folder, file, provider, shape, batchSize }, values) {
  const ort = require('onnxruntime-node');
  const session = await ort.InferenceSession.create(join(folder, file), {
    executionProviders: [provider === 'cuda' ? { name: 'cuda', deviceId: 0 } : provider],
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    logSeverityLevel: 3,
  });
  const feeds = { [session.inputNames[0]]: new ort.Tensor('float32', values, [batchSize, ...shape]) };
  return () => session.run(feeds);
}

async function openTensorflow({ folder, file, provider, shape, batchSize }, values) {
  const { loadTensorflow, loadTensorflowWasm } = await import('../dist/engines/tensorflow/library.js');
  const target = { kind: provider, precision: 'fp32', tensorrt: false, wasm: false };
  const { tf } = provider === 'wasm' ? await loadTensorflowWasm() : await loadTensorflow(target);
  const { modelTopology, weightsManifest } = JSON.parse(readFileSync(join(folder, file), 'utf8'));
  const weights = Buffer.concat(
    weightsManifest.flatMap(({ paths }) => paths.map((path) => readFileSync(join(folder, path)))),
  );
  const model = await tf.loadLayersModel({
    load: async () => ({
      modelTopology,
      weightSpecs: weightsManifest.flatMap((each) => each.weights),
      weightData: weights.buffer.slice(weights.byteOffset, weights.byteOffset + weights.length),
    }),
  });
  return () =>
    tf.tidy(() =>
      model.predict(tf.tensor(values, [batchSize, ...shape], 'float32'), { batchSize }).dataSync(),
    );
}

process.once('message', (task) => void prepare(task));

async function prepare(task) {
  const elements = task.shape.reduce((product, side) => product * side, task.batchSize);
  const values = Float32Array.from({ length: elements }, (_, index) => (index % 256) / 255);
  const run = await (task.engine === 'onnx' ? openOnnx : openTensorflow)(task, values);
  for (let warm = 0; warm < 3; warm += 1) await run();
  process.once('message', () => void measure(task, run));
  process.send('ready');
}

async function measure(task, run) {
  const start = performance.now();
  let calls = 0;
  while (performance.now() - start < task.milliseconds) {
    await run();
    calls += 1;
  }
  process.send((1000 * calls * task.batchSize) / (performance.now() - start));
  process.disconnect();
}
