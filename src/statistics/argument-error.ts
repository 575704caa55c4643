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
