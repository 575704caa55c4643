/**
 * Directed rounding. JavaScript offers only round-to-nearest, so a value that must not exceed the exact one is moved
 * by a relative margin that covers the error with which it was computed. Margins are at least 2 ** -52, so that the
 * rounding of the move itself (2 ** -53) cannot undo it.
 */

/** Covers two or three correctly rounded operations. */
export const OPERATION_MARGIN = 2 ** -51;

/** `value`, not negative, made smaller by the relative `margin`. */
export function shrink(value: number, margin: number): number {
  return value * (1 - margin);
}

/** `value`, not negative, made larger by the relative `margin`; the least positive double for 0. */
export function grow(value: number, margin: number): number {
  return Math.max(value * (1 + margin), Number.MIN_VALUE);
}

/** `value`, of either sign, moved towards minus infinity by the relative `margin`. */
export function lower(value: number, margin: number): number {
  return value - Math.abs(value) * margin;
}

/** The next double above a non-negative finite number. */
export function nextUp(x: number): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, x);
  view.setBigUint64(0, view.getBigUint64(0) + 1n);
  return view.getFloat64(0);
}

/** The next double below a positive number; 0 stays 0. */
export function nextDown(x: number): number {
  if (x <= 0) return 0;
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, x);
  view.setBigUint64(0, view.getBigUint64(0) - 1n);
  return view.getFloat64(0);
}
