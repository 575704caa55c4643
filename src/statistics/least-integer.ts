/**
 * The least integer in [low, high] at which `holds` is true, or null if there is none, by bisection.
 *
 * @param low integer, not above high
 * @param high integer
 * @param holds false up to some integer and true from there on
 */
export function leastInteger(low: number, high: number, holds: (value: number) => boolean): number | null {
  if (!holds(high)) return null;
  let below = low - 1;
  let least = high;
  while (least - below > 1) {
    const middle = below + Math.floor((least - below) / 2);
    if (holds(middle)) least = middle;
    else below = middle;
  }
  return least;
}
