import type { Purpose } from '../random/noise-stream.ts';
import { addVotes, type Draw, type Sampler, totalVotes, type Votes } from './sampler.ts';

/** What a procedure wants next: more draws (all of them may be made at once), or nothing, for it has decided. */
export type Step<Result> =
  | { readonly kind: 'draw'; readonly draws: readonly Draw[] }
  | { readonly kind: 'done'; readonly result: Result };

/** The votes counted so far, by purpose. */
export type Tally = Readonly<Partial<Record<Purpose, Votes>>>;

/**
 * One input's decision as a pure state machine. `next` is a function of the votes alone: the same tally gives the same
 * step, wherever and however often it is asked, so that a coordinator may lose everything but the votes.
 */
export interface Procedure<Result> {
  /** Most samples it can ask for in all. */
  readonly plannedSamples: number;
  next(tally: Tally): Step<Result>;
}

/** Runs a procedure to its end on one sampler: the whole method in one process, without queue. */
export async function runProcedure<Result>(procedure: Procedure<Result>, sampler: Sampler): Promise<Result> {
  let tally: Tally = {};
  for (;;) {
    const step = procedure.next(tally);
    if (step.kind === 'done') return step.result;
    for (const draw of step.draws) {
      const votes = await sampler.sample(draw);
      if (totalVotes(votes) !== draw.count) {
        throw new RangeError(`the sampler answered ${totalVotes(votes)} votes to a draw of ${draw.count}`);
      }
      const before = tally[draw.purpose];
      tally = { ...tally, [draw.purpose]: before === undefined ? votes : addVotes(before, votes) };
    }
  }
}

/** Checks that a purpose's votes are exactly the `count` asked for: neither lost nor counted twice. */
export function requireVotes(tally: Tally, purpose: Purpose, count: number): Votes {
  const votes = tally[purpose];
  const total = votes === undefined ? 0 : totalVotes(votes);
  if (votes === undefined || total !== count) {
    throw new RangeError(`${total} ${purpose} votes where exactly ${count} were asked for`);
  }
  return votes;
}
