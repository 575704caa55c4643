import { ArgumentError } from '../statistics/argument-checks.ts';
import { clopperPearsonLower, clopperPearsonUpper } from '../statistics/clopper-pearson.ts';

/** What an evaluation needs to know of one input. Inputs that abstained or failed are in it too: none is dropped. */
export interface EvaluatedInput {
  /** Whether the smoothed classifier's class is the true one; false for an abstention and for a failure. */
  readonly correct: boolean;
  /** Null for an abstention and for a failure. */
  readonly certifiedRadius: number | null;
}

/** Bounds of a share in the population that the inputs were drawn from at random; both hold at `INTERVAL_CONFIDENCE`. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** The share of inputs that holds for every radius above the step before and up to this one, itself included. */
export interface AccuracyStep extends Interval {
  readonly radius: number;
  readonly certifiedAccuracy: number;
}

export const INTERVAL_CONFIDENCE = 0.95;
/** On each side: 1 − 0.95 would be rounded to the unsafe side. */
const TAIL = 0.025;

/**
 * The two-sided Clopper-Pearson interval of a share, rounded outwards. It is of the share of certificates that the method
 * gives; each certificate may itself be wrong with its own probability alpha.
 *
 * @throws ArgumentError unless count is an integer from 0 to inputs, and inputs one from 1
 */
export function shareInterval(count: number, inputs: number): Interval {
  return {
    low: clopperPearsonLower(count, inputs, TAIL).p,
    high: clopperPearsonUpper(count, inputs, TAIL).p,
  };
}

/**
 * Certified accuracy at r: the share of all inputs that are correct, not abstained, and have R >= r.
 *
 * @throws ArgumentError without any input, or unless r is 0 or more
 */
export function certifiedAccuracy(inputs: readonly EvaluatedInput[], r: number): number {
  return certifiedCount(inputs, r) / inputs.length;
}

/**
 * How many inputs certified accuracy at r counts.
 *
 * @throws ArgumentError without any input, or unless r is 0 or more
 */
export function certifiedCount(inputs: readonly EvaluatedInput[], r: number): number {
  requireInputs(inputs);
  if (!(r >= 0)) throw new ArgumentError('r', r, '0 or more');
  return correctRadii(inputs).filter((radius) => radius >= r).length;
}

/**
 * Average certified radius: the sum of the radii of correct inputs over the number of all inputs. It is the area under
 * the curve of certified accuracy.
 *
 * @throws ArgumentError without any input
 */
export function averageCertifiedRadius(inputs: readonly EvaluatedInput[]): number {
  requireInputs(inputs);
  return correctRadii(inputs).reduce((sum, radius) => sum + radius, 0) / inputs.length;
}

/**
 * The curve of certified accuracy as the radii at which it drops, ascending; above the last one it is 0.
 *
 * @throws ArgumentError without any input
 */
export function certifiedAccuracySteps(inputs: readonly EvaluatedInput[]): AccuracyStep[] {
  requireInputs(inputs);
  const radii = [...new Set(correctRadii(inputs))].sort((a, b) => a - b);
  return radii.map((radius) => {
    const count = certifiedCount(inputs, radius);
    return { radius, certifiedAccuracy: count / inputs.length, ...shareInterval(count, inputs.length) };
  });
}

function correctRadii(inputs: readonly EvaluatedInput[]): number[] {
  return inputs.flatMap(({ correct, certifiedRadius }) =>
    correct && certifiedRadius !== null ? [certifiedRadius] : [],
  );
}

function requireInputs(inputs: readonly EvaluatedInput[]): void {
  if (inputs.length === 0) throw new ArgumentError('inputs', 0, 'one input or more');
}
