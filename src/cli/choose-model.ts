import type { Model } from '../contract/resources.ts';
import { usageError } from './usage-error.ts';

/** A model of the service, or its manifest. */
type Named = Pick<Model, 'name' | 'smoothing'>;

/**
 * The model that a command means: the one named, or the only one there is.
 *
 * @throws DomainError `validation_failed` with the names to choose from
 */
export function chooseModel<Each extends Named>(models: readonly Each[], name: string | undefined): Each {
  const names = models.map((model) => model.name).join(', ');
  if (models.length === 0) throw usageError({ pointer: '--model', detail: 'there are no models' });
  if (name === undefined) {
    if (models.length === 1) return models[0]!;
    throw usageError({ pointer: '--model', detail: `is required, since there are several: ${names}` });
  }
  const found = models.find((model) => model.name === name);
  if (found !== undefined) return found;
  throw usageError({
    pointer: '--model',
    detail: `there is no model ${JSON.stringify(name)}; there are: ${names}`,
  });
}

/**
 * The noise to certify with: what was asked, or what the model was trained with.
 *
 * @throws DomainError `validation_failed` where neither is known
 */
export function chooseSigma(model: Named, asked: number | undefined): number {
  const sigma = asked ?? model.smoothing.trainedSigma;
  if (sigma !== null && sigma > 0) return sigma;
  const detail = `is required, since ${model.name} was not trained with noise`;
  throw usageError({ pointer: '--sigma', detail });
}
