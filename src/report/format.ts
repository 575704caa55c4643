import { roundDown } from './round-down.ts';

/** Digits after the point of a radius and of a probability, where people read them. */
const RADIUS_DIGITS = 4;
const PROBABILITY_DIGITS = 6;

/** 100000 as 100,000. */
export function formatCount(count: number): string {
  return Math.round(count).toLocaleString('en-GB');
}

/** A certified radius, rounded down. */
export function formatRadius(radius: number): string {
  return roundDown(radius, RADIUS_DIGITS);
}

/** A lower bound of a probability, rounded down. */
export function formatLowerBound(probability: number): string {
  return roundDown(probability, PROBABILITY_DIGITS);
}

/** Seconds as 42 s, 3 min 05 s or 2 h 07 min. */
export function formatDuration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const pad = (value: number): string => String(value).padStart(2, '0');
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${pad(Math.floor((whole % 3600) / 60))} min`;
}
