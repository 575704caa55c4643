import { DomainError, failureOf } from '../errors.ts';
import { toInputTensor } from '../models/inputs/input-tensor.ts';
import type { RegisteredModel } from '../models/store.ts';
import type { JobEntry } from './entries.ts';
import type { Plan } from './plan.ts';
import { failInput, type SettledJob, type SettlementStores } from './settlement.ts';

/**
 * Turns some of a job's inputs into uint8 tensors; each that cannot be one fails alone. What is stored already is not made
 * again.
 *
 * @param inputs consecutive ones, ascending, some of which may be left out
 * @returns the tensor digests of the inputs that can be sampled
 */
export async function prepareInputs(
  stores: SettlementStores,
  job: SettledJob,
  plan: Plan,
  model: RegisteredModel,
  inputs: readonly number[],
): Promise<Map<number, string>> {
  const { sampling, entries } = stores;
  const digests = new Map<number, string>();
  const stored = await sampling.tensorDigests(job, inputs);
  const missing: number[] = [];
  for (const [position, input] of inputs.entries()) {
    const digest = stored[position] ?? null;
    if (digest === null) missing.push(input);
    else digests.set(input, digest);
  }
  const first = missing[0] ?? 0;
  const found = await entries.read(job, first, missing.length === 0 ? 0 : missing.at(-1)! - first + 1);
  for (const input of missing) {
    const digest = await prepareInput(stores, job, plan, model, input, found[input - first] ?? null);
    if (digest !== null) digests.set(input, digest);
  }
  return digests;
}

/** Makes and stores the tensor of one input; answers its digest, null where the input has failed. */
async function prepareInput(
  stores: SettlementStores,
  job: SettledJob,
  plan: Plan,
  model: RegisteredModel,
  input: number,
  entry: JobEntry | null,
): Promise<string | null> {
  const bytes = entry === null ? null : await stores.sampling.inputBytes(job, entry.digest);
  if (entry === null || bytes === null) {
    const detail = 'the input is not stored any more';
    await failInput(stores, job, plan, input, { code: 'internal_error', detail });
    return null;
  }
  try {
    const made = await toInputTensor(entry.kind, bytes, model.manifest);
    await stores.sampling.storeTensor(job, input, made);
    return made.digest;
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    await failInput(stores, job, plan, input, failureOf(error, 'internal_error'));
    return null;
  }
}
