/** A rational number: numerator over a positive denominator. */
interface Rational {
  readonly top: bigint;
  readonly bottom: bigint;
}

/**
 * Compares a double with a decimal string, both taken exactly: -1 if the double is smaller, 0 if equal, 1 if larger.
 *
 * @param value finite
 * @param decimal such as "-12.5" or "3.1e-20"
 */
export function compareExactly(value: number, decimal: string): -1 | 0 | 1 {
  const left = fromDouble(value);
  const right = fromDecimal(decimal);
  const difference = left.top * right.bottom - right.top * left.bottom;
  if (difference === 0n) return 0;
  return difference < 0n ? -1 : 1;
}

/**
 * (value − decimal) / |decimal|, computed exactly and then rounded, so that it shows errors far below 2 ** -53.
 *
 * @param value finite
 * @param decimal not zero
 */
export function relativeError(value: number, decimal: string): number {
  const left = fromDouble(value);
  const right = fromDecimal(decimal);
  const difference = left.top * right.bottom - right.top * left.bottom;
  const size = right.top < 0n ? -right.top : right.top;
  // Forty decimal places of the quotient are enough to show a relative error of 1e-20 with twenty digits.
  return Number((difference * 10n ** 40n) / (size * left.bottom)) * 1e-40;
}

function fromDouble(value: number): Rational {
  if (!Number.isFinite(value)) throw new RangeError(`no rational number: ${value}`);
  // A double is an integer multiple of 2 ** -1074; doubling is exact while it is no integer.
  let scaled = value;
  let doublings = 0n;
  while (!Number.isInteger(scaled)) {
    scaled *= 2;
    doublings += 1n;
  }
  return { top: BigInt(scaled), bottom: 1n << doublings };
}

function fromDecimal(text: string): Rational {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(text);
  if (match === null) throw new RangeError(`no decimal number: ${text}`);
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  const digits = BigInt(whole + fraction) * (sign === '-' ? -1n : 1n);
  const power = Number(exponent) - fraction.length;
  return power >= 0
    ? { top: digits * 10n ** BigInt(power), bottom: 1n }
    : { top: digits, bottom: 10n ** BigInt(-power) };
}
