import { decimalAbove, decimalBelow, significantAbove } from './directed-decimal.ts';

// How people read numbers. A bound is printed by a function that says its direction, and by no other.

/** Digits after the point of a radius and of a probability, and significant ones of a small probability. */
const RADIUS_DIGITS = 4;
const PROBABILITY_DIGITS = 6;
const SMALL_DIGITS = 3;

/** 100000 as 100,000. */
export function formatCount(count: number): string {
  return Math.round(count).toLocaleString('en-GB');
}

/** A certified radius, or one that can be certified: never above it. */
export function formatRadiusDown(radius: number): string {
  return decimalBelow(radius, RADIUS_DIGITS);
}

/** A lower bound of a probability: never above it. */
export function formatProbabilityDown(probability: number): string {
  return decimalBelow(probability, PROBABILITY_DIGITS);
}

/** An upper bound of a probability: never below it. */
export function formatProbabilityUp(probability: number): string {
  return decimalAbove(probability, PROBABILITY_DIGITS);
}

/** A p-value, or another upper bound that may be tiny: never below it. */
export function formatSmallUp(probability: number): string {
  return significantAbove(probability, SMALL_DIGITS);
}

/** A count's share of a total of 1 or more, as 66.6%: never above it. */
export function formatShareDown(count: number, total: number): string {
  return percent(BigInt(Math.floor((1000 * count) / total)));
}

/** A lower bound of a share, as 66.6%: never above it. */
export function formatPercentDown(share: number): string {
  return percent(BigInt(decimalBelow(share, 3).replace('.', '')));
}

/** An upper bound of a share, as 66.7%: never below it. */
export function formatPercentUp(share: number): string {
  return percent(BigInt(decimalAbove(share, 3).replace('.', '')));
}

function percent(tenths: bigint): string {
  return `${tenths / 10n}.${tenths % 10n}%`;
}

/** Seconds as 42 s, 3 min 05 s or 2 h 07 min. */
export function formatDuration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const pad = (value: number): string => String(value).padStart(2, '0');
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${pad(Math.floor((whole % 3600) / 60))} min`;
}

/** Seconds as 12.3 s. */
export function formatSeconds(seconds: number): string {
  return `${seconds.toFixed(1)} s`;
}
