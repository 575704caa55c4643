/**
 * A value outside what the noise scheme or its kernel accepts. The message names the parameter, the value given and
 * the values allowed, so that it can be shown to whoever chose the value.
 */
export class NoiseRangeError extends RangeError {
  override readonly name = 'NoiseRangeError';
  readonly parameter: string;
  readonly allowed: string;

  constructor(parameter: string, given: unknown, allowed: string) {
    super(`${parameter} must be ${allowed}; got ${String(given)}`);
    this.parameter = parameter;
    this.allowed = allowed;
  }
}

/**
 * Returns `value` if it is an integer of [low, high].
 *
 * @throws {NoiseRangeError} for anything else, NaN and fractions included.
 */
export function integerWithin(parameter: string, value: number, low: number, high: number): number {
  if (!Number.isInteger(value) || value < low || value > high) {
    throw new NoiseRangeError(parameter, value, `an integer from ${low} to ${high}`);
  }
  return value;
}
