import type { ProportionBound } from '../statistics/clopper-pearson.ts';
import { nextDown, nextUp } from '../statistics/directed.ts';

/**
 * Takes `slack` off a lower bound, rounded to the safe side: p down, q = 1 - p up. One step beyond the rounded
 * result covers the rounding of the sum itself.
 */
export function loosenLower({ p, q }: ProportionBound, slack: number): ProportionBound {
  if (slack === 0) return { p, q };
  return { p: nextDown(Math.max(0, p - slack)), q: Math.min(1, nextUp(q + slack)) };
}

/** Adds `slack` to an upper bound, rounded to the safe side: p up, q = 1 - p down. */
export function loosenUpper({ p, q }: ProportionBound, slack: number): ProportionBound {
  if (slack === 0) return { p, q };
  return { p: Math.min(1, nextUp(p + slack)), q: nextDown(Math.max(0, q - slack)) };
}
