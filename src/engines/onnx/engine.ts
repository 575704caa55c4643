import ort from 'onnxruntime-node';
import type { ComputeTarget, Precision } from '../compute-target.ts';
import type { EngineSession } from '../engine.ts';
import { requireScores } from '../signature.ts';
import { inputElements, inputShape } from '../../models/manifest.ts';
import type { VerifiedModel } from '../../models/store.ts';
import { openOnGpu } from './gpu.ts';
import { type OnnxProvider, providersOf } from './providers.ts';
import { createOnnxSession } from './session.ts';
import { fixedBatchOf } from './signature.ts';

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
    const { session, provider } = await openOnGpu(model, target, providers);
    // WebGPU's shaders know no TF32.
    return wrap(session, model, provider, target.kind === 'cuda' ? target.precision : 'fp32');
  }
  const session = await createOnnxSession(model, { executionProviders: ['cpu'] }, providers);
  try {
    return wrap(session, model, 'cpu', 'fp32');
  } catch (error) {
    await session.release();
    throw error;
  }
}

function wrap(
  session: ort.InferenceSession,
  model: VerifiedModel,
  provider: OnnxProvider,
  precision: Precision,
): EngineSession {
  const shape = inputShape(model.manifest);
  const elements = inputElements(model.manifest);
  const [inputName, outputName] = [session.inputNames[0]!, session.outputNames[0]!];
  return {
    identity: {
      name: 'onnxruntime-node',
      version: ort.env.versions.node ?? 'unknown',
      provider,
      precision,
    },
    fixedBatch: fixedBatchOf(session, model),
    async scores(batch, rows) {
      const tensor = new ort.Tensor('float32', batch.subarray(0, rows * elements), [rows, ...shape]);
      const output = (await session.run({ [inputName]: tensor }, [outputName]))[outputName]!;
      requireScores(output.dims, rows, model);
      return output.data as Float32Array;
    },
    close: () => session.release(),
  };
}
