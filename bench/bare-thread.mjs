// A thread that calls session.run on one prepared batch for a while: what the engine alone can do.
import { parentPort, workerData } from 'node:worker_threads';
import ort from 'onnxruntime-node';

const { path, shape, batchSize, milliseconds, gpu } = workerData;
const session = await ort.InferenceSession.create(path, {
  executionProviders: gpu ? [{ name: 'cuda', deviceId: 0 }] : ['cpu'],
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  logSeverityLevel: 3,
});
const elements = shape.reduce((product, side) => product * side, batchSize);
const data = Float32Array.from({ length: elements }, (_, index) => (index % 256) / 255);
const feeds = { [session.inputNames[0]]: new ort.Tensor('float32', data, [batchSize, ...shape]) };
for (let warm = 0; warm < 5; warm += 1) await session.run(feeds);
async function measure() {
  const start = performance.now();
  let calls = 0;
  while (performance.now() - start < milliseconds) {
    await session.run(feeds);
    calls += 1;
  }
  parentPort.postMessage((1000 * calls * batchSize) / (performance.now() - start));
  await session.release();
  parentPort.close();
}
parentPort.once('message', () => void measure());
parentPort.postMessage('ready');
