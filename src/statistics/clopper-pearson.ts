import { requireAlpha, requireCount } from './argument-checks.ts';
import { betaOdds } from './beta-odds.ts';
import { betaConstant, betaTail } from './beta-tail.ts';
import { grow, OPERATION_MARGIN, shrink } from './directed.ts';

/** A bound on a proportion and on its complement, each rounded to the safe side by itself. */
export interface ProportionBound {
  /** the bound on the proportion */
  readonly p: number;
  /** the bound on 1 − proportion, with full relative accuracy where p is near 1 */
  readonly q: number;
}

/**
 * Every bound is first moved outwards by this share of its odds, 5.7e-14: eleven times the largest error measured
 * against mpmath over n <= 1e7 and alpha >= 1e-12 (5.1e-15, at k = 1; 3.1e-16 in q where q < p), and far inside the
 * 1e-12 promised below.
 */
const MARGIN = 2 ** -44;

/**
 * One-sided Clopper-Pearson lower bound at confidence 1 − alpha: the p with P[X >= k | n, p] = alpha.
 *
 * Clopper & Pearson, Biometrika 26 (1934); as BetaInv(alpha; k, n−k+1) in Cohen, Rosenfeld & Kolter, "Certified
 * Adversarial Robustness via Randomized Smoothing" (2019), section 3.2.2 (`LowerConfBound`).
 *
 * The result is never above the exact bound: p <= exact and q >= 1 − exact, each within 1e-12 relative (p near 1, and
 * q near 1, within a few 1e-16). Not trusted but checked: the tail is evaluated again at the result, and the result
 * moved further out until alpha exceeds the tail by more than the tail's own error bound.
 *
 * @param k successes, an integer in [0, n]
 * @param n trials, an integer in [1, 1e7]
 * @param alpha failure probability in [1e-100, 0.5]
 * @throws ArgumentError outside those ranges
 */
export function clopperPearsonLower(k: number, n: number, alpha: number): ProportionBound {
  requireCount(k, n);
  requireAlpha(alpha);
  if (k === 0) return { p: 0, q: 1 };
  if (k === n) return allSuccesses(n, alpha);
  const a = k;
  const b = n - k + 1;
  const constant = betaConstant(a, b);
  const odds = betaOdds(a, b, constant, alpha);
  const target = Math.log(alpha);
  for (let margin = MARGIN; margin < 1; margin *= 2) {
    const candidate = shrink(odds, margin);
    const tail = betaTail(a, b, constant, candidate / (1 + candidate), 1 / (1 + candidate));
    if (tail.log + tail.error <= target) return fromOdds(candidate);
  }
  throw new Error(`no verified lower bound for k=${k}, n=${n}, alpha=${alpha}`);
}

/**
 * One-sided Clopper-Pearson upper bound at confidence 1 − alpha: the p with P[X <= k | n, p] = alpha, which is
 * 1 − lower(n − k). Never below the exact bound: p >= exact and q <= 1 − exact. Accuracy and sources as for the lower.
 *
 * @param k successes, an integer in [0, n]
 * @param n trials, an integer in [1, 1e7]
 * @param alpha failure probability in [1e-100, 0.5]
 * @throws ArgumentError outside those ranges
 */
export function clopperPearsonUpper(k: number, n: number, alpha: number): ProportionBound {
  requireCount(k, n);
  const failures = clopperPearsonLower(n - k, n, alpha);
  return { p: failures.q, q: failures.p };
}

/**
 * The lower bound alpha^(1/n) for k = n, in closed form.
 *
 * @param n positive; not checked
 * @param alpha in [1e-100, 0.5]; not checked
 */
export function allSuccesses(n: number, alpha: number): ProportionBound {
  const log = Math.log(alpha) / n;
  const q = grow(-Math.expm1(log), MARGIN);
  // The smaller of the two carries the margin, the other is its complement.
  if (q < 0.5) return { p: shrink(1 - q, OPERATION_MARGIN), q };
  const p = shrink(Math.exp(log), MARGIN);
  return { p, q: Math.min(1, grow(1 - p, OPERATION_MARGIN)) };
}

/** p rounded down and q rounded up, each from the odds so that the smaller keeps its digits. */
function fromOdds(odds: number): ProportionBound {
  return {
    p: shrink(odds / (1 + odds), OPERATION_MARGIN),
    q: Math.min(1, grow(1 / (1 + odds), OPERATION_MARGIN)),
  };
}
