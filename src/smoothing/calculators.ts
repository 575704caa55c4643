import { smallestCertifyingCount, smallestCountForRadius } from '../statistics/counts.ts';
import { radiusCeiling } from '../statistics/radius.ts';
import { samplesForRadius } from '../statistics/samples-for-radius.ts';
import { alphaPerBound, type RadiusFromVotes, radiusFromVotes } from './votes-to-radius.ts';

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
  /** Least n with which `expectedPA` of the votes certify it; null without expectedPA, or if no n up to 1e7 does. */
  readonly expected: number | null;
  /** With `n`: the least top count that certifies the radius; null without n, or if even all n votes do not. */
  readonly smallestCount: number | null;
}

export interface SampleSizeQuestion {
  readonly radius: number;
  readonly sigma: number;
  readonly alpha: number;
  readonly expectedPA?: number | undefined;
  readonly n?: number | undefined;
}

/**
 * Samples needed to certify a radius.
 *
 * @throws ArgumentError where an argument is out of its range
 */
export function sampleSizeReport({
  radius,
  sigma,
  alpha,
  expectedPA,
  n,
}: SampleSizeQuestion): SampleSizeReport {
  return {
    unanimous: samplesForRadius(radius, sigma, alpha),
    expected: expectedPA === undefined ? null : samplesForRadius(radius, sigma, alpha, expectedPA),
    smallestCount: n === undefined ? null : smallestCountForRadius(n, alpha, sigma, radius),
  };
}
