import { DomainError } from '../errors.ts';
import type { ModelStore, RegisteredModel } from '../models/store.ts';
import type { JobRequest } from './job-record.ts';

/**
 * The model that a job names, if this worker has it with the very digest that the job was accepted with.
 *
 * @throws DomainError `model_unavailable`; another worker may have it
 */
export function requireModel(models: ModelStore, { name, digest }: JobRequest['model']): RegisteredModel {
  const model = models.find(name);
  if (model === undefined || model.digest !== digest) {
    throw new DomainError('model_unavailable', `this worker does not have ${name} as asked for`);
  }
  return model;
}
