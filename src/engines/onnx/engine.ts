import ort from 'onnxruntime-node';
import type { ComputeTarget, Precision } from '../compute-target.ts';
import { argmaxRows, type EngineSession } from '../engine.ts';
import { inputElements, inputShape } from '../../models/manifest.ts';
import type { VerifiedModel } from '../../models/store.ts';
import { openOnGpu } from './gpu.ts';
import { type OnnxProvider, providersOf } from './providers.ts';
import { createOnnxSession } from './session.ts';
import { fixedBatchOf } from './signature.ts';

/** How a session computes, as measured. */
interface Computing {
  readonly provider: OnnxProvider;
  readonly precision: Precision;
}

/**
 * Opens a model in ONNX Runtime on exactly `target`. On a GPU a trial batch is profiled, and a model of which any node
 * ran elsewhere is refused.
 *
 * @throws DomainError `model_invalid` where the runtime refuses the file, its inputs and outputs are not those of the
 *   manifest (one float32 tensor [batch, ...shape] in, one float32 tensor [batch, classes] out), or the GPU cannot
 *   compute all of it; `device_unavailable` where the GPU cannot be used or computes in a coarser arithmetic;
 *   `config_invalid` where the arithmetic asked for cannot be had
 */
export async function openOnnxSession(model: VerifiedModel, target: ComputeTarget): Promise<EngineSession> {
  const providers = providersOf(target);
  if (target.kind !== 'cpu') {
    const { session, provider } = await openOnGpu(model, target, providers);
    // WebGPU's shaders know no TF32.
    return wrap(session, model, { provider, precision: target.kind === 'cuda' ? target.precision : 'fp32' });
  }
  const session = await createOnnxSession(model.path, { executionProviders: ['cpu'] }, providers);
  try {
    return wrap(session, model, { provider: 'cpu', precision: 'fp32' });
  } catch (error) {
    await session.release();
    throw error;
  }
}

function wrap(
  session: ort.InferenceSession,
  model: VerifiedModel,
  { provider, precision }: Computing,
): EngineSession {
  const { manifest } = model;
  const fixedBatch = fixedBatchOf(session, model);
  const elements = inputElements(manifest);
  const shape = inputShape(manifest);
  const { classes: width } = manifest.output;
  const [inputName, outputName] = [session.inputNames[0]!, session.outputNames[0]!];
  let padded = new Float32Array(0);

  /**
   * The rows that a call computes: those past `rows` are ignored. GPUs get powers of two, since their libraries search for
   * the best kernels, or build them, anew for each number of rows.
   */
  const computedRows = (rows: number): number =>
    fixedBatch ?? (provider === 'cpu' ? rows : 2 ** Math.ceil(Math.log2(rows)));

  const valuesOf = (batch: Float32Array, rows: number, computed: number): Float32Array => {
    if (batch.length >= computed * elements) return batch.subarray(0, computed * elements);
    if (padded.length < computed * elements) padded = new Float32Array(computed * elements);
    padded.set(batch.subarray(0, rows * elements));
    return padded.subarray(0, computed * elements);
  };

  return {
    description: {
      name: 'onnxruntime-node',
      version: ort.env.versions.node ?? 'unknown',
      provider,
      precision,
    },
    fixedBatch,
    async classify(batch, rows, classes) {
      // A model exported for one batch size wants a whole batch.
      const needed = fixedBatch ?? rows;
      if (rows < 1 || rows > needed || batch.length < needed * elements || classes.length < rows) {
        throw new RangeError(`${rows} rows do not fit a batch of ${batch.length} values and ${needed} rows`);
      }
      const computed = computedRows(rows);
      const tensor = new ort.Tensor('float32', valuesOf(batch, rows, computed), [computed, ...shape]);
      const outputs = await session.run({ [inputName]: tensor }, [outputName]);
      const scores = outputs[outputName]!;
      if (!(scores.data instanceof Float32Array) || scores.data.length !== computed * width) {
        throw new RangeError(`the model answered ${scores.dims.join(' x ')} scores for ${computed} rows`);
      }
      argmaxRows(scores.data, width, rows, classes);
      scores.dispose();
    },
    close: () => session.release(),
  };
}
