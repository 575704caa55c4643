import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { CPU_TARGET } from '../../src/engines/compute-target.ts';
import { verifyModel } from '../../src/models/store.ts';
import { openOnnxSession } from '../../src/engines/onnx/engine.ts';
import { imageInput, writeLinearModel } from '../support/model-folder.ts';
import { useTemporaryDirectory } from '../support/temporary-directory.ts';
import { engineLaws } from './engine-laws.ts';

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
