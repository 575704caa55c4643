/**
 * Where the series takes over from the direct formula. Loader (2000, section 3) has 0.1; at 0.5 the deviance is already
 * 0.4 x, so that the direct formula, whose error is about 2 x ulps, is accurate to a few ulps wherever it is used.
 */
const SERIES_WITHIN = 0.5;

/**
 * The Poisson deviance x ln(x/m) + m − x, never negative, with small relative error also where x is near m.
 *
 * Loader, "Fast and Accurate Computation of Binomial Probabilities" (2000), section 3 (`bd0`). The difference is an
 * argument of its own because callers know it with less cancellation than x − m has.
 *
 * @param x positive
 * @param m positive
 * @param difference x − m
 */
export function deviance(x: number, m: number, difference: number): number {
  const sum = x + m;
  if (Math.abs(difference) >= SERIES_WITHIN * sum) return x * Math.log(x / m) - difference;
  const v = difference / sum;
  const w = v * v;
  let result = difference * v;
  let term = 2 * x * v;
  for (let odd = 3; ; odd += 2) {
    term *= w;
    const next = result + term / odd;
    if (next === result) return result;
    result = next;
  }
}
