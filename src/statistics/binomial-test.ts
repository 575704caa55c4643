import { requireCount } from './argument-checks.ts';
import { betaConstant, betaTail } from './beta-tail.ts';
import { grow, OPERATION_MARGIN } from './directed.ts';

/**
 * Exact two-sided binomial test of p = 1/2: the probability of a count at least as far from n/2 as k. Rounded up, never
 * below the exact p-value, so that rejecting at p-value <= alpha is never too bold; within 1e-10 relative of it while
 * it is a normal double, and the smallest positive double rather than 0 where it underflows.
 *
 * The distribution is symmetric, so that this is min(1, 2 P[X >= max(k, n−k)]); `BinomPValue` in Cohen, Rosenfeld &
 * Kolter (2019), section 3.2.1 (Predict), there taken from `scipy.stats.binom_test`.
 *
 * @param k votes for one of the two classes, an integer in [0, n]
 * @param n votes for both together, an integer in [1, 1e7]
 * @throws ArgumentError outside those ranges
 */
export function binomialTestTwoSided(k: number, n: number): number {
  requireCount(k, n);
  const larger = Math.max(k, n - k);
  const a = larger;
  const b = n - larger + 1;
  const tail = betaTail(a, b, betaConstant(a, b), 0.5, 0.5);
  return Math.min(1, grow(2 * Math.exp(tail.log + tail.error), OPERATION_MARGIN));
}
