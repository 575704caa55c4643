import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { CPU_TARGET } from '../../src/inference/compute-target.ts';
import { inputElements } from '../../src/inference/manifest.ts';
import { openModelStore, type RegisteredModel, verifyModel } from '../../src/inference/model-store.ts';
import { openOnnxSession } from '../../src/inference/onnx-engine.ts';
import { gaussianCutpoints } from '../../src/random/cutpoints.ts';
import { NoiseKernel } from '../../src/random/noise-kernel.ts';
import { imageInput, writeLinearModel } from '../support/model-folder.ts';
import { useTemporaryDirectory } from '../support/temporary-directory.ts';
import { classify, engineLaws, pixels } from './engine-laws.ts';

const directory = useTemporaryDirectory();

engineLaws('ONNX Runtime on the CPU', (model) => openOnnxSession(model, CPU_TARGET));

describe('ONNX Runtime', () => {
  it('is described by the version of the installed package', async () => {
    const manifest = fileURLToPath(import.meta.resolve('onnxruntime-node/package.json'));
    const { version } = JSON.parse(await readFile(manifest, 'utf8')) as { version: string };
    const linear = { input: imageInput(1, 1), weights: [[1], [0]], biases: [0, 0] };
    const model = await verifyModel(await writeLinearModel(directory('linear'), linear));
    const session = await openOnnxSession(model, CPU_TARGET);
    onTestFinished(() => session.close());
    expect(session.description).toEqual({
      name: 'onnxruntime-node',
      version,
      provider: 'cpu',
      precision: 'fp32',
    });
  });
});

describe('the shipped models', async () => {
  const store = await openModelStore(fileURLToPath(new URL('../../models', import.meta.url)));

  it('are all valid', () => {
    expect(store.rejected).toEqual([]);
    expect(store.models.length).toBeGreaterThanOrEqual(2);
  });

  for (const model of store.models) shippedModel(model);
});

function shippedModel(model: RegisteredModel): void {
  it(`${model.manifest.name} classifies noisy images alike whatever the batch size`, async () => {
    const session = await openOnnxSession(await verifyModel(model), CPU_TARGET);
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
