import type { Fault } from '../errors.ts';
import { MAX_SIGMA } from '../random/limits.ts';

/** Which form of Theorem 1 (Cohen, Rosenfeld, Kolter 2019) gives the radius. */
export type BoundForm = 'pA' | 'pA-pB';

/** What a request may say of a procedure's parameters; each procedure takes those that it has. */
export interface AskedParameters {
  /** Standard deviation of the noise in pixel units of the [0,1] image. */
  readonly sigma: number;
  readonly n0?: number;
  readonly n?: number;
  readonly alpha?: number;
  readonly bound?: BoundForm;
}

/**
 * Limits of every numeric parameter. `sigma` ends where the noise scheme's tables do (|K| <= 8191 on the 1/255 grid);
 * below 0.01 the noise hardly leaves its grid point. `n` ends where the statistics are proven. So does `alpha`: above
 * 1/4 the bounds do not hold for votes from devices that round differently (`gatherVotes` in evidence.ts).
 */
export const PARAMETER_LIMITS = {
  sigma: { minimum: 0.01, maximum: MAX_SIGMA, integer: false },
  n0: { minimum: 1, maximum: 1_000_000, integer: true },
  n: { minimum: 1, maximum: 10_000_000, integer: true },
  alpha: { minimum: 1e-12, maximum: 0.25, integer: false },
} as const;

/** Samples of one request in all: several hours of a GPU. Its plan stays small enough for Redis. */
export const MOST_JOB_SAMPLES = 1_000_000_000;

type NumericName = keyof typeof PARAMETER_LIMITS;

/** What is wrong with the values of numeric parameters, as faults of the object at `pointer`. */
export function numericFaults(values: Partial<Record<NumericName, number>>, pointer: string): Fault[] {
  const faults: Fault[] = [];
  for (const [name, value] of Object.entries(values) as [NumericName, number][]) {
    const { minimum, maximum, integer } = PARAMETER_LIMITS[name];
    const valid = value >= minimum && value <= maximum && (!integer || Number.isInteger(value));
    if (!valid) {
      const kind = integer ? 'an integer' : 'a number';
      faults.push({
        pointer: `${pointer}/${name}`,
        detail: `${name} must be ${kind} from ${minimum} to ${maximum}`,
      });
    }
  }
  return faults;
}
