import { requireAlpha, requireInteger, requireWithin, MAX_SAMPLES } from './argument-checks.ts';
import { clopperPearsonLower, type ProportionBound } from './clopper-pearson.ts';
import { leastInteger } from './least-integer.ts';
import { radiusFromLowerBound, requireSigma } from './radius.ts';

/** Largest radius asked for, in pixel units: as generous as the range of sigma. */
export const MOST_RADIUS = 1e9;

/**
 * The least k at which n draws give a lower bound above 1/2, so that Certify does not abstain.
 *
 * @param n draws, an integer in [1, 1e7]
 * @param alpha failure probability in [1e-100, 0.5]
 * @returns k, or null if even k = n abstains
 * @throws ArgumentError outside those ranges
 */
export function smallestCertifyingCount(n: number, alpha: number): number | null {
  return smallestCountForRadius(n, alpha, 1, 0);
}

/**
 * The least k at which n draws certify a radius of at least `radius` as published, that is rounded down.
 *
 * @param n draws, an integer in [1, 1e7]
 * @param alpha failure probability in [1e-100, 0.5]
 * @param sigma standard deviation of the noise in pixel units, in [1e-6, 1e6]
 * @param radius in pixel units, in [0, 1e9]; 0 asks for any certificate at all
 * @returns k, or null if even k = n falls short
 * @throws ArgumentError outside those ranges
 */
export function smallestCountForRadius(
  n: number,
  alpha: number,
  sigma: number,
  radius: number,
): number | null {
  requireInteger('n', n, 1, MAX_SAMPLES);
  requireAlpha(alpha);
  requireSigma(sigma);
  requireRadius(radius);
  const reached = (k: number): boolean => certifies(clopperPearsonLower(k, n, alpha), sigma, radius);
  // Below n/2 no lower bound is above 1/2.
  return leastInteger(Math.floor(n / 2), n, reached);
}

/** Whether this bound is above 1/2 and its published radius at least `radius`. */
export function certifies(bound: ProportionBound, sigma: number, radius: number): boolean {
  return bound.p > 0.5 && bound.q < 0.5 && radiusFromLowerBound(sigma, bound.q) >= radius;
}

/** @throws ArgumentError unless `radius` is in [0, 1e9] */
export function requireRadius(radius: number): void {
  requireWithin('radius', radius, 0, MOST_RADIUS);
}
