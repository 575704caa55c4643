import ort from 'onnxruntime-node';
import type { ComputeTarget, Precision } from '../compute-target.ts';
import type { EngineSession } from '../engine.ts';
import { requireScores } from '../signature.ts';
import { inputElements, networkShape } from '../../models/manifest.ts';
import type { VerifiedModel } from '../../models/verify.ts';
import { openOnGpu } from './gpu.ts';
import { type OnnxProvider, providersOf } from './providers.ts';
import { createOnnxSession, type OnnxSession } from './session.ts';
import { signatureOf } from './signature.ts';

/**
 * Opens a model in ONNX Runtime on exactly `target`. On a GPU a trial batch is profiled, and a model of which any node
 * ran elsewhere is refused.
 *
 * @throws DomainError `model_invalid` where the runtime refuses the file, its inputs and outputs are not those of the
 *   manifest, or the GPU cannot compute all of it; `device_unavailable` where the GPU cannot be used or computes in a
 *   coarser arithmetic
 */
export async function openOnnxSession(model: VerifiedModel, target: ComputeTarget): Promise<EngineSession> {
  const providers = providersOf(target);
  if (target.kind !== 'cpu') {
    const { opened, provider } = await openOnGpu(model, target, providers);
    // WebGPU's shaders know no TF32.
    return wrap(opened, model, provider, target.kind === 'cuda' ? target.precision : 'fp32');
  }
  const opened = await createOnnxSession(model, { executionProviders: ['cpu'] }, providers);
  try {
    return wrap(opened, model, 'cpu', 'fp32');
  } catch (error) {
    await opened.session.release();
    throw error;
  }
}

function wrap(
  opened: OnnxSession,
  model: VerifiedModel,
  provider: OnnxProvider,
  precision: Precision,
): EngineSession {
  const shape = networkShape(model.manifest);
  const elements = inputElements(model.manifest);
  const { session, logits } = opened;
  const { input, fetched, fixedBatch } = signatureOf(opened, model);
  return {
    identity: {
      name: 'onnxruntime-node',
      version: ort.env.versions.node ?? 'unknown',
      provider,
      precision,
    },
    fixedBatch,
    softmax: logits?.softmax ?? null,
    async scores(batch, rows) {
      const tensor = new ort.Tensor('float32', batch.subarray(0, rows * elements), [rows, ...shape]);
      const scores = (await session.run({ [input.name]: tensor }, [fetched]))[fetched]!;
      requireScores(scores.dims, rows, model);
      return scores.data as Float32Array;
    },
    close: () => session.release(),
  };
}
