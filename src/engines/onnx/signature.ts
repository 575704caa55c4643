import type ort from 'onnxruntime-node';
import { DomainError } from '../../errors.ts';
import { inputShape } from '../../models/manifest.ts';
import type { VerifiedModel } from '../../models/store.ts';

type Metadata = ort.InferenceSession.ValueMetadata;

function refuse(model: VerifiedModel, detail: string): never {
  throw new DomainError('model_invalid', `${model.path}: ${detail}`);
}

/** Checks one side of the model against the manifest; returns the batch dimension if it is fixed. */
function checkTensor(
  model: VerifiedModel,
  metadata: Metadata | undefined,
  expected: readonly number[],
): number | null {
  if (metadata === undefined || !metadata.isTensor)
    return refuse(model, 'it must take one tensor and give one tensor');
  const { name, type, shape } = metadata;
  if (type !== 'float32') return refuse(model, `${name} is ${type}; float32 is expected`);
  const [batch, ...rest] = shape;
  const fits =
    rest.length === expected.length &&
    rest.every((dimension, index) => typeof dimension === 'string' || dimension === expected[index]);
  if (!fits) {
    return refuse(
      model,
      `${name} has shape [${shape.join(', ')}]; the manifest says [batch, ${expected.join(', ')}]`,
    );
  }
  return typeof batch === 'number' ? batch : null;
}

/**
 * Checks a session's inputs and outputs against the manifest; returns the number of rows that the model takes, or null for
 * any.
 *
 * @throws DomainError `model_invalid` where it does not take one float32 tensor [batch, ...shape] and give one float32
 *   tensor [batch, classes]
 */
export function fixedBatchOf(session: ort.InferenceSession, model: VerifiedModel): number | null {
  if (session.inputNames.length !== 1 || session.outputNames.length < 1) {
    return refuse(model, `it takes ${session.inputNames.length} inputs; exactly one is expected`);
  }
  const fixedBatch = checkTensor(model, session.inputMetadata[0], inputShape(model.manifest));
  checkTensor(model, session.outputMetadata[0], [model.manifest.output.classes]);
  return fixedBatch;
}
