import { DomainError } from '../../errors.ts';
import { binomialTestTwoSided } from '../../statistics/binomial-test.ts';
import { nextUp } from '../../statistics/directed.ts';
import type { CertificateOrigin } from '../certificate.ts';
import { type AskedParameters, numericFaults } from '../parameters.ts';
import { requireVotes, type Procedure, type Step, type Tally } from '../procedure.ts';
import { procedureEntry } from '../procedure-entry.ts';
import { type PredictReproduction, REPRODUCTION_FORMAT } from '../reproduction.ts';
import { runnerUpClass, sparseVotes, topClass, type Votes } from '../votes.ts';

/** What PREDICT is asked with. `sigma` in pixel units of the [0,1] image. */
export interface PredictParameters {
  readonly sigma: number;
  readonly n: number;
  readonly alpha: number;
}

/** Cohen et al. 2019, appendix: predictions with n = 1,000 noisy samples at alpha = 0.001. */
export const PREDICT_DEFAULTS = { n: 1_000, alpha: 0.001 } as const;

/**
 * Fills in the defaults and checks a prediction's parameters.
 *
 * @param pointer JSON pointer of the object, put in front of each fault's pointer
 * @throws DomainError `validation_failed` with every fault, or `cannot_certify` where even unanimous votes would not
 *   be significant at alpha (p-value 2^(1-n) of n votes to none)
 */
export function predictParameters(asked: AskedParameters, pointer = '/parameters'): PredictParameters {
  const { sigma, n, alpha } = { ...PREDICT_DEFAULTS, ...asked };
  const faults = numericFaults({ sigma, n, alpha }, pointer);
  if (faults.length > 0) throw new DomainError('validation_failed', undefined, faults);
  if (2 ** (1 - n) > alpha) {
    const detail = `n = ${n} samples cannot be significant at alpha = ${alpha}: 2^(1-n) must be at most alpha`;
    throw new DomainError('cannot_certify', detail, [{ pointer: `${pointer}/n`, detail }]);
  }
  return { sigma, n, alpha };
}

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

function reproduction(
  { sigma, n, alpha }: PredictParameters,
  { outcome, topClass: top, votes, pValue }: PredictResult,
  origin: CertificateOrigin<'client'>,
): PredictReproduction {
  return {
    format: REPRODUCTION_FORMAT,
    procedure: 'predict',
    sigma,
    n,
    alpha,
    topClass: top,
    votes: sparseVotes(votes),
    implied: { verdict: outcome, pValue },
    ...origin,
  };
}

export const predict = procedureEntry({
  parameters: predictParameters,
  start: (parameters: PredictParameters, totalVariation, kindsOfDevice) =>
    predictProcedure(parameters, totalVariation, kindsOfDevice > 1 ? 'all-others' : 'runner-up'),
  votes: ({ topCount, votes }: PredictResult) => ({ topCount, votes }),
  claim: (_parameters, { outcome, topClass: top, pValue }, provenance) => ({
    kind: 'prediction' as const,
    outcome,
    class: outcome === 'predicted' ? top : null,
    pValue,
    provenance,
  }),
  reproduction,
});
