import { betaFraction } from './beta-fraction.ts';
import { deviance } from './deviance.ts';
import { stirlingError } from './stirling.ts';

/** The lower tail of a Beta(a, b) distribution at one point, as logarithm and as derivatives of the logarithm. */
export interface BetaTail {
  /** ln I_x(a,b) */
  readonly log: number;
  /** d ln I / d t, where t = ln(x/y) is the log-odds of x; positive */
  readonly slope: number;
  /** d² ln I / d t²; negative, because the density of t is log-concave and so is its distribution function */
  readonly curvature: number;
  /** bound on the absolute error of `log`, given x and y */
  readonly error: number;
}

/**
 * The error bound in units of 2 ** -53: a constant part (logarithms, Stirling errors), a part for the deviances, and one
 * for the distance from the mean, by which roundings of x and y are multiplied, and the steps of the fraction, which
 * number at most about the standard deviation. Against mpmath at most 0.26 of it is used (705 bounds, n <= 1e7).
 */
const ERROR_CONSTANT = 48;
const ERROR_PER_LOG = 8;
const ERROR_PER_DEVIATION = 8;

/** The part of ln(x^a y^b / B(a,b)) that does not depend on x, without the deviances of `betaTail`. */
export function betaConstant(a: number, b: number): number {
  const n = a + b;
  return (
    0.5 * Math.log((a / n) * (b / (2 * Math.PI))) + stirlingError(n) - stirlingError(a) - stirlingError(b)
  );
}

/**
 * Lower tail of Beta(a, b) at x, by Loader's saddle point form of x^a y^b / B(a,b) (2000, equation 3) and the
 * continued fraction of Algorithm 708. The prefix is stationary in x and in y apart, so that their roundings
 * (x + y need not be exactly 1) enter the result only times the distance from the mean.
 *
 * @param a positive
 * @param b positive
 * @param constant betaConstant(a, b)
 * @param x in (0, 1), at most about the median
 * @param y 1 − x, with its own digits
 */
export function betaTail(a: number, b: number, constant: number, x: number, y: number): BetaTail {
  const lambda = a * y - b * x;
  const n = a + b;
  const fraction = betaFraction(a, b, x, y, lambda);
  const deviances = deviance(a, n * x, lambda) + deviance(b, n * y, -lambda);
  const log = constant - deviances + Math.log(fraction);
  const slope = 1 / fraction;
  const deviation = Math.abs(lambda) + Math.sqrt(n * x * y);
  const units =
    ERROR_CONSTANT + ERROR_PER_LOG * (deviances + Math.abs(log)) + ERROR_PER_DEVIATION * deviation;
  return { log, slope, curvature: slope * (lambda - slope), error: units * 2 ** -53 };
}
