import type ort from 'onnxruntime-node';
import { DomainError } from '../../errors.ts';
import type { VerifiedModel } from '../../models/store.ts';
import { type DeclaredTensor, requireSignature } from '../signature.ts';

/**
 * Compares a session's input and output with the manifest; returns the number of rows that the model takes, or null for any.
 *
 * @throws DomainError as `requireSignature` says, and where it has more inputs than one
 */
export function fixedBatchOf(session: ort.InferenceSession, model: VerifiedModel): number | null {
  const refuse = (detail: string): never => {
    throw new DomainError('model_invalid', `${model.path}: ${detail}`);
  };
  const declared = (metadata: ort.InferenceSession.ValueMetadata | undefined): DeclaredTensor => {
    if (metadata === undefined || !metadata.isTensor)
      return refuse('it must take one tensor and give one tensor');
    const { name, type, shape } = metadata;
    // A dimension of any size has a name, which may be empty.
    return { name, type, shape: shape.map((each) => (typeof each === 'number' ? each : null)) };
  };
  if (session.inputNames.length !== 1) {
    return refuse(`it takes ${session.inputNames.length} inputs; exactly one is expected`);
  }
  const [input, output] = [session.inputMetadata[0], session.outputMetadata[0]];
  return requireSignature(model, { input: declared(input), output: declared(output) });
}
