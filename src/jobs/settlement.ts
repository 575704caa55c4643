import type { Failure } from '../errors.ts';
import type { Step } from '../smoothing/procedure.ts';
import type { JobRecord } from './job-record.ts';
import type { Decision } from './decision.ts';
import { gatherVotes } from './decision.ts';
import type { InputDraws } from './plan.ts';
import type { ResultRecord } from './result-record.ts';
import type { ResultStore } from './result-store.ts';
import type { SamplingStore } from './sampling-store.ts';

/** What an input waits for after it was looked at. */
export type Settled =
  /** It has its result. */
  | { readonly kind: 'done' }
  /** Chunks of a round under way have no votes yet. */
  | { readonly kind: 'waiting'; readonly chunks: readonly string[] }
  /** All votes asked for are there and the procedure asks for more. */
  | { readonly kind: 'draw'; readonly draws: InputDraws };

interface Stores {
  readonly sampling: SamplingStore;
  readonly results: ResultStore;
}

/**
 * Decides one input if its votes are complete, and stores its result. Safe to call at any time, any number of times, by
 * any process: it only reads votes that are final, and a result is stored once.
 */
export async function settleInput(
  stores: Stores,
  job: Pick<JobRecord, 'id' | 'request'>,
  decision: Decision,
  input: number,
  tensorDigest: string,
): Promise<Settled> {
  const chunks = await stores.sampling.chunksOf(job.id, input);
  const votes = await stores.sampling.votes(
    job.id,
    chunks.map(({ key }) => key),
  );
  const waiting = chunks.filter((_, index) => votes[index] === null).map(({ key }) => key);
  if (waiting.length > 0) return { kind: 'waiting', chunks: waiting };
  let step: Step<ResultRecord>;
  try {
    const gathered = gatherVotes(
      input,
      chunks.map(({ chunk }, index) => ({ chunk, votes: votes[index]! })),
    );
    step = decision.next(input, gathered, tensorDigest);
  } catch (error) {
    // A tally that does not add up is refused, never published.
    await failInput(stores.results, job, input, { code: 'sampling_failed', detail: describe(error) });
    return { kind: 'done' };
  }
  if (step.kind === 'draw') return { kind: 'draw', draws: { input, draws: step.draws } };
  await stores.results.store(job.id, input, step.result, job.request.inputs[input]!.label);
  return { kind: 'done' };
}

/** Stores an input's failure; the other inputs are not touched. */
export async function failInput(
  results: ResultStore,
  job: Pick<JobRecord, 'id' | 'request'>,
  input: number,
  error: Failure,
): Promise<void> {
  await results.store(job.id, input, { kind: 'failed', error }, job.request.inputs[input]!.label);
}

export function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
