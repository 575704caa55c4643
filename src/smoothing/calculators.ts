import { MOST_RADIUS, smallestCertifyingCount, smallestCountForRadius } from '../statistics/counts.ts';
import { LEAST_SIGMA, MOST_SIGMA, radiusCeiling } from '../statistics/radius.ts';
import { LEAST_POWER, MOST_POWER, samplesForPower } from '../statistics/samples-for-power.ts';
import { samplesForRadius } from '../statistics/samples-for-radius.ts';
import { type BoundForm, PARAMETER_LIMITS } from './parameters.ts';
import { CERTIFY_DEFAULTS } from './procedures/certify.ts';
import { alphaPerBound, type RadiusFromVotes, radiusFromVotes } from './votes-to-radius.ts';

/** Limits of the calculators' questions. They know nothing of a noise scheme, so sigma is not bound to its tables. */
export const CALCULATOR_LIMITS = {
  ...PARAMETER_LIMITS,
  sigma: { minimum: LEAST_SIGMA, maximum: MOST_SIGMA, integer: false },
  radius: { minimum: 0, maximum: MOST_RADIUS, integer: false },
  power: { minimum: LEAST_POWER, maximum: MOST_POWER, integer: false },
} as const;

/** How surely a planned radius is to be reached, where nothing else is asked. */
export const POWER_DEFAULT = 0.95;

/** What counted votes certify, and what they could have. */
export interface RadiusReport extends RadiusFromVotes {
  /** The radius of unanimous votes: nothing above it can be certified with this n and alpha. */
  readonly radiusCeiling: number;
  /** Least number of votes that certifies anything in the one-sided form, null if none does. */
  readonly smallestCertifyingCount: number | null;
}

export interface RadiusQuestion {
  readonly topCount: number;
  readonly n: number;
  readonly alpha: number;
  readonly sigma: number;
  /** Votes of the largest other class: asks for the two-sided form, with alpha split in two. */
  readonly runnerUpCount?: number | undefined;
}

/**
 * The radius that a number of votes certifies, with what could be reached at all.
 *
 * @throws ArgumentError where an argument is out of its range
 */
export function radiusReport({ runnerUpCount: runnerUp, ...counts }: RadiusQuestion): RadiusReport {
  const { sigma, n, alpha } = counts;
  const runnerUpCount = runnerUp ?? null;
  const share = alphaPerBound(alpha, runnerUpCount !== null);
  return {
    ...radiusFromVotes({ ...counts, runnerUpCount }, 0),
    radiusCeiling: radiusCeiling(sigma, n, share),
    smallestCertifyingCount: smallestCertifyingCount(n, share),
  };
}

/** How many samples a radius takes. */
export interface SampleSizeReport {
  /** Least n with which unanimous votes certify the radius; null if no n up to 1e9 does. */
  readonly unanimous: number | null;
  /**
   * Least n from which on every n, up to 1e7, certifies the radius with the probability `power`, where `expectedPA` is the
   * probability of the class; null without expectedPA, or if no n is enough.
   */
  readonly planned: number | null;
  /** With `n`: the least top count that certifies the radius; null without n, or if even all n votes do not. */
  readonly smallestCount: number | null;
}

export interface SampleSizeQuestion {
  readonly radius: number;
  readonly sigma: number;
  readonly alpha: number;
  readonly bound?: BoundForm | undefined;
  readonly expectedPA?: number | undefined;
  readonly power?: number | undefined;
  readonly n?: number | undefined;
}

/**
 * Samples needed to certify a radius, once the class has been selected.
 *
 * In the two-sided form nothing is assumed of the other classes: the answers hold even where all other votes go to one of
 * them. With k votes for the class that one has n - k at most, whose upper bound is 1 less the lower bound of k, and the
 * form then gives the radius of the one-sided form at half of alpha; fewer votes for it give no smaller one.
 *
 * @throws ArgumentError where an argument is out of its range
 */
export function sampleSizeReport({
  radius,
  sigma,
  alpha,
  bound = CERTIFY_DEFAULTS.bound,
  expectedPA,
  power = POWER_DEFAULT,
  n,
}: SampleSizeQuestion): SampleSizeReport {
  const share = alphaPerBound(alpha, bound === 'pA-pB');
  return {
    unanimous: samplesForRadius(radius, sigma, share),
    planned: expectedPA === undefined ? null : samplesForPower(radius, sigma, share, expectedPA, power),
    smallestCount: n === undefined ? null : smallestCountForRadius(n, share, sigma, radius),
  };
}
