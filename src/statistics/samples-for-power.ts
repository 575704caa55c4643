import { ArgumentError, MAX_SAMPLES, requireAlpha, requireWithin } from './argument-checks.ts';
import { betaConstant, betaTail } from './beta-tail.ts';
import { clopperPearsonLower } from './clopper-pearson.ts';
import { certifies, requireRadius, smallestCountForRadius } from './counts.ts';
import { leastInteger } from './least-integer.ts';
import { normalCdf, normalUpperTail } from './normal.ts';
import { requireSigma } from './radius.ts';

/** Least and largest power that is planned for. */
export const LEAST_POWER = 0.5;
export const MOST_POWER = 0.999_999;

/** Counts are found with a fraction first, to well within this. */
const COUNT_SLACK = 0.01;

/**
 * The least n from which on every number of samples, up to 1e7, certifies `radius` with probability `power` or more: with
 * X ~ Binomial(n, pA) votes for the selected class, P[radius as published >= radius] >= power, exactly.
 *
 * The count that is needed is an integer, so the power is a saw-tooth in n: it falls at each n that needs one vote
 * more. Single n below the answer may reach the power; one of its neighbours does not.
 *
 * @param radius in pixel units, in [0, 1e9]; 0 asks for any certificate at all
 * @param sigma standard deviation of the noise in pixel units, in [1e-6, 1e6]
 * @param alpha failure probability in [1e-100, 0.5]
 * @param pA probability of the selected class, in (1/2, 1]
 * @param power in [0.5, 0.999999]
 * @returns n, or null if no n up to 1e7 is enough
 * @throws ArgumentError outside those ranges
 */
export function samplesForPower(
  radius: number,
  sigma: number,
  alpha: number,
  pA: number,
  power: number,
): number | null {
  requireRadius(radius);
  requireSigma(sigma);
  requireAlpha(alpha);
  if (!(pA > 0.5 && pA <= 1)) throw new ArgumentError('pA', pA, 'a probability in (0.5, 1]');
  requireWithin('power', power, LEAST_POWER, MOST_POWER);
  const p = normalCdf(radius / sigma);
  const q = normalUpperTail(radius / sigma);
  if (q === 0 || pA <= p) return null;
  // 1 − power and 1 − pA are exact: both are at least one half.
  const mostFailure = Math.log(1 - power);

  /** Whether fewer than k votes of n come with 1 − power at most; k may be a fraction. */
  const reached = (k: number, n: number): boolean => {
    if (k > n || pA === 1) return k <= n;
    if (k > (n + 1) * pA) return false;
    const tail = betaTail(n - k + 1, k, betaConstant(n - k + 1, k), 1 - pA, pA);
    return tail.log + tail.error <= mostFailure;
  };
  /** Whether n would do if the count needed were `more` than the fraction at which the bound is just the radius's. */
  const reachedWith = (more: number, n: number): boolean => {
    const needed = fractionalCount(n, alpha, p, q);
    return needed !== null && reached(needed + more, n);
  };
  // The integer count is at most one above the fraction. In the fraction the power grows steadily with n, so that all n do
  // from `enough` on, and `possible` − 1 does not; between them every n is tried.
  const possible = leastInteger(1, MAX_SAMPLES, (n) => reachedWith(-COUNT_SLACK, n));
  if (possible === null) return null;
  const enough =
    leastInteger(possible, MAX_SAMPLES, (n) => reachedWith(1 + COUNT_SLACK, n)) ?? MAX_SAMPLES + 1;
  let least = possible;
  // One more than there are where even all votes are too few.
  let count = smallestCountForRadius(possible, alpha, sigma, radius) ?? possible + 1;
  const suffices = (n: number): boolean =>
    count <= n && certifies(clopperPearsonLower(count, n, alpha), sigma, radius);
  for (let n = possible; n < enough; n += 1) {
    // One sample more needs the same count or one vote more.
    if (n > possible && !suffices(n)) count += 1;
    if (!reached(count, n)) least = n + 1;
  }
  return least <= MAX_SAMPLES ? least : null;
}

/** The k, with a fraction, at which the lower bound of k of n votes is exactly p = 1 − q; null if that of n is below it. */
function fractionalCount(n: number, alpha: number, p: number, q: number): number | null {
  const target = Math.log(alpha);
  const certain = (k: number): boolean =>
    betaTail(k, n - k + 1, betaConstant(k, n - k + 1), p, q).log <= target;
  if (!certain(n)) return null;
  // Below its mean a tail is about one half or more.
  let [low, high] = [Math.min(n, (n + 1) * p), n];
  while (high - low > COUNT_SLACK / 4) {
    const middle = (low + high) / 2;
    if (certain(middle)) high = middle;
    else low = middle;
  }
  return high;
}
