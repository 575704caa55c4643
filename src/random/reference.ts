import { CUTPOINT_ONE, type Cutpoints } from './cutpoints.ts';
import { MAX_ELEMENTS_OF_SCHEME, MAX_SAMPLES_OF_SCHEME } from './limits.ts';
import { integerWithin } from './noise-range-error.ts';
import { purposeCode, type NoiseStream, type Purpose } from './noise-stream.ts';
import { philox4x32 } from './philox.ts';

const DIGITS = 6;
const WORD = 2 ** 32;

/**
 * The 96-bit integer U that belongs to one element of one sample: six digits of 16 bits, each from a Philox block of
 * its own, most significant first.
 *
 * @param stream the input's stream
 * @param purpose a purpose by name, or its code, 0 to 255
 * @param sample 0 to 2⁴⁸ − 1
 * @param element 0 to 2³⁵ − 1
 * @throws {NoiseRangeError} for anything else
 */
export function referenceDraw(
  stream: NoiseStream,
  purpose: Purpose | number,
  sample: number,
  element: number,
): bigint {
  integerWithin('sample', sample, 0, MAX_SAMPLES_OF_SCHEME - 1);
  integerWithin('element', element, 0, MAX_ELEMENTS_OF_SCHEME - 1);
  const tag = purposeCode(purpose) * 2 ** 8 + Math.floor(sample / WORD) * 2 ** 16;
  const block = Math.floor(element / 8);
  const place = element % 8;
  let draw = 0n;
  for (let digit = 0; digit < DIGITS; digit++) {
    const words = philox4x32([sample % WORD, block, stream.stream, tag + digit], [stream.key0, stream.key1]);
    const word = words[place >> 1]!;
    draw = (draw << 16n) | BigInt((word >>> (16 * (place & 1))) & 0xffff);
  }
  return draw;
}

/** max{k : C_k ≤ U}, for U of [0, 2⁹⁶). */
export function noiseOfDraw(cutpoints: Cutpoints, draw: bigint): number {
  if (draw < 0n || draw >= CUTPOINT_ONE) throw new RangeError(`U must be of [0, 2^96); got ${draw}`);
  let low = 0;
  let high = cutpoints.values.length - 2;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (cutpoints.values[middle]! <= draw) low = middle;
    else high = middle - 1;
  }
  return cutpoints.kmin + low;
}

/**
 * The noise K of one element of one sample by the definition of the scheme, in plain BigInt arithmetic. It is the
 * yardstick of the kernel, and the way to check a single value of a certificate by hand.
 *
 * @throws {NoiseRangeError} as `referenceDraw` does
 */
export function referenceNoise(
  cutpoints: Cutpoints,
  stream: NoiseStream,
  purpose: Purpose | number,
  sample: number,
  element: number,
): number {
  return noiseOfDraw(cutpoints, referenceDraw(stream, purpose, sample, element));
}
