import { requireAlpha } from './argument-checks.ts';
import { allSuccesses } from './clopper-pearson.ts';
import { certifies, requireRadius } from './counts.ts';
import { leastInteger } from './least-integer.ts';
import { MAX_UNANIMOUS_SAMPLES, requireSigma } from './radius.ts';

/**
 * The least n whose votes, all n of them alike, certify `radius` as published: fewer never do.
 *
 * @param radius in pixel units, in [0, 1e9]; 0 asks for any certificate at all
 * @param sigma standard deviation of the noise in pixel units, in [1e-6, 1e6]
 * @param alpha failure probability in [1e-100, 0.5]
 * @returns n, or null if no n up to 1e9 is enough
 * @throws ArgumentError outside those ranges
 */
export function samplesForRadius(radius: number, sigma: number, alpha: number): number | null {
  requireRadius(radius);
  requireSigma(sigma);
  requireAlpha(alpha);
  return leastInteger(1, MAX_UNANIMOUS_SAMPLES, (n) => certifies(allSuccesses(n, alpha), sigma, radius));
}
