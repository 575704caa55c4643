import { ArgumentError, requireProbability, requireWithin } from './argument-checks.ts';
import { betaOdds } from './beta-odds.ts';
import { betaConstant, betaTail } from './beta-tail.ts';

/** The shapes of binomial bounds start at 1, those of the Krichevsky-Trofimov mixture (1981) at 1/2. */
const LEAST_SHAPE = 0.5;
const MOST_SHAPE = 1e10;

/** Keeps every quantile inside the range of a double: with a = 1/2 it is about the square of the tail. */
const LEAST_TAIL = 1e-100;

/**
 * I_x(a,b), the regularised incomplete beta function: P[Beta(a,b) <= x]. Relative error about
 * 1e-15 · (10 + |ln I| + distance of x from the mean times a + b).
 *
 * @param x in [0, 1]
 * @param a in [0.5, 1e10]
 * @param b in [0.5, 1e10]
 * @throws ArgumentError outside those ranges
 */
export function regularizedBeta(x: number, a: number, b: number): number {
  requireArguments('x', x, a, b);
  return lowerTail(x, 1 - x, a, b);
}

/**
 * 1 − I_x(a,b) without the cancellation of the subtraction. Where 1 − x is what is known with all its digits, ask
 * `regularizedBeta(1 - x, b, a)`, which is the same number.
 *
 * @param x in [0, 1]
 * @param a in [0.5, 1e10]
 * @param b in [0.5, 1e10]
 * @throws ArgumentError outside those ranges
 */
export function regularizedBetaComplement(x: number, a: number, b: number): number {
  requireArguments('x', x, a, b);
  return lowerTail(1 - x, x, b, a);
}

/**
 * The x with I_x(a,b) = p, relative error below 1e-13 for p <= 1/2. Where x is near 1 and 1 − x is wanted with its
 * digits, ask `inverseRegularizedBeta(1 - p, b, a)`.
 *
 * @param p 0, or in [1e-100, 1]
 * @param a in [0.5, 1e10]
 * @param b in [0.5, 1e10]
 * @throws ArgumentError outside those ranges
 */
export function inverseRegularizedBeta(p: number, a: number, b: number): number {
  requireArguments('p', p, a, b);
  if (p === 0 || p === 1) return p;
  if (p < LEAST_TAIL) throw new ArgumentError('p', p, `0, or a probability in [${LEAST_TAIL}, 1]`);
  if (p > 0.5) {
    const mirrored = betaOdds(b, a, betaConstant(b, a), 1 - p);
    return 1 / (1 + mirrored);
  }
  const odds = betaOdds(a, b, betaConstant(a, b), p);
  return odds / (1 + odds);
}

/** I_x(a,b) with y = 1 − x, from whichever side of the mean is the tail. */
function lowerTail(x: number, y: number, a: number, b: number): number {
  if (x === 0) return 0;
  if (y === 0) return 1;
  if (a * y >= b * x) return Math.exp(betaTail(a, b, betaConstant(a, b), x, y).log);
  return 1 - Math.exp(betaTail(b, a, betaConstant(b, a), y, x).log);
}

function requireArguments(name: string, value: number, a: number, b: number): void {
  requireProbability(name, value);
  requireWithin('a', a, LEAST_SHAPE, MOST_SHAPE);
  requireWithin('b', b, LEAST_SHAPE, MOST_SHAPE);
}
