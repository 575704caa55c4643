import { DomainError } from '../errors.ts';
import { toInputTensor } from '../models/inputs/input-tensor.ts';
import type { RegisteredModel } from '../models/store.ts';
import type { Plan } from './plan.ts';
import { failInput, type SettledJob, type SettlementStores } from './settlement.ts';

/**
 * Turns a job's inputs into uint8 tensors; each that cannot be one fails alone. What is stored already is not made again.
 *
 * @returns the tensor digests of the inputs that can be sampled
 */
export async function prepareInputs(
  stores: SettlementStores,
  job: SettledJob,
  plan: Plan,
  model: RegisteredModel,
): Promise<Map<number, string>> {
  const { sampling, results } = stores;
  const { id, request } = job;
  const digests = new Map<number, string>();
  const stored = await sampling.tensorDigests(id, [...request.inputs.keys()]);
  const known = await results.read(id, 0, request.inputs.length);
  for (const [index, input] of request.inputs.entries()) {
    const digest = stored[index] ?? null;
    if (digest !== null) {
      digests.set(index, digest);
      continue;
    }
    if (known[index]?.kind === 'failed') continue;
    const bytes = await sampling.inputBytes(id, input.digest);
    if (bytes === null) {
      const detail = 'the input is not stored any more';
      await failInput(stores, job, plan, index, { code: 'internal_error', detail });
      continue;
    }
    try {
      const made = await toInputTensor(input.kind, bytes, model.manifest);
      await sampling.storeTensor(id, index, made);
      digests.set(index, made.digest);
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      await failInput(stores, job, plan, index, { code: error.code, detail: error.message });
    }
  }
  return digests;
}
