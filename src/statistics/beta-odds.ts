import { betaTail } from './beta-tail.ts';
import { normalUpperQuantile } from './normal.ts';

/** Halley's error after a step that moves ln I by d is below d³ / slope, so this leaves less than 2 ** -51 / slope. */
const CONVERGED = 2 ** -17;

/** Near enough for Halley; from further away Newton's step, which concavity keeps from overshooting to the right. */
const NEAR = 1;

/** Halley's steps number 2 to 4 from the guess below, and at most about 60 from any start at all. */
const MAX_STEPS = 200;

/** Longest step in the log-odds: keeps a bad start from leaving the range of a double. */
const LONGEST_STEP = 40;

/**
 * The odds x/y at which the lower tail of Beta(a, b) equals `tail`: solves ln I_x(a,b) = ln tail by Halley's method in
 * the log-odds, where the left side is increasing and concave, so that the iteration cannot get lost.
 *
 * @param a in [0.5, 1e10]
 * @param b in [0.5, 1e10]
 * @param constant betaConstant(a, b)
 * @param tail in [1e-100, 1/2]
 */
export function betaOdds(a: number, b: number, constant: number, tail: number): number {
  const target = Math.log(tail);
  let odds = guessOdds(a, b, tail);
  for (let count = 0; count < MAX_STEPS; count++) {
    const here = betaTail(a, b, constant, odds / (1 + odds), 1 / (1 + odds));
    const gap = target - here.log;
    const newton = gap / here.slope;
    const halley = newton / (1 + (newton * here.curvature) / (2 * here.slope));
    const step = Math.abs(gap) < NEAR ? halley : Math.max(-LONGEST_STEP, Math.min(LONGEST_STEP, newton));
    odds *= Math.exp(step);
    if (Math.abs(gap) <= CONVERGED) return odds;
  }
  throw new Error(`no solution found for the Beta(${a}, ${b}) quantile of ${tail}`);
}

/** Abramowitz & Stegun 26.5.22 where it applies; else the odds of the mean. */
function guessOdds(a: number, b: number, tail: number): number {
  const mean = a / b;
  if (a < 1 || b < 1) return mean * Math.min(1, tail ** (1 / a));
  const z = normalUpperQuantile(tail);
  const third = (z * z - 3) / 6;
  const inverseA = 1 / (2 * a - 1);
  const inverseB = 1 / (2 * b - 1);
  const h = 2 / (inverseA + inverseB);
  const w =
    (z * Math.sqrt(Math.max(0, third + h))) / h - (inverseB - inverseA) * (third + 5 / 6 - 2 / (3 * h));
  const guess = mean * Math.exp(-2 * w);
  return guess > 0 && Number.isFinite(guess) ? guess : mean;
}
