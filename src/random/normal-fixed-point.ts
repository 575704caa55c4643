/**
 * The standard normal distribution function in BigInt fixed point, rounded to the nearest multiple of 2⁻⁹⁶ with
 * certainty: a value too near a tie for the working precision is computed again with twice as many bits (Ziv,
 * "Fast evaluation of elementary mathematical functions with correctly rounded last bit", ACM TOMS 17(3), 1991).
 */

/** An exact positive fraction. */
export interface Ratio {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

const RESULT_BITS = 96n;
const FIRST_PRECISION = 192n;

/**
 * The error of `phiMinusHalf` in units of its last place is below 2⁴⁰, whatever the precision: every operation floors
 * by less than one unit, there are fewer than 2¹⁰ terms in either series, eight squarings double a relative error 2⁸
 * times, and z < 12 keeps every intermediate value below 2¹⁰⁵ times its result's. That gives 2²⁰; the rest is margin.
 */
const ERROR_BITS = 40n;

/** From z = 12 on, 1 − Φ(z) < 1.8e-33 < 2⁻⁹⁷ = 6.3e-30, so 2⁹⁶·Φ(z) rounds to 2⁹⁶. */
const SATURATION = 12n;

function integerSquareRoot(value: bigint): bigint {
  let root = 1n << BigInt((value.toString(2).length + 1) >> 1);
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

/** arctan(1/n) times `one`, by its Taylor series. */
function arctangentOfInverse(n: bigint, one: bigint): bigint {
  let power = one / n;
  let sum = power;
  for (let odd = 3n, sign = -1n; power > 0n; odd += 2n, sign = -sign) {
    power /= n * n;
    sum += sign * (power / odd);
  }
  return sum;
}

/** 1/√(2π) times 2^precision. */
function inverseSqrtTwoPi(precision: bigint): bigint {
  const guarded = precision + 64n;
  const one = 1n << guarded;
  // Machin's formula: π = 16 arctan(1/5) − 4 arctan(1/239)
  const pi = 4n * (4n * arctangentOfInverse(5n, one) - arctangentOfInverse(239n, one));
  return integerSquareRoot((one << (2n * precision)) / (2n * pi));
}

const scales = new Map<bigint, bigint>();

function scaleAt(precision: bigint): bigint {
  const known = scales.get(precision);
  if (known !== undefined) return known;
  const scale = inverseSqrtTwoPi(precision);
  scales.set(precision, scale);
  return scale;
}

/**
 * Φ(z) − ½ times 2^precision for 0 < z < 12, as (1/√2π) · S / e^(z²/2) with S = z + z³/3 + z⁵/15 + …, all of whose
 * terms are positive (Marsaglia, "Evaluating the Normal Distribution", J. Stat. Softw. 11(4), 2004).
 */
function phiMinusHalf(z: Ratio, precision: bigint): bigint {
  const argument = (z.numerator << precision) / z.denominator;
  const square = ((z.numerator * z.numerator) << precision) / (z.denominator * z.denominator);
  let term = argument;
  let sum = term;
  for (let odd = 3n; term > 0n; odd += 2n) {
    term = ((term * square) >> precision) / odd;
    sum += term;
  }
  // e^(z²/2) = (e^(z²/512))^256
  const reduced = square >> 9n;
  let exponential = 1n << precision;
  let power = exponential;
  for (let i = 1n; power > 0n; i++) {
    power = ((power * reduced) >> precision) / i;
    exponential += power;
  }
  for (let squaring = 0; squaring < 8; squaring++) exponential = (exponential * exponential) >> precision;
  return (sum * scaleAt(precision)) / exponential;
}

/**
 * The integer nearest to 2⁹⁶ · Φ(z), z > 0; correct to the last bit.
 *
 * @param firstPrecision bits of the first attempt, above 137; only the time depends on it
 */
export function roundedNormalCdf(z: Ratio, firstPrecision: bigint = FIRST_PRECISION): bigint {
  if (z.numerator >= SATURATION * z.denominator) return 1n << RESULT_BITS;
  for (let precision = firstPrecision; ; precision *= 2n) {
    const value = phiMinusHalf(z, precision);
    const dropped = precision - RESULT_BITS;
    const tie = 1n << (dropped - 1n);
    const aboveTie = (value & ((1n << dropped) - 1n)) - tie;
    const error = 1n << ERROR_BITS;
    if (aboveTie > error || aboveTie < -error) {
      return ((value + tie) >> dropped) + (1n << (RESULT_BITS - 1n));
    }
  }
}

/** A positive finite double as the exact fraction that it is. */
export function exactRatio(value: number): Ratio {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const biased = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & 0xfffffffffffffn;
  // IEEE 754 binary64: a zero exponent field means a subnormal, without the leading one
  const significand = biased === 0 ? fraction : fraction | (1n << 52n);
  const exponent = (biased === 0 ? 1 : biased) - 1075;
  return exponent >= 0
    ? { numerator: significand << BigInt(exponent), denominator: 1n }
    : { numerator: significand, denominator: 1n << BigInt(-exponent) };
}
