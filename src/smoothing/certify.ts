import { clopperPearsonLower, clopperPearsonUpper } from '../statistics/clopper-pearson.ts';
import { radiusFromLowerBound, radiusFromTwoBounds } from '../statistics/radius.ts';
import { loosenLower, loosenUpper } from './directed.ts';
import type { CertifyParameters } from './parameters.ts';
import { requireVotes, type Procedure, type Step, type Tally } from './procedure.ts';
import { runnerUpClass, topClass, type Votes } from './sampler.ts';

/** The outcome of CERTIFY for one input. An abstention claims nothing: no class, no radius. */
export interface CertifyResult {
  readonly outcome: 'certified' | 'abstained';
  /** Class selected from the n0 selection draws; the claim is about it. */
  readonly selectedClass: number;
  /** n_A: estimation votes for the selected class. */
  readonly topCount: number;
  /** One-sided (1 - alpha) lower bound of the selected class's probability, rounded down. */
  readonly pALowerBound: number;
  /** Upper bound of every other class's probability; only in the form "pA-pB". */
  readonly pBUpperBound: number | null;
  /** L2 radius of the open ball, rounded down; null in an abstention. */
  readonly certifiedRadius: number | null;
  readonly selectionVotes: Votes;
  readonly estimationVotes: Votes;
}

/**
 * CERTIFY with a fixed number of samples (Cohen, Rosenfeld, Kolter 2019, section 3.2.2 and Theorem 1).
 *
 * The class comes from the n0 selection draws alone and the bound from the n estimation draws alone. Both have their own
 * noise, so they are asked for at once: neither draw depends on the other's votes.
 *
 * In the form "pA-pB" alpha is split in two. The largest other count bounds every other class: the upper bound grows
 * with the count, so it is at least the bound of the one class that is truly second.
 *
 * @param totalVariation total variation between the noise drawn and the exact Gaussian over the whole input, which every
 *   probability may be off by; it is taken off the bound before it is rounded
 */
export function certifyProcedure(
  parameters: CertifyParameters,
  totalVariation: number,
): Procedure<CertifyResult> {
  const { n0, n } = parameters;
  return {
    plannedSamples: n0 + n,
    next(tally: Tally): Step<CertifyResult> {
      if (tally.selection === undefined || tally.estimation === undefined) {
        return {
          kind: 'draw',
          draws: [
            { purpose: 'selection', firstSample: 0, count: n0 },
            { purpose: 'estimation', firstSample: 0, count: n },
          ],
        };
      }
      const selection = requireVotes(tally, 'selection', n0);
      const estimation = requireVotes(tally, 'estimation', n);
      return { kind: 'done', result: decide(parameters, selection, estimation, totalVariation) };
    },
  };
}

function decide(
  { sigma, n, alpha, bound }: CertifyParameters,
  selectionVotes: Votes,
  estimationVotes: Votes,
  totalVariation: number,
): CertifyResult {
  const selectedClass = topClass(selectionVotes);
  const topCount = estimationVotes[selectedClass]!;
  const share = bound === 'pA-pB' ? alpha / 2 : alpha;
  const lower = loosenLower(clopperPearsonLower(topCount, n, share), totalVariation);
  const runnerUp = bound === 'pA-pB' ? runnerUpClass(estimationVotes, selectedClass) : null;
  const upper =
    runnerUp === null
      ? null
      : loosenUpper(clopperPearsonUpper(estimationVotes[runnerUp]!, n, share), totalVariation);

  const certifies = lower.q < 0.5;
  const oneSided = certifies ? radiusFromLowerBound(sigma, lower.q) : 0;
  // Where the other classes' bound says less than 1 - pA does, the one-sided form (at alpha/2) is the larger radius.
  const twoSided = upper === null ? 0 : radiusFromTwoBounds(sigma, lower, upper);
  const radius = Math.max(oneSided, twoSided);
  const certified = radius > 0;
  return {
    outcome: certified ? 'certified' : 'abstained',
    selectedClass,
    topCount,
    pALowerBound: lower.p,
    pBUpperBound: upper?.p ?? null,
    certifiedRadius: certified ? radius : null,
    selectionVotes,
    estimationVotes,
  };
}
