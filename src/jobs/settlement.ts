import { type Failure, failureOf } from '../errors.ts';
import { gatherVotes } from '../smoothing/evidence.ts';
import type { Step } from '../smoothing/procedure.ts';
import type { JobRecord, ResultRecord } from './job-record.ts';
import type { Decision } from './decision.ts';
import type { EntryStore } from './entries.ts';
import type { JobRef } from './job-ref.ts';
import type { InputDraws, Plan } from './plan.ts';
import type { ResultStore } from './result-store.ts';
import type { SamplingStore } from './sampling-store.ts';
import type { VoteReader } from './vote-reader.ts';

/** What an input waits for after it was looked at. */
export type Settled =
  /** It has its result. */
  | { readonly kind: 'done' }
  /** Chunks of a round under way have no votes yet. */
  | { readonly kind: 'waiting' }
  /** All votes asked for are there and the procedure asks for more. */
  | { readonly kind: 'draw'; readonly draws: InputDraws };

export interface SettlementStores {
  readonly entries: EntryStore;
  readonly sampling: SamplingStore;
  readonly results: ResultStore;
}

/** A job at its present binding. */
export type SettledJob = JobRef & Pick<JobRecord, 'request' | 'binding' | 'inputsTotal'>;

/**
 * Decides one input if its votes are complete, and stores its result. Safe to call at any time, any number of times, by
 * any process: it only reads votes that are final, and a result is stored once.
 */
export async function settleInput(
  stores: SettlementStores,
  job: SettledJob,
  plan: Plan,
  votes: VoteReader,
  decision: Decision,
  input: number,
  tensorDigest: string,
): Promise<Settled> {
  const chunks = await votes.votesOf(input);
  if (chunks === null) return { kind: 'waiting' };
  let step: Step<ResultRecord>;
  try {
    const gathered = gatherVotes(input, job.request.noise, chunks);
    step = decision.next(input, gathered, tensorDigest);
  } catch (error) {
    // A tally that does not add up is refused, never published.
    await failInput(stores, job, plan, input, failureOf(error, 'sampling_failed'));
    return { kind: 'done' };
  }
  if (step.kind === 'draw') return { kind: 'draw', draws: { input, draws: step.draws } };
  await stores.results.store(job, input, step.result, await labelOf(stores, job, input));
  await dropVotes(stores, job, plan, input);
  return { kind: 'done' };
}

/** Stores an input's failure; the other inputs are not touched. */
export async function failInput(
  stores: SettlementStores,
  job: SettledJob,
  plan: Plan,
  input: number,
  error: Failure,
): Promise<void> {
  await stores.results.store(job, input, { kind: 'failed', error }, null);
  await dropVotes(stores, job, plan, input);
}

/** The input's reference label; null where it has none, or the job has ended and nothing is stored any more. */
async function labelOf({ entries }: SettlementStores, job: JobRef, input: number): Promise<number | null> {
  const [entry] = await entries.read(job, input, 1);
  return entry?.label ?? null;
}

/**
 * Forgets the votes of an input that has its result. Those of a chunk of several inputs go with the last of them; where
 * that one was decided before another, they stay until the job ends.
 */
async function dropVotes(
  { sampling, results }: SettlementStores,
  job: SettledJob,
  plan: Plan,
  input: number,
): Promise<void> {
  const unneeded: number[] = [];
  for (const number of plan.chunksOf(input)) {
    if (plan.lastInput(number) !== input) continue;
    const inputs = new Set(plan.chunk(number).map((segment) => segment.input));
    inputs.delete(input);
    if ((await results.undecided(job, [...inputs])).length === 0) unneeded.push(number);
  }
  await sampling.dropVotes(job, unneeded);
}
