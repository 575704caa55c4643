import { requireCount, requireProbability } from './argument-checks.ts';
import { regularizedBeta, regularizedBetaComplement } from './beta.ts';

/** Most trials for which the tails are offered. */
const MAX_TRIALS = 1_000_000_000;

/**
 * P[X <= k] for X ~ Binomial(n, p), DLMF 8.17.5. Small values keep their relative accuracy.
 *
 * @param k integer in [0, n]
 * @param n integer in [1, 1e9]
 * @param p in [0, 1]
 * @throws ArgumentError outside those ranges
 */
export function binomialLowerTail(k: number, n: number, p: number): number {
  requireCount(k, n, MAX_TRIALS);
  requireProbability('p', p);
  return k === n ? 1 : regularizedBetaComplement(p, k + 1, n - k);
}

/**
 * P[X >= k] for X ~ Binomial(n, p), DLMF 8.17.5. Small values keep their relative accuracy.
 *
 * @param k integer in [0, n]
 * @param n integer in [1, 1e9]
 * @param p in [0, 1]
 * @throws ArgumentError outside those ranges
 */
export function binomialUpperTail(k: number, n: number, p: number): number {
  requireCount(k, n, MAX_TRIALS);
  requireProbability('p', p);
  return k === 0 ? 1 : regularizedBeta(p, k, n - k + 1);
}
