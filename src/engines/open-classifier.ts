import { DomainError } from '../errors.ts';
import type { VerifiedModel } from '../models/store.ts';
import { type Classifier, createClassifier, NonFiniteScoreError } from './classifier.ts';
import type { ComputeTarget } from './compute-target.ts';
import type { EngineSession } from './engine.ts';
import { probeRows } from './row-probe.ts';

/** Opens a model in an engine; see `openOnnxSession` and `openTensorflowSession`. */
export type OpenSession = (model: VerifiedModel, target: ComputeTarget) => Promise<EngineSession>;

/**
 * Opens a verified model on `target`, in the engine that its manifest names, whose library is loaded only then, and
 * makes sure that it classifies each row by itself.
 *
 * @param open the engine, where it is not the manifest's to choose
 * @throws DomainError as the engine says, and `model_invalid` where the rows of a batch influence one another
 */
export async function openClassifier(
  model: VerifiedModel,
  target: ComputeTarget,
  open: OpenSession = openSession,
): Promise<Classifier> {
  const session = await open(model, target);
  try {
    const probe = await probeRows(session, model.manifest);
    if (probe.kind === 'mixed' || probe.kind === 'unsteady') {
      throw new DomainError('model_invalid', `${model.path} ${probe.how}`);
    }
    if (probe.kind === 'rounded') {
      throw new DomainError(
        'engine_unavailable',
        `${session.description.name} rounds the scores of a row of ${model.path} differently by its batch here`,
      );
    }
    return createClassifier(session, model.manifest);
  } catch (error) {
    await session.close();
    if (!(error instanceof NonFiniteScoreError)) throw error;
    throw new DomainError('model_invalid', `${model.path}: ${error.message}, for an image without noise`);
  }
}

async function openSession(model: VerifiedModel, target: ComputeTarget): Promise<EngineSession> {
  if (model.manifest.engine === 'tensorflow') {
    const { openTensorflowSession } = await import('./tensorflow/engine.ts');
    return openTensorflowSession(model, target);
  }
  const { openOnnxSession } = await import('./onnx/engine.ts');
  return openOnnxSession(model, target);
}
