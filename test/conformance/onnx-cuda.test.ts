import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type ComputeTarget, CPU_TARGET } from '../../src/engines/compute-target.ts';
import { inputElements } from '../../src/models/manifest.ts';
import { openModelStore } from '../../src/models/store.ts';
import { type VerifiedModel, verifyModel } from '../../src/models/verify.ts';
import { openOnnxSession } from '../../src/engines/onnx/engine.ts';
import { openClassifier } from '../../src/engines/open-classifier.ts';
import { domainFault } from '../support/domain-fault.ts';
import { missingForNvidia } from '../support/nvidia.ts';
import { classify, engineLaws, pixels } from './engine-laws.ts';

// On a machine with an NVIDIA GPU and the provider's library the laws hold there; on any other the provider is refused
// with what is missing. vitest.config.ts sets NVIDIA_TF32_OVERRIDE=0 for these processes, as a host's environment does.

async function shipped(): Promise<VerifiedModel> {
  const store = await openModelStore(fileURLToPath(new URL('../../models', import.meta.url)));
  return verifyModel(store.find('mnist-cnn')!);
}

for (const provider of ['cuda', 'tensorrt'] as const) {
  const target: ComputeTarget = { ...CPU_TARGET, kind: 'cuda', tensorrt: provider === 'tensorrt' };
  const missing = missingForNvidia(provider);
  if (missing === null) onNvidia(provider, target);
  else {
    console.log(`conformance: onnx ${provider}: not run, ${missing}`);
    without(provider, target);
  }
}

function onNvidia(provider: 'cuda' | 'tensorrt', target: ComputeTarget): void {
  describe(`ONNX Runtime with ${provider}`, () => {
    engineLaws(provider, (model) => openOnnxSession(model, target));

    it('computes the shipped model, in fp32, and classifies noisy digits as the CPU does', async () => {
      const model = await shipped();
      const rows = 256;
      const batch = pixels(rows * inputElements(model.manifest), 12);
      const expected = await openClassifier(model, CPU_TARGET);
      onTestFinished(() => expected.close());
      const session = await openClassifier(model, target);
      onTestFinished(() => session.close());
      expect(session.description).toMatchObject({ provider, precision: 'fp32' });
      expect(await classify(session, batch, rows)).toEqual(await classify(expected, batch, rows));
    });

    it('says tf32 where that is allowed', async () => {
      const session = await openOnnxSession(await shipped(), { ...target, precision: 'tf32' });
      onTestFinished(() => session.close());
      expect(session.identity).toMatchObject({ provider, precision: 'tf32' });
    });
  });
}

function without(provider: 'cuda' | 'tensorrt', target: ComputeTarget): void {
  describe(`ONNX Runtime without ${provider}`, () => {
    it('refuses to open a model, and says which library is missing and where to read on', async () => {
      const model = await shipped();
      const fault = await domainFault(() => openOnnxSession(model, target));
      expect(fault.code).toBe('device_unavailable');
      expect(fault.message).toContain(`ONNX Runtime cannot compute on ${provider}`);
      expect(fault.message).toContain('docs/gpu.md');
    });
  });
}
