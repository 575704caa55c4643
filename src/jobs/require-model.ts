import { DomainError } from '../errors.ts';
import type { ModelStore, RegisteredModel } from '../models/store.ts';
import type { JobRequest } from './job-record.ts';

/** The model that a job names, null if this worker does not have it with that digest. */
export function findModel(models: ModelStore, { name, digest }: JobRequest['model']): RegisteredModel | null {
  const model = models.find(name);
  return model?.digest === digest ? model : null;
}

/**
 * The model that a job names, if this worker has it with the very digest that the job was accepted with.
 *
 * @throws DomainError `model_unavailable`; another worker may have it
 */
export function requireModel(models: ModelStore, model: JobRequest['model']): RegisteredModel {
  const found = findModel(models, model);
  if (found !== null) return found;
  throw new DomainError('model_unavailable', `this worker does not have ${model.name} as asked for`);
}
