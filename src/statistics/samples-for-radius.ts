import { MAX_SAMPLES, requireAlpha } from './argument-checks.ts';
import { ArgumentError } from './argument-error.ts';
import { betaConstant, betaTail } from './beta-tail.ts';
import { allSuccesses, clopperPearsonLower } from './clopper-pearson.ts';
import { certifies, requireRadius } from './counts.ts';
import { leastInteger } from './least-integer.ts';
import { normalCdf, normalUpperTail } from './normal.ts';
import { MAX_UNANIMOUS_SAMPLES, requireSigma } from './radius.ts';

/** A product this near an integer, relatively, is meant to be that integer: 0.57 · 100 is 56.99999999999999. */
const PRODUCT_SLACK = 1e-12;

/**
 * The least n whose votes can certify `radius` as published: with all n votes alike, or, if `expectedPA` is given, with
 * k = floor(expectedPA · n) of them.
 *
 * @param radius in pixel units, in [0, 1e9]; 0 asks for any certificate at all
 * @param sigma standard deviation of the noise in pixel units, in [1e-6, 1e6]
 * @param alpha failure probability in [1e-100, 0.5]
 * @param expectedPA expected share of votes for the top class, in (1/2, 1]
 * @returns n, or null if no n up to 1e9 (1e7 with an expectedPA below 1) is enough
 * @throws ArgumentError outside those ranges
 */
export function samplesForRadius(
  radius: number,
  sigma: number,
  alpha: number,
  expectedPA = 1,
): number | null {
  requireRadius(radius);
  requireSigma(sigma);
  requireAlpha(alpha);
  if (!(expectedPA > 0.5 && expectedPA <= 1)) {
    throw new ArgumentError('expectedPA', expectedPA, 'a share in (0.5, 1]');
  }
  if (expectedPA === 1) {
    return leastInteger(1, MAX_UNANIMOUS_SAMPLES, (n) => certifies(allSuccesses(n, alpha), sigma, radius));
  }
  return samplesForShare(radius, sigma, alpha, expectedPA);
}

/**
 * The radius at floor(share · n) votes is a saw-tooth in n, so it cannot be bisected. It lies below the radius for
 * share · n votes, a fraction included, which grows with n: that one is bisected, and the teeth are tried from there.
 */
function samplesForShare(radius: number, sigma: number, alpha: number, share: number): number | null {
  const p = normalCdf(radius / sigma);
  const q = normalUpperTail(radius / sigma);
  if (q === 0 || share <= p) return null;
  const target = Math.log(alpha);
  const possible = (n: number): boolean => {
    const a = share * n;
    const b = n - a + 1;
    if (a * q <= b * p) return false;
    const tail = betaTail(a, b, betaConstant(a, b), p, q);
    return tail.log - tail.error <= target;
  };
  const start = leastInteger(1, MAX_SAMPLES, possible);
  if (start === null) return null;
  for (let k = countAt(share, start); ; k++) {
    const n = trialsFor(share, k);
    if (n > MAX_SAMPLES) return null;
    if (n >= start && certifies(clopperPearsonLower(k, n, alpha), sigma, radius)) return n;
  }
}

/** floor(share · n), forgiving the rounding of the product. */
function countAt(share: number, n: number): number {
  return Math.floor(share * n * (1 + PRODUCT_SLACK));
}

/** The least n with countAt(share, n) >= k. */
function trialsFor(share: number, k: number): number {
  let n = Math.max(1, Math.ceil(k / share) - 1);
  while (countAt(share, n) < k) n += 1;
  return n;
}
