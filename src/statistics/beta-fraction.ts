/** A convergent this near its predecessor ends the iteration. */
const TOLERANCE = 2 ** -54;

/** Only a bug gets here: 1e9 draws near the median need about 40,000. */
const MAX_ITERATIONS = 2_000_000;

/** Keeps the recurrence inside the range of a double. */
const RESCALE_ABOVE = 2 ** 500;

/**
 * The continued fraction F of the incomplete beta function: I_x(a,b) = F · x^a y^b / B(a,b), where y = 1 − x.
 *
 * DiDonato & Morris, "Algorithm 708", ACM TOMS 18 (1992), equation (9) (`BFRAC`): the even part of DLMF 8.17.22. For x
 * up to about the median and integer b every term is positive, so the forward recurrence loses nothing, and it ends
 * after b terms. It takes about as many steps as the standard deviation of the binomial behind it, fewer in the tail.
 *
 * @param a positive
 * @param b positive
 * @param x in (0, 1), at most about a / (a + b)
 * @param y 1 − x, given so that it keeps its digits
 * @param lambda a y − b x
 */
export function betaFraction(a: number, b: number, x: number, y: number, lambda: number): number {
  let denominator = a + 1;
  // Numerators and denominators of the last two convergents, each divided by the last denominator's scale.
  let beforeTop = 1;
  let beforeBottom = 0;
  let top = (a * (lambda + 1)) / denominator;
  let bottom = 1;
  let value = top;
  for (let m = 1; m <= MAX_ITERATIONS; m++) {
    const share = (m * (b - m) * x) / denominator;
    const partial = ((a + m - 1) * (a + b + m - 1) * share * x) / denominator;
    denominator += 2;
    const step = m + share + ((a + m) * (lambda + 1 + m * (1 + y))) / denominator;
    const nextTop = step * top + partial * beforeTop;
    const nextBottom = step * bottom + partial * beforeBottom;
    beforeTop = top;
    beforeBottom = bottom;
    top = nextTop;
    bottom = nextBottom;
    const next = top / bottom;
    if (Math.abs(next - value) <= TOLERANCE * Math.abs(next)) return 1 / next;
    value = next;
    if (Math.abs(bottom) > RESCALE_ABOVE) {
      top /= RESCALE_ABOVE;
      bottom /= RESCALE_ABOVE;
      beforeTop /= RESCALE_ABOVE;
      beforeBottom /= RESCALE_ABOVE;
    }
  }
  throw new Error(`continued fraction did not converge for a=${a}, b=${b}, x=${x}`);
}
