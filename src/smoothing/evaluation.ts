import { ArgumentError } from '../statistics/argument-error.ts';

/** What an evaluation needs to know of one input. Inputs that abstained or failed are in it too: none is dropped. */
export interface EvaluatedInput {
  /** Whether the smoothed classifier's class is the true one; false for an abstention and for a failure. */
  readonly correct: boolean;
  /** Null for an abstention and for a failure. */
  readonly certifiedRadius: number | null;
}

/** The share of inputs that holds for every radius above the step before and up to this one, itself included. */
export interface AccuracyStep {
  readonly radius: number;
  readonly certifiedAccuracy: number;
}

/**
 * Certified accuracy at r: the share of all inputs that are correct, not abstained, and have R >= r.
 *
 * @throws ArgumentError without any input, or unless r is 0 or more
 */
export function certifiedAccuracy(inputs: readonly EvaluatedInput[], r: number): number {
  requireInputs(inputs);
  if (!(r >= 0)) throw new ArgumentError('r', r, '0 or more');
  return correctRadii(inputs).filter((radius) => radius >= r).length / inputs.length;
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
  return radii.map((radius) => ({ radius, certifiedAccuracy: certifiedAccuracy(inputs, radius) }));
}

function correctRadii(inputs: readonly EvaluatedInput[]): number[] {
  return inputs.flatMap(({ correct, certifiedRadius }) =>
    correct && certifiedRadius !== null ? [certifiedRadius] : [],
  );
}

function requireInputs(inputs: readonly EvaluatedInput[]): void {
  if (inputs.length === 0) throw new ArgumentError('inputs', 0, 'one input or more');
}
