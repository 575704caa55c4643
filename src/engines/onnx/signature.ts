import type ort from 'onnxruntime-node';
import type { VerifiedModel } from '../../models/store.ts';
import { type DeclaredTensor, requireSignature, type Signature } from '../signature.ts';

/**
 * Compares a session's inputs and outputs with the manifest.
 *
 * @throws DomainError as `requireSignature` says
 */
export function signatureOf(session: ort.InferenceSession, model: VerifiedModel): Signature {
  return requireSignature(model, session.inputMetadata.map(declared), session.outputMetadata.map(declared));
}

function declared(metadata: ort.InferenceSession.ValueMetadata): DeclaredTensor {
  const { name } = metadata;
  if (!metadata.isTensor) return { name, type: '', shape: null };
  const { type, shape } = metadata;
  // A dimension of any size has a name, which may be empty; a shape that is not declared is empty.
  const sizes = shape.map((each) => (typeof each === 'number' && each > 0 ? each : null));
  return { name, type, shape: sizes.length === 0 ? null : sizes };
}
