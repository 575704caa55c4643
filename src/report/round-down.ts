/**
 * A non-negative number with that many digits after the point, never above it: `Number(roundDown(x, d)) <= x`. Radii and
 * lower bounds are claims, and the nearest decimal may claim more than was certified.
 *
 * @param digits 0 to 100
 * @throws RangeError for a negative number or one of 1e21 and more, which have no such text
 */
export function roundDown(value: number, digits: number): string {
  if (!(value >= 0 && value < 1e21)) throw new RangeError(`cannot round ${value} down to ${digits} digits`);
  const nearest = value.toFixed(digits);
  if (Number(nearest) <= value) return nearest;
  const units = (BigInt(nearest.replace('.', '')) - 1n).toString().padStart(digits + 1, '0');
  return digits === 0 ? units : `${units.slice(0, -digits)}.${units.slice(-digits)}`;
}
