import { NoiseRangeError } from './noise-range-error.ts';
import { PURPOSE, type Purpose } from './noise-stream.ts';

const MAX_CODE = 255;

/**
 * The number of a purpose in the generator's counter, 0 to 255. A number stands for itself, so that the scheme's whole
 * range can be checked though only a few purposes have names.
 *
 * @throws {NoiseRangeError} for an unknown name or another number
 */
export function purposeCode(purpose: Purpose | number): number {
  const code =
    typeof purpose === 'number' ? purpose : Object.hasOwn(PURPOSE, purpose) ? PURPOSE[purpose] : NaN;
  if (!Number.isInteger(code) || code < 0 || code > MAX_CODE) {
    const names = Object.keys(PURPOSE).join(', ');
    throw new NoiseRangeError('purpose', purpose, `one of ${names}, or a code from 0 to ${MAX_CODE}`);
  }
  return code;
}
