/**
 * Decimals of bounds. A bound is a claim, and its nearest decimal may claim more than was proven: lower bounds are written
 * by the decimal below, upper bounds by the one above. Both are taken from the exact value of the double, so that 0.3, which
 * is a double below three tenths, has the decimal 0.2 below it at one digit.
 */

/** Digits of a double below the point end at the 1074th; more than 100 nobody reads. */
const MOST_DIGITS = 100;

/**
 * The largest decimal with that many digits after the point that is not above the value.
 *
 * @param value 0 or more, finite
 * @param digits 0 to 100
 * @throws RangeError outside those ranges
 */
export function decimalBelow(value: number, digits: number): string {
  return text(scaled(value, digits).floor, digits);
}

/**
 * The least decimal with that many digits after the point that is not below the value.
 *
 * @param value 0 or more, finite
 * @param digits 0 to 100
 * @throws RangeError outside those ranges
 */
export function decimalAbove(value: number, digits: number): string {
  return text(ceiling(value, digits), digits);
}

/**
 * The largest decimal with that many significant digits, and all digits before the point, that is not above the value.
 *
 * @param value 0 or more, finite
 * @param digits 1 to 17
 * @throws RangeError outside those ranges
 */
export function significantBelow(value: number, digits: number): string {
  const exponent = value === 0 ? 0 : Number(value.toExponential(MOST_DIGITS).split('e')[1]);
  return decimalBelow(value, Math.min(MOST_DIGITS, Math.max(0, digits - 1 - exponent)));
}

/**
 * The least decimal with that many significant digits that is not below the value; with a power of ten where the value is
 * below 1e-6.
 *
 * @param value 0 to 1
 * @param digits 1 to 17
 * @throws RangeError outside those ranges
 */
export function significantAbove(value: number, digits: number): string {
  if (!(value <= 1)) throw new RangeError(`${value} is not within 0 and 1`);
  if (value === 0) return '0';
  // Above a power of ten by less than 1e-100 of it there is no double, so that the exponent is the value's own.
  const exponent = Number(value.toExponential(MOST_DIGITS).split('e')[1]);
  const places = digits - 1 - exponent;
  if (exponent >= -6) return decimalAbove(value, places);
  const units = ceiling(value, places).toString();
  const carried = units.length > digits ? 1 : 0;
  const [first, rest] = [units.slice(0, 1), units.slice(1, digits)];
  return `${first}${rest === '' ? '' : `.${rest}`}e${exponent + carried}`;
}

function ceiling(value: number, digits: number): bigint {
  const { floor, exact } = scaled(value, digits);
  return exact ? floor : floor + 1n;
}

/** floor(value · 10^digits), and whether that is all of it. */
function scaled(value: number, digits: number): { readonly floor: bigint; readonly exact: boolean } {
  if (!(value >= 0 && value < Number.POSITIVE_INFINITY)) throw new RangeError(`${value} has no decimals`);
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const fraction = bits & 0xfffffffffffffn;
  const exponent = (bits >> 52n) & 0x7ffn;
  // The value in units of 2 ** -1074.
  const size = exponent === 0n ? fraction : (fraction | (1n << 52n)) << (exponent - 1n);
  const product = size * 10n ** BigInt(digits);
  const floor = product >> 1074n;
  return { floor, exact: floor << 1074n === product };
}

function text(units: bigint, digits: number): string {
  const padded = units.toString().padStart(digits + 1, '0');
  return digits === 0 ? padded : `${padded.slice(0, -digits)}.${padded.slice(-digits)}`;
}
