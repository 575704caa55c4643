import type ort from 'onnxruntime-node';
import type { DeclaredTensor } from '../../models/declared-tensor.ts';
import type { VerifiedModel } from '../../models/verify.ts';
import { requireSignature, type Signature } from '../signature.ts';
import type { OnnxSession } from './session.ts';

/**
 * Compares a session's inputs and outputs with the manifest.
 *
 * @throws DomainError as `requireSignature` says
 */
export function signatureOf({ session, logits }: OnnxSession, model: VerifiedModel): OnnxSignature {
  const outputs = session.outputMetadata.filter(({ name }) => name !== logits?.tensor);
  const signature = requireSignature(model, session.inputMetadata.map(declared), outputs.map(declared));
  return { ...signature, fetched: logits?.tensor ?? signature.output.name };
}

export interface OnnxSignature extends Signature {
  /** The tensor with the scores: the output, or its logits. */
  readonly fetched: string;
}

function declared(metadata: ort.InferenceSession.ValueMetadata): DeclaredTensor {
  const { name } = metadata;
  if (!metadata.isTensor) return { name, type: '', shape: null };
  const { type, shape } = metadata;
  // A dimension of any size has a name, which may be empty; a shape that is not declared is empty.
  const sizes = shape.map((each) => (typeof each === 'number' && each > 0 ? each : null));
  return { name, type, shape: sizes.length === 0 ? null : sizes };
}
