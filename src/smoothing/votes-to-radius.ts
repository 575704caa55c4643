import { clopperPearsonLower, clopperPearsonUpper } from '../statistics/clopper-pearson.ts';
import { radiusFromLowerBound, radiusFromTwoBounds } from '../statistics/radius.ts';
import { loosenLower, loosenUpper } from './loosen-bound.ts';

/** What counted votes certify. All roundings are to the safe side. */
export interface RadiusFromVotes {
  readonly outcome: 'certified' | 'abstained';
  readonly pALowerBound: number;
  /** Upper bound of every other class; null in the one-sided form. */
  readonly pBUpperBound: number | null;
  /** Null in an abstention. */
  readonly certifiedRadius: number | null;
}

export interface VoteCounts {
  readonly sigma: number;
  readonly n: number;
  readonly alpha: number;
  /** Votes for the selected class. */
  readonly topCount: number;
  /** Votes of the largest other class: asks for the two-sided form; null for the one-sided one. */
  readonly runnerUpCount: number | null;
}

/** Alpha for each of the bounds that must hold together: the two-sided form splits it. */
export function alphaPerBound(alpha: number, twoSided: boolean): number {
  return twoSided ? alpha / 2 : alpha;
}

/**
 * From votes to the certified radius: Theorem 1 of Cohen, Rosenfeld, Kolter (2019) with exact Clopper-Pearson bounds.
 *
 * In the two-sided form the largest other count bounds every other class: the upper bound grows with the count, so it is
 * at least the bound of the one class that is truly second. Where it says less than 1 - pA does, the one-sided form, at
 * its share of alpha, gives the larger radius.
 *
 * @param totalVariation what every probability may be off by, since the noise drawn is not exactly Gaussian; 0 for counts
 *   whose noise is not known
 * @throws ArgumentError where an argument is out of its range
 */
export function radiusFromVotes(
  { sigma, n, alpha, topCount, runnerUpCount }: VoteCounts,
  totalVariation: number,
): RadiusFromVotes {
  const share = alphaPerBound(alpha, runnerUpCount !== null);
  const lower = loosenLower(clopperPearsonLower(topCount, n, share), totalVariation);
  const upper =
    runnerUpCount === null ? null : loosenUpper(clopperPearsonUpper(runnerUpCount, n, share), totalVariation);
  const oneSided = lower.q < 0.5 ? radiusFromLowerBound(sigma, lower.q) : 0;
  const radius = Math.max(oneSided, upper === null ? 0 : radiusFromTwoBounds(sigma, lower, upper));
  return {
    outcome: radius > 0 ? 'certified' : 'abstained',
    pALowerBound: lower.p,
    pBUpperBound: upper?.p ?? null,
    certifiedRadius: radius > 0 ? radius : null,
  };
}
