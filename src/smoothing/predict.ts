import { binomialTestTwoSided } from '../statistics/binomial-test.ts';
import { nextUp } from '../statistics/directed.ts';
import type { PredictParameters } from './parameters.ts';
import { requireVotes, type Procedure, type Step, type Tally } from './procedure.ts';
import { runnerUpClass, topClass, type Votes } from './votes.ts';

/** The outcome of PREDICT for one input. */
export interface PredictResult {
  readonly outcome: 'predicted' | 'abstained';
  readonly topClass: number;
  readonly topCount: number;
  readonly runnerUpCount: number;
  /** Exact two-sided p-value of the top count against its rivals', rounded up. */
  readonly pValue: number;
  readonly votes: Votes;
}

/** Whose votes the top class must beat: the runner-up's alone, or those of all other classes together. */
export type Rivals = 'runner-up' | 'all-others';

/**
 * PREDICT (Cohen, Rosenfeld, Kolter 2019, section 3.2.1, after Hung and Fithian 2019): the top class of n draws, unless
 * the exact two-sided binomial test of the top two counts is not significant at alpha, which is an abstention.
 *
 * @param totalVariation total variation between the noise drawn and the exact Gaussian over the whole input. A sample
 *   differs with at most this probability, so n samples differ anywhere with at most n times it: added to the p-value.
 * @param rivals 'all-others' for votes whose probabilities differ from sample to sample. Hung and Fithian's test of the
 *   top two counts is for equal ones. That test against all others holds: let f(p) = P[Bin(n, p) >= k]; significant at
 *   alpha <= 1/4 are only k >= n/2 + 1, where p (1 - p) f'/f = E[X - n p | X >= k] >= 1, so that f(p)/p and f(p) (1 -
 *   p)/p grow with p up to 1/2. A wrong class j has a mean p_j of at most that of the right one, p, and at most f(p_j)
 *   of getting k votes (Hoeffding 1956, Theorem 4). Over all wrong classes, whose means add up to at most 1 - p, that
 *   is at most f(1/2).
 */
export function predictProcedure(
  { n, alpha }: PredictParameters,
  totalVariation: number,
  rivals: Rivals,
): Procedure<PredictResult> {
  return {
    plannedSamples: n,
    next(tally: Tally): Step<PredictResult> {
      if (tally.prediction === undefined) {
        return { kind: 'draw', draws: [{ purpose: 'prediction', firstSample: 0, count: n }] };
      }
      const votes = requireVotes(tally, 'prediction', n);
      const top = topClass(votes);
      const runnerUp = runnerUpClass(votes, top);
      const topCount = votes[top]!;
      const runnerUpCount = runnerUp === null ? 0 : votes[runnerUp]!;
      const tested = binomialTestTwoSided(topCount, rivals === 'all-others' ? n : topCount + runnerUpCount);
      // Each step up covers the rounding of the operation before it.
      const off = totalVariation === 0 ? 0 : nextUp(2 * n * totalVariation);
      const pValue = off === 0 ? tested : Math.min(1, nextUp(tested + off));
      const outcome = pValue <= alpha ? 'predicted' : 'abstained';
      return { kind: 'done', result: { outcome, topClass: top, topCount, runnerUpCount, pValue, votes } };
    },
  };
}
