import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { CPU_TARGET } from '../../src/engines/compute-target.ts';
import type { Classifier } from '../../src/engines/classifier.ts';
import { inputElements } from '../../src/models/manifest.ts';
import { openModelStore, type RegisteredModel } from '../../src/models/store.ts';
import { type VerifiedModel, verifyModel } from '../../src/models/verify.ts';
import { openClassifier } from '../../src/engines/open-classifier.ts';
import { openIn } from '../../src/engines/tensorflow/engine.ts';
import { loadTensorflowWasm } from '../../src/engines/tensorflow/library.ts';
import { gaussianCutpoints } from '../../src/random/cutpoints.ts';
import { NoiseKernel } from '../../src/random/noise-kernel.ts';
import { nativeTensorflowObstacle } from '../support/native-tensorflow.ts';
import { classify, pixels } from './engine-laws.ts';

const obstacle = nativeTensorflowObstacle();

// Each in the engine that its manifest names; TensorFlow's native binding where that can be.
describe('the shipped models', async () => {
  const store = await openModelStore(fileURLToPath(new URL('../../models', import.meta.url)));

  it('are all valid', () => {
    expect(store.rejected).toEqual([]);
    expect(store.models.length).toBeGreaterThanOrEqual(3);
  });

  for (const model of store.models) {
    const { name, engine } = model.manifest;
    const target = { ...CPU_TARGET, wasm: obstacle !== null };
    shippedModel(name, model, (verified) => openClassifier(verified, target));
    if (engine !== 'tensorflow') continue;
    if (obstacle !== null) console.log(`conformance: ${name} on the native binding: not run, ${obstacle}`);
    // After the native binding: both are in this process, and the backend that is set last computes.
    shippedModel(`${name} on WebAssembly`, model, async (verified) =>
      openClassifier(verified, CPU_TARGET, async () => openIn(await loadTensorflowWasm(), verified)),
    );
  }
});

function shippedModel(
  name: string,
  model: RegisteredModel,
  open: (verified: VerifiedModel) => Promise<Classifier>,
): void {
  it(`${name} classifies noisy images alike whatever the batch size`, async () => {
    const session = await open(await verifyModel(model));
    onTestFinished(() => session.close());
    const elements = inputElements(model.manifest);
    const rows = 320;
    const kernel = NoiseKernel.create({ elements, rows });
    kernel.setLaw(gaussianCutpoints(0.5));
    const image = Uint8Array.from(pixels(elements, 11), (each) => Math.round(255 * each * each));
    const stream = { key0: 1, key1: 2, stream: 3 };
    kernel.fill({ row: 0, rows, image, stream, purpose: 'estimation', firstSample: 0 });
    const whole = await classify(session, kernel.batch, rows);
    for (const size of [1, 5, 8, 64, 100, 256]) {
      const parts: number[] = [];
      for (let row = 0; row < rows; row += size)
        parts.push(
          ...(await classify(session, kernel.batch.subarray(row * elements), Math.min(size, rows - row))),
        );
      expect(parts).toEqual(whole);
    }
  });
}
