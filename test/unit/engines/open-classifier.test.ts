import { describe, expect, it } from 'vitest';
import { CPU_TARGET } from '../../../src/engines/compute-target.ts';
import { verifyModel } from '../../../src/models/store.ts';
import { openOnnxSession } from '../../../src/engines/onnx/engine.ts';
import { openClassifier } from '../../../src/engines/open-classifier.ts';
import { MODELS } from '../../support/api.ts';
import { openModelStore } from '../../../src/models/store.ts';
import { domainFault } from '../../support/domain-fault.ts';
import { PRELUDES } from '../../support/linear-onnx.ts';
import { imageInput, writeLinearModel } from '../../support/model-folder.ts';
import { useTemporaryDirectory } from '../../support/temporary-directory.ts';

const at = useTemporaryDirectory();
/** Light and dark images are told apart at a mean of one half. */
const brightness = {
  weights: [
    [1, 1, 1, 1],
    [0, 0, 0, 0],
  ],
  biases: [-2, 0],
  input: imageInput(2, 2),
};

describe('a network that subtracts the mean of the batch', () => {
  it('is refused: what is in the same batch would change a vote', async () => {
    const model = await writeLinearModel(at('mixing'), {
      ...brightness,
      biases: [0, 0],
      prelude: PRELUDES.batchMean,
    });
    const fault = await domainFault(async () => openClassifier(await verifyModel(model), CPU_TARGET));
    expect(fault.code).toBe('model_invalid');
    expect(fault.message).toContain('other scores');
  });

  it('is refused with a fixed batch as well', async () => {
    const prelude = PRELUDES.batchMean;
    const model = await writeLinearModel(at('fixed'), { ...brightness, biases: [0, 0], prelude, batch: 8 });
    expect((await domainFault(async () => openClassifier(await verifyModel(model), CPU_TARGET))).code).toBe(
      'model_invalid',
    );
  });

  it('could be opened but for this check', async () => {
    const model = await writeLinearModel(at('unchecked'), { ...brightness, prelude: PRELUDES.batchMean });
    const session = await openOnnxSession(await verifyModel(model), CPU_TARGET);
    await session.close();
  });
});

describe('a network that classifies each row by itself', () => {
  it('is opened, whatever its batch', async () => {
    for (const batch of ['batch', 1, 5]) {
      const model = await writeLinearModel(at(`plain-${batch}`), { ...brightness, batch });
      const session = await openClassifier(await verifyModel(model), CPU_TARGET);
      await session.close();
    }
  });

  it('is what the shipped models are', async () => {
    for (const model of (await openModelStore(MODELS)).models) {
      const session = await openClassifier(await verifyModel(model), { ...CPU_TARGET, wasm: true });
      await session.close();
    }
  });
});
