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
 *
 * What whoever asks owes it, and what a procedure may rely on:
 *
 * - Barrier. It is asked when there is no vote yet, or when every vote that it has asked for is there; never with a part of
 *   a round. Which votes it sees then depends on what it asked for, and not on which device was fast or failed.
 * - Each vote once. A tally holds each sample of what was asked for exactly once (`evidence.ts`). `next` checks the totals
 *   (`requireVotes`) and throws at any other: votes that do not add up are refused, never decided upon.
 * - Every round. An input leaves its job's rounds only with a result, so all inputs that ask for more have been in every
 *   round so far: the job's rounds are numbered through, and a round is what all undecided inputs ask for together.
 *
 * What a procedure owes:
 *
 * - Samples that it has not asked for before: those of a purpose are numbered through, and a draw starts where the last ended.
 * - Looks. To be asked with a tally is to look at it, and what is drawn next may depend on it. Its claim must fail with a
 *   probability of at most alpha over all its looks together: one look at a number of samples that is fixed beforehand, or
 *   alpha split over looks that are, or a test that holds at any time. A procedure that looks more than once must
 *   also keep what it has spent when its job is bound anew, for that draws noise again that was looked at
 *   (`jobs/pool-binding.ts`).
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
