import { DomainError } from '../errors.ts';
import type { ComputeTarget } from './compute-target.ts';
import { type EngineSession, NonFiniteScoreError } from './engine.ts';
import { inputElements } from '../models/manifest.ts';
import type { VerifiedModel } from '../models/store.ts';
import { requireRowIndependence } from './row-independence.ts';

/**
 * Opens a verified model on `target`, in the engine that its manifest names, whose library is loaded only then, and
 * checks that it classifies each row by itself.
 */
export async function openSession(model: VerifiedModel, target: ComputeTarget): Promise<EngineSession> {
  const session = await openIn(model, target);
  try {
    await requireRowIndependence(session, inputElements(model.manifest), model.path);
    return session;
  } catch (error) {
    await session.close();
    if (!(error instanceof NonFiniteScoreError)) throw error;
    throw new DomainError('model_invalid', `${model.path}: ${error.message}, for an image without noise`);
  }
}

async function openIn(model: VerifiedModel, target: ComputeTarget): Promise<EngineSession> {
  if (model.manifest.engine === 'tensorflow') {
    const { openTensorflowSession } = await import('./tensorflow/engine.ts');
    return openTensorflowSession(model, target);
  }
  const { openOnnxSession } = await import('./onnx/engine.ts');
  return openOnnxSession(model, target);
}
