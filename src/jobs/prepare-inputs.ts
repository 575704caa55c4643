import { DomainError, failureOf } from '../errors.ts';
import { type InputTensor, toInputTensor } from '../models/inputs/input-tensor.ts';
import type { RegisteredModel } from '../models/store.ts';
import type { JobEntry } from './job-record.ts';
import type { Plan } from './plan.ts';
import { failInput, type SettledJob, type SettlementStores } from './settlement.ts';

/** Inputs that are read and decoded together, as far as they come to so many bytes. */
const READ_TOGETHER = 128;
/** Bytes of inputs that are read together, and of tensors that are held before they are stored. */
const HELD_BYTES = 1024 * 1024;

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
  const made = new Map<number, InputTensor>();
  let held = 0;
  const store = async (): Promise<void> => {
    await sampling.storeTensors(job, made);
    made.clear();
    held = 0;
  };
  const prepare = async (input: number, bytes: Uint8Array | null): Promise<void> => {
    const entry = found[input - first] ?? null;
    const tensor = await prepareInput(stores, job, plan, model, input, entry, bytes);
    if (tensor === null) return;
    digests.set(input, tensor.digest);
    made.set(input, tensor);
    held += tensor.bytes.length;
  };
  for (let at = 0; at < missing.length;) {
    const some = missing.slice(at, at + READ_TOGETHER);
    // An input without an entry has no digest that anything is stored under.
    const bytes = await sampling.inputBytes(
      job,
      some.map((input) => found[input - first]?.digest ?? ''),
      HELD_BYTES,
    );
    await Promise.all(bytes.map((each, index) => prepare(some[index]!, each)));
    at += bytes.length;
    if (held >= HELD_BYTES) await store();
  }
  await store();
  return digests;
}

/** Makes the tensor of one input; null where the input has failed. */
async function prepareInput(
  stores: SettlementStores,
  job: SettledJob,
  plan: Plan,
  model: RegisteredModel,
  input: number,
  entry: JobEntry | null,
  bytes: Uint8Array | null,
): Promise<InputTensor | null> {
  if (entry === null || bytes === null) {
    const detail = 'the input is not stored any more';
    await failInput(stores, job, plan, input, { code: 'internal_error', detail });
    return null;
  }
  try {
    return await toInputTensor(entry.kind, bytes, model.manifest);
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    await failInput(stores, job, plan, input, failureOf(error, 'internal_error'));
    return null;
  }
}
