/** A double as an integer multiple of 2 ** -1074, exactly; sums and comparisons of these are exact. */
export function exactDouble(value: number): bigint {
  if (!Number.isFinite(value)) throw new RangeError(`no rational number: ${value}`);
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const fraction = bits & ((1n << 52n) - 1n);
  const exponent = (bits >> 52n) & 0x7ffn;
  const size = exponent === 0n ? fraction : (fraction | (1n << 52n)) << (exponent - 1n);
  return bits >> 63n === 1n ? -size : size;
}
