/** Steps that read well on an axis, in the powers of ten. */
const STEPS = [1, 2, 2.5, 5, 10];

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
  const digits = Math.max(0, ...[0, 1, 2, 3, 4, 5, 6].filter((d) => Number(step.toFixed(d)) !== step)) + 1;
  const whole = Number.isInteger(step);
  return {
    end: steps * step,
    ticks: Array.from({ length: steps + 1 }, (_, index) => index * step),
    digits: whole ? 0 : digits,
  };
}
