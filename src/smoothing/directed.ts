import type { ProportionBound } from '../statistics/clopper-pearson.ts';

/** The next double above a non-negative finite number. */
export function nextUp(x: number): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, x);
  view.setBigUint64(0, view.getBigUint64(0) + 1n);
  return view.getFloat64(0);
}

/** The next double below a positive number; 0 stays 0. */
function nextDown(x: number): number {
  if (x <= 0) return 0;
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, x);
  view.setBigUint64(0, view.getBigUint64(0) - 1n);
  return view.getFloat64(0);
}

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
