import { ArgumentError, requireAlpha, requireInteger, requireWithin } from './argument-checks.ts';
import { allSuccesses, type ProportionBound } from './clopper-pearson.ts';
import { lower, OPERATION_MARGIN } from './directed.ts';
import { normalUpperQuantile } from './normal.ts';

/** Range of σ in pixel units of the [0,1] image: generous, and far from underflow. */
export const LEAST_SIGMA = 1e-6;
export const MOST_SIGMA = 1e6;

/** Most draws of the closed form for unanimous votes, whose accuracy does not depend on n. */
export const MAX_UNANIMOUS_SAMPLES = 1_000_000_000;

/** 7.1e-15: seventeen times the largest relative error of the quantile measured against mpmath (4.1e-16). */
const QUANTILE_MARGIN = 2 ** -47;

/** @throws ArgumentError unless `sigma` is in [1e-6, 1e6] */
export function requireSigma(sigma: number): void {
  requireWithin('sigma', sigma, LEAST_SIGMA, MOST_SIGMA);
}

/**
 * The certified L2 radius R = −σ Φ⁻¹(q), with q = 1 − p̲_A the complement of the lower bound on the top class: Cohen,
 * Rosenfeld & Kolter (2019), Theorem 1 with p̄_B = 1 − p̲_A. Rounded down: never above the exact value, and within
 * 1e-14 relative of it.
 *
 * @param sigma standard deviation of the noise in pixel units, in [1e-6, 1e6]
 * @param q 1 − p̲_A, rounded up by the caller, in (0, 1]
 * @returns the radius in pixel units; positive for q < 1/2, else 0, which certifies nothing
 * @throws ArgumentError outside those ranges; for q = 0 too, since no finite sample bounds the radius away from it
 */
export function radiusFromLowerBound(sigma: number, q: number): number {
  requireSigma(sigma);
  requirePositiveProbability('q', q);
  if (q >= 0.5) return 0;
  return lower(sigma * lower(normalUpperQuantile(q), QUANTILE_MARGIN), OPERATION_MARGIN);
}

/**
 * The certified L2 radius σ/2 (Φ⁻¹(p̲_A) − Φ⁻¹(p̄_B)) of Theorem 1 of Cohen, Rosenfeld & Kolter (2019), rounded down.
 * Both bounds must hold at once, for instance each at half of alpha.
 *
 * @param sigma standard deviation of the noise in pixel units, in [1e-6, 1e6]
 * @param lowerA lower bound on the top class; q > 0
 * @param upperB upper bound on every other class; p > 0
 * @returns the radius in pixel units; 0, which certifies nothing, if it is not positive
 * @throws ArgumentError outside those ranges
 */
export function radiusFromTwoBounds(sigma: number, lowerA: ProportionBound, upperB: ProportionBound): number {
  requireSigma(sigma);
  requireWithin('lowerA.p', lowerA.p, 0, 1);
  requirePositiveProbability('lowerA.q', lowerA.q);
  requirePositiveProbability('upperB.p', upperB.p);
  requireWithin('upperB.q', upperB.q, 0, 1);
  const sum = upperDistance(lowerA.q, lowerA.p) + upperDistance(upperB.p, upperB.q);
  return Math.max(0, lower((sigma / 2) * lower(sum, OPERATION_MARGIN), OPERATION_MARGIN));
}

/**
 * The largest radius that n draws can certify, σ Φ⁻¹(alpha^(1/n)), reached when all of them vote alike. Rounded down;
 * equal to what is published for k = n.
 *
 * @param sigma standard deviation of the noise in pixel units, in [1e-6, 1e6]
 * @param n draws, an integer in [1, 1e9]
 * @param alpha failure probability in [1e-100, 0.5]
 * @throws ArgumentError outside those ranges
 */
export function radiusCeiling(sigma: number, n: number, alpha: number): number {
  requireSigma(sigma);
  requireInteger('n', n, 1, MAX_UNANIMOUS_SAMPLES);
  requireAlpha(alpha);
  return radiusFromLowerBound(sigma, allSuccesses(n, alpha).q);
}

/** The z with upper tail `tail`, rounded down; from the complement where that has the digits. */
function upperDistance(tail: number, complement: number): number {
  if (tail >= 1 || complement <= 0) return Number.NEGATIVE_INFINITY;
  const z = tail <= 0.5 ? normalUpperQuantile(tail) : -normalUpperQuantile(Math.min(complement, 0.5));
  return lower(z, QUANTILE_MARGIN);
}

function requirePositiveProbability(argument: string, value: number): void {
  if (!(value > 0 && value <= 1)) throw new ArgumentError(argument, value, 'a probability in (0, 1]');
}
