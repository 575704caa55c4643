/** From here on six terms of the Stirling series leave less than 2 ** -54 (DLMF 5.11.1: error below the next term). */
const SERIES_FROM = 12;

/**
 * The error of Stirling's formula, ln Γ(a+1) − [(a+½) ln a − a + ½ ln 2π], absolute error about 1e-16.
 *
 * Loader, "Fast and Accurate Computation of Binomial Probabilities" (2000), section 2: with this the large parts of a
 * log-binomial cancel on paper instead of in floating point.
 *
 * @param a positive and finite
 */
export function stirlingError(a: number): number {
  let sum = 0;
  let shifted = a;
  while (shifted < SERIES_FROM) {
    sum += stirlingDifference(shifted);
    shifted += 1;
  }
  const inverse = 1 / shifted;
  const w = inverse * inverse;
  // B_2j / (2j (2j−1)), DLMF 5.11.1.
  const series =
    inverse *
    (1 / 12 - w * (1 / 360 - w * (1 / 1260 - w * (1 / 1680 - w * (1 / 1188 - w * (691 / 360360))))));
  return sum + series;
}

/**
 * stirlingError(a) − stirlingError(a+1) = (a+½) ln((a+1)/a) − 1. By the artanh series (DLMF 4.6.4 with
 * z = (a+1)/a) this is Σ w^j / (2j+1) with w = (2a+1)^−2, which has no cancellation.
 */
function stirlingDifference(a: number): number {
  if (a < 0.5) return (a + 0.5) * (Math.log1p(a) - Math.log(a)) - 1;
  const w = 1 / ((2 * a + 1) * (2 * a + 1));
  let sum = 0;
  let power = w;
  for (let odd = 3; power > 1e-18; odd += 2) {
    sum += power / odd;
    power *= w;
  }
  return sum;
}
