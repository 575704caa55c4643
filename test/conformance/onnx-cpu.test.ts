import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { CPU_TARGET } from '../../src/engines/compute-target.ts';
import { verifyModel } from '../../src/models/verify.ts';
import { openOnnxSession } from '../../src/engines/onnx/engine.ts';
import { createClassifier } from '../../src/engines/classifier.ts';
import { domainFault } from '../support/domain-fault.ts';
import { linearOnnx, weightBytes } from '../support/linear-onnx.ts';
import { imageInput, writeLinearModel, writeModelFolder } from '../support/model-folder.ts';
import { useTemporaryDirectory } from '../support/temporary-directory.ts';
import { classify, engineLaws } from './engine-laws.ts';

const directory = useTemporaryDirectory();

engineLaws('ONNX Runtime on the CPU', (model) => openOnnxSession(model, CPU_TARGET));

describe('ONNX Runtime', () => {
  const TWO = { weights: [[1, -1], [-1, 1]], biases: [0, 0] }; // prettier-ignore
  const swapped = { weights: TWO.weights.toReversed(), biases: [0, 0] };
  const external = (folder: string, weights: typeof TWO) =>
    writeModelFolder(folder, {
      files: {
        'model.onnx': linearOnnx({ ...weights, shape: [1, 1, 2], externalWeights: 'parts/weights.bin' }),
        'parts/weights.bin': weightBytes(weights),
      },
      input: imageInput(1, 2),
      classes: 2,
    });

  it('computes with weights beside the model, by the bytes that were verified, whatever the working directory', async () => {
    const model = await verifyModel(await external(directory('external'), TWO));
    const session = await openOnnxSession(model, CPU_TARGET);
    onTestFinished(() => session.close());
    await writeFile(join(model.folder, 'parts/weights.bin'), weightBytes(swapped));
    const classifier = createClassifier(session, model.manifest);
    expect(await classify(classifier, Float32Array.of(1, 0, 0, 1), 2)).toEqual([0, 1]);
  });

  it('runs no file that was replaced after it was verified, be it the model or its weights', async () => {
    for (const [file, bytes] of [
      ['model.onnx', linearOnnx({ ...swapped, shape: [1, 1, 2] })],
      ['parts/weights.bin', weightBytes(swapped)],
    ] as const) {
      const model = await verifyModel(await external(directory(`replaced-${bytes.length}`), TWO));
      await writeFile(join(model.folder, file), bytes);
      const fault = await domainFault(() => openOnnxSession(model, CPU_TARGET));
      expect(fault.code).toBe('model_digest_mismatch');
      expect(fault.message).toContain(file);
    }
  });

  it('is described by the version of the installed package', async () => {
    const manifest = fileURLToPath(import.meta.resolve('onnxruntime-node/package.json'));
    const { version } = JSON.parse(await readFile(manifest, 'utf8')) as { version: string };
    const linear = { input: imageInput(1, 1), weights: [[1], [0]], biases: [0, 0] };
    const model = await verifyModel(await writeLinearModel(directory('linear'), linear));
    const session = await openOnnxSession(model, CPU_TARGET);
    onTestFinished(() => session.close());
    expect(session.identity).toEqual({
      name: 'onnxruntime-node',
      version,
      provider: 'cpu',
      precision: 'fp32',
    });
  });
});
