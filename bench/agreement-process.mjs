// One engine in a process of its own, as a device host has it: opens the model that it is sent and answers the class of
// each sample of each image, with the service's own noise.
import { dirname } from 'node:path';
import { gaussianCutpoints } from '../dist/random/cutpoints.js';
import { NoiseKernel } from '../dist/random/noise-kernel.js';
import { openModelStore } from '../dist/models/store.js';
import { verifyModel } from '../dist/models/verify.js';
import { openClassifier } from '../dist/engines/open-classifier.js';

async function open(folder, target, wasm) {
  const { models } = await openModelStore(dirname(folder));
  const model = await verifyModel(models.find((each) => each.folder === folder));
  if (!wasm) return openClassifier(model, target);
  // Asked for by name, since the native binding would be taken where it is.
  const { loadTensorflowWasm } = await import('../dist/engines/tensorflow/library.js');
  const { openIn } = await import('../dist/engines/tensorflow/engine.js');
  return openClassifier(model, target, async () => openIn(await loadTensorflowWasm(), model));
}

async function run({ folder, target, wasm, sigma, images, streams, samples, rows }) {
  const session = await open(folder, target, wasm);
  const kernel = NoiseKernel.create({ elements: images[0].length, rows });
  kernel.setLaw(gaussianCutpoints(sigma));
  const batch = new Int32Array(rows);
  const start = performance.now();
  for (const [index, image] of images.entries()) {
    const classes = new Uint8Array(samples);
    for (let firstSample = 0; firstSample < samples; firstSample += rows) {
      const count = Math.min(rows, samples - firstSample);
      const stream = streams[index];
      kernel.fill({ row: 0, rows: count, image, stream, purpose: 'estimation', firstSample });
      await session.classify(kernel.batch, count, batch);
      classes.set(batch.subarray(0, count), firstSample);
    }
    process.send({ classes });
  }
  const speed = (1000 * images.length * samples) / (performance.now() - start);
  const { description } = session;
  await session.close();
  process.send({ description, speed }, () => process.disconnect());
}

process.once('message', (work) => void run(work));
