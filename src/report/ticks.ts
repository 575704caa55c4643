/** Steps that read well on an axis, in the powers of ten. */
const STEPS = [1, 2, 2.5, 5, 10];
const DIGITS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

/** An axis from 0: its end, and where its ticks are. */
export interface Axis {
  readonly end: number;
  readonly ticks: readonly number[];
  /** Digits after the point that every tick needs. */
  readonly digits: number;
}

/** An axis that reaches at least to `most` with about `count` ticks at round numbers. `most` is above 0. */
export function niceAxis(most: number, count: number): Axis {
  const rough = most / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = STEPS.map((each) => each * power).find((each) => each >= rough * (1 - 1e-9))!;
  const steps = Math.ceil(most / step - 1e-9);
  const digits = DIGITS.find((each) => Math.abs(step - Number(step.toFixed(each))) < step * 1e-9) ?? 0;
  // 3 · 0.2 is 0.6000000000000001, and a result at 0.6 does not reach that.
  const tick = (index: number): number => Number((index * step).toFixed(digits));
  return { end: tick(steps), ticks: Array.from({ length: steps + 1 }, (_, index) => tick(index)), digits };
}
