import { DomainError, messageOf } from '../../errors.ts';
import type { ComputeTarget } from '../compute-target.ts';
import type { EngineSession } from '../engine.ts';
import { requireScores, requireSignature } from '../signature.ts';
import type { DeclaredTensor } from '../../models/declared-tensor.ts';
import { inputElements, networkShape } from '../../models/manifest.ts';
import type { VerifiedModel } from '../../models/verify.ts';
import { type LoadedTensorflow, loadTensorflow, type TensorSpec } from './library.ts';
import { loadTensorflowModel, type TensorflowModel } from './model.ts';

/**
 * Opens a LayersModel, GraphModel or SavedModel in TensorFlow, on exactly the target.
 *
 * @throws DomainError `engine_missing` where TensorFlow is not installed; `engine_unavailable` where it cannot compute on the
 *   target here; `model_invalid` where it refuses the files, or its inputs and outputs are not those of the manifest
 */
export async function openTensorflowSession(
  model: VerifiedModel,
  target: ComputeTarget,
): Promise<EngineSession> {
  return openIn(await loadTensorflow(target), model);
}

/** Opens a model in a library that is loaded already; see `openTensorflowSession`. */
export async function openIn(library: LoadedTensorflow, model: VerifiedModel): Promise<EngineSession> {
  const loaded = await loadTensorflowModel(library.tf, model).catch((error: unknown) =>
    refused(library, model, error),
  );
  try {
    const session = wrap(library, model, loaded);
    // What is missing in a SavedModel shows only when it runs.
    const rows = session.fixedBatch ?? 1;
    await session.scores(new Float32Array(rows * inputElements(model.manifest)).fill(0.5), rows);
    return session;
  } catch (error) {
    loaded.dispose();
    return refused(library, model, error);
  }
}

function wrap(
  { tf, identity }: LoadedTensorflow,
  model: VerifiedModel,
  loaded: TensorflowModel,
): EngineSession {
  const shape = networkShape(model.manifest);
  const elements = inputElements(model.manifest);
  const { output, fixedBatch } = requireSignature(
    model,
    loaded.inputs.map(declared),
    loaded.outputs.map(declared),
  );
  return {
    identity,
    fixedBatch,
    softmax: loaded.softmax,
    scores: async (batch, rows) =>
      // Whatever is made within is given back, errors included.
      tf.tidy(() => {
        const input = tf.tensor(batch.subarray(0, rows * elements), [rows, ...shape], 'float32');
        const scores = loaded.predict(input, output.name, rows);
        if (scores?.dtype !== 'float32') {
          throw new RangeError(`the model did not answer with a float32 tensor ${output.name}`);
        }
        requireScores(scores.shape, rows, model);
        return scores.dataSync() as Float32Array;
      }),
    close: () => Promise.resolve(loaded.dispose()),
  };
}

function declared({ name, dtype, shape }: TensorSpec): DeclaredTensor {
  const size = (dimension: number | null): number | null =>
    dimension === null || dimension < 0 ? null : dimension;
  return { name, type: dtype, shape: shape?.map(size) ?? null };
}

function refused({ identity }: LoadedTensorflow, { path }: VerifiedModel, error: unknown): never {
  if (error instanceof DomainError) throw error;
  const message = messageOf(error);
  throw new DomainError('model_invalid', `${path}: ${message}${remedyOf(message, identity.version)}`, [], {
    cause: error,
  });
}

/** What to do about a refusal of the library's, for those that are known, or "". */
function remedyOf(message: string, software: string): string {
  const operator = /Op type not registered '(\w+)'/.exec(message)?.[1];
  if (operator !== undefined) {
    const [, version] = software.split('+tensorflow.');
    return (
      ` (${operator} came after TensorFlow ${version}: freeze the model's variables with the version that wrote it, or` +
      ' build a newer one: npm run tensorflow)'
    );
  }
  // Converters keep the names of an old .h5, which are not always those of its layers; Keras itself goes by their order.
  if (message.includes('has no target variable')) {
    return ' (its weights are not named after its layers: open the file that it was made of in Keras, and save a SavedModel; docs/your-model.md)';
  }
  return '';
}
