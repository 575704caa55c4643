import { DomainError } from '../errors.ts';
import { inputElements } from '../models/manifest.ts';
import type { VerifiedModel } from '../models/verify.ts';
import { withScoresOfTwo } from './binary-scores.ts';
import { type Classifier, createClassifier, type RowsApart } from './classifier.ts';
import type { ComputeTarget, DeviceKind } from './compute-target.ts';
import type { EngineSession } from './engine.ts';
import { NonFiniteScoreError } from './non-finite-score-error.ts';
import { probeRows } from './row-probe.ts';

/** Opens a model in an engine; see `openOnnxSession` and `openTensorflowSession`. */
export type OpenSession = (model: VerifiedModel, target: ComputeTarget) => Promise<EngineSession>;

/**
 * Opens a verified model on `target`, in the engine that its manifest names, whose library is loaded only then, and
 * makes sure that each row is classified by itself:
 *
 * - Rows that influence one another, by the graph or by the probe, are refused, but where each is computed alone.
 * - Rows whose scores depend on the batch by rounding are classified in batches of one size, each sample at its place.
 * - All other rows have the same class in every batch.
 *
 * @param open the engine, where it is not the manifest's to choose
 * @throws DomainError as the engine says, and `model_invalid` where the rows of a batch influence one another
 */
export async function openClassifier(
  model: VerifiedModel,
  target: ComputeTarget,
  open: OpenSession = openSession,
): Promise<Classifier> {
  const session = withScoresOfTwo(await open(model, target), model);
  try {
    return await keepRowsApart(session, model, target);
  } catch (error) {
    await session.close();
    if (!(error instanceof NonFiniteScoreError)) throw error;
    throw new DomainError('model_invalid', `${model.path}: ${error.message}, for an image without noise`);
  }
}

async function keepRowsApart(
  session: EngineSession,
  { manifest, mixing, path }: VerifiedModel,
  { kind }: ComputeTarget,
): Promise<Classifier> {
  const asked = manifest.batch ?? session.fixedBatch;
  const refuse = (detail: string): never => {
    throw new DomainError('model_invalid', `${path} ${detail}`);
  };
  if (session.fixedBatch !== null && asked !== session.fixedBatch) {
    return refuse(`takes ${session.fixedBatch} rows a call; the manifest's batch says ${asked}`);
  }
  const inference = '; export it for inference, with constant instead of dynamic scales,';
  const remedy =
    asked === 1
      ? ''
      : session.fixedBatch === null
        ? `${inference} or let each row be computed by itself: "batch": 1 in the manifest`
        : `${inference} or for a batch of one row`;
  const named = (operators: readonly string[]): string =>
    operators.length === 0 ? '' : `: ${operators.join(', ')}`;
  if (mixing.verdict === 'mixes' && asked !== 1) {
    return refuse(`mixes the rows of a batch${named(mixing.operators)}${remedy}`);
  }
  const probe = await probeRows({ ...session, fixedBatch: asked }, manifest);
  // As little as rounding does, the graph alone tells mixing from it.
  const allowed = probe.kind !== 'mixed' && (probe.kind !== 'unsteady' || mixing.verdict === 'independent');
  if (!allowed) {
    const suspects = mixing.verdict === 'unknown' ? named(mixing.operators) : '';
    return refuse(`${probe.how}${suspects}${remedy}`);
  }
  const rows = mixing.verdict === 'independent' ? 'proved' : 'probed';
  const classifier = (batch: number | null, how: RowsApart): Classifier =>
    createClassifier({ ...session, fixedBatch: batch }, manifest, how);
  // Whatever the graph says of batches, this row has no other beside it.
  if (asked === 1) return classifier(1, { rows: 'alone', batch: 1 });
  if (probe.kind === 'exact') return classifier(asked, { rows });
  const batch = asked ?? roundedBatch(kind, inputElements(manifest));
  return classifier(batch, { rows, batch });
}

/** Rows of a batch of networks whose scores depend on it by rounding: no measurement changes it, so all hosts agree. */
function roundedBatch(kind: DeviceKind, elements: number): number {
  const [most, values] = kind === 'cuda' ? [1024, 2 ** 25] : [64, 2 ** 22];
  return 2 ** Math.floor(Math.log2(Math.max(1, Math.min(most, values / elements))));
}

async function openSession(model: VerifiedModel, target: ComputeTarget): Promise<EngineSession> {
  if (model.manifest.engine === 'tensorflow') {
    const { openTensorflowSession } = await import('./tensorflow/engine.ts');
    return openTensorflowSession(model, target);
  }
  const { openOnnxSession } = await import('./onnx/engine.ts');
  return openOnnxSession(model, target);
}
