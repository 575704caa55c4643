import { describe, expect, it } from 'vitest';
import { CPU_TARGET } from '../../src/engines/compute-target.ts';
import { verifyModel } from '../../src/models/verify.ts';
import { openClassifier } from '../../src/engines/open-classifier.ts';
import { useTemporaryDirectory } from '../support/temporary-directory.ts';
import {
  classesIn,
  disagreements,
  type NetworkEngine,
  noisyExamples,
  readNetwork,
  shippedModels,
} from './network-engine.ts';

// Runs in the vitest project "webgpu", as onnx-webgpu.test.ts does. SwiftShader computes some 60 samples a second.

const at = useTemporaryDirectory();
const engine = (kind: 'cpu' | 'webgpu'): NetworkEngine => ({
  name: kind,
  format: 'onnx',
  open: async (model) => openClassifier(await verifyModel(model), { ...CPU_TARGET, kind }),
});

describe.each(await shippedModels())('ONNX Runtime on WebGPU and on the CPU, $manifest.name', (model) => {
  it('disagree on at most one of 32 noisy samples, and on that by rounding', async () => {
    const network = readNetwork(model);
    const batch = await noisyExamples(model, 4, 8);
    const folder = (kind: string): string => at(`${model.manifest.name}-${kind}`);
    const expected = await classesIn(engine('cpu'), folder('cpu'), network, batch);
    const found = await classesIn(engine('webgpu'), folder('webgpu'), network, batch);
    expect(found).toHaveLength(32);
    const differing = disagreements(network, batch, expected, found);
    expect(differing.length).toBeLessThanOrEqual(1);
    for (const { gap, bound } of differing) expect(gap).toBeLessThanOrEqual(bound);
  });
});
