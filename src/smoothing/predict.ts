import { binomialTestTwoSided } from '../statistics/binomial-test.ts';
import type { PredictParameters } from './parameters.ts';
import { requireVotes, type Procedure, type Step, type Tally } from './procedure.ts';
import { runnerUpClass, topClass, type Votes } from './sampler.ts';

/** The outcome of PREDICT for one input. */
export interface PredictResult {
  readonly outcome: 'predicted' | 'abstained';
  readonly topClass: number;
  readonly topCount: number;
  readonly runnerUpCount: number;
  /** Exact two-sided p-value of the top two counts, rounded up. */
  readonly pValue: number;
  readonly votes: Votes;
}

/**
 * PREDICT (Cohen, Rosenfeld, Kolter 2019, section 3.2.1, after Hung and Fithian 2019): the top class of n draws, unless
 * the exact two-sided binomial test of the top two counts is not significant at alpha, which is an abstention.
 *
 * @param totalVariation total variation between the noise drawn and the exact Gaussian over the whole input. A sample
 *   differs with at most this probability, so n samples differ anywhere with at most n times it: added to the p-value.
 */
export function predictProcedure(
  { n, alpha }: PredictParameters,
  totalVariation: number,
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
      const tested = binomialTestTwoSided(topCount, topCount + runnerUpCount);
      const pValue = Math.min(1, tested + 2 * n * totalVariation);
      const outcome = pValue <= alpha ? 'predicted' : 'abstained';
      return { kind: 'done', result: { outcome, topClass: top, topCount, runnerUpCount, pValue, votes } };
    },
  };
}
