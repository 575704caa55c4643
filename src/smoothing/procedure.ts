import type { Purpose } from '../random/noise-stream.ts';
import { totalVotes, type Votes } from './votes.ts';

/** A request for the noisy votes of one input: samples [firstSample, firstSample + count) of one purpose. */
export interface Draw {
  readonly purpose: Purpose;
  readonly firstSample: number;
  readonly count: number;
}

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

/** Checks that a purpose's votes are exactly the `count` asked for: neither lost nor counted twice. */
export function requireVotes(tally: Tally, purpose: Purpose, count: number): Votes {
  const votes = tally[purpose];
  const total = votes === undefined ? 0 : totalVotes(votes);
  if (votes === undefined || total !== count) {
    throw new RangeError(`${total} ${purpose} votes where exactly ${count} were asked for`);
  }
  return votes;
}
