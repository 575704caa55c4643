/** Most draws for which bounds are computed: the accuracy of clopper-pearson.ts is measured up to here. */
export const MAX_SAMPLES = 10_000_000;

/** Smallest failure probability accepted. Far below any claim worth making, far above underflow. */
export const MIN_ALPHA = 1e-100;

/** Largest failure probability accepted: a one-sided bound that is wrong more often than right bounds nothing. */
export const MAX_ALPHA = 0.5;

/** An argument outside the range in which a statistical function is defined. Names the argument and the range. */
export class ArgumentError extends RangeError {
  readonly argument: string;
  readonly value: unknown;
  readonly allowed: string;

  /**
   * @param argument name of the parameter as the caller wrote it
   * @param value what was given
   * @param allowed the permitted range in words, completing the sentence "must be ..."
   */
  constructor(argument: string, value: unknown, allowed: string) {
    super(`${argument} must be ${allowed}; got ${String(value)}`);
    this.name = 'ArgumentError';
    this.argument = argument;
    this.value = value;
    this.allowed = allowed;
  }
}

/** @throws ArgumentError unless `value` is an integer in [least, most] */
export function requireInteger(argument: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new ArgumentError(argument, value, `an integer in [${least}, ${most}]`);
  }
}

/** @throws ArgumentError unless 0 <= k <= n and 1 <= n <= most, both integers */
export function requireCount(k: number, n: number, most: number = MAX_SAMPLES): void {
  requireInteger('n', n, 1, most);
  requireInteger('k', k, 0, n);
}

/** @throws ArgumentError unless `value` is in [MIN_ALPHA, MAX_ALPHA] */
export function requireAlpha(value: number): void {
  if (!(value >= MIN_ALPHA && value <= MAX_ALPHA)) {
    throw new ArgumentError('alpha', value, `a failure probability in [${MIN_ALPHA}, ${MAX_ALPHA}]`);
  }
}

/** @throws ArgumentError unless `value` is in [0, 1] */
export function requireProbability(argument: string, value: number): void {
  if (!(value >= 0 && value <= 1)) throw new ArgumentError(argument, value, 'a probability in [0, 1]');
}

/** @throws ArgumentError unless `value` is in the open interval (0, 1) */
export function requireInnerProbability(argument: string, value: number): void {
  if (!(value > 0 && value < 1)) throw new ArgumentError(argument, value, 'a probability in (0, 1)');
}

/** @throws ArgumentError unless `value` is in [least, most] */
export function requireWithin(argument: string, value: number, least: number, most: number): void {
  if (!(value >= least && value <= most)) {
    throw new ArgumentError(argument, value, `a number in [${least}, ${most}]`);
  }
}
