import { forwardPass } from './forward-pass.ts';
import type { PlainNetwork } from './plain-network.ts';
import { roundingBound } from './rounding-bound.ts';

/** How far the score of a class is below the best one, and how far it can be where float32 rounding chose it. */
export interface Shortfall {
  readonly gap: number;
  readonly bound: number;
  /** The best score less the lowest. */
  readonly spread: number;
}

/** The larger shortfall of the classes that two engines gave to an image, by scores in double precision. */
export function shortfallOf(
  network: PlainNetwork,
  image: Float32Array,
  classes: readonly number[],
): Shortfall {
  const passes = forwardPass(network, image);
  const scores = passes.at(-1)!.sums;
  const best = scores.indexOf(Math.max(...scores));
  const gaps = classes.map((given) => scores[best]! - scores[given]!);
  const gap = Math.max(...gaps);
  return {
    gap,
    bound: roundingBound(passes, best, classes[gaps.indexOf(gap)]!),
    spread: scores[best]! - Math.min(...scores),
  };
}
