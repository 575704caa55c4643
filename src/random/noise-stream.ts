import { NoiseRangeError, integerWithin } from './noise-range-error.ts';

/** The noise of one input: which key and which stream of the generator. All three are unsigned 32-bit words. */
export interface NoiseStream {
  readonly key0: number;
  readonly key1: number;
  readonly stream: number;
}

/** What a sample is drawn for. Samples of different purposes are independent, whatever their indices. */
export const PURPOSE = { selection: 0, estimation: 1, prediction: 2 } as const;

export type Purpose = keyof typeof PURPOSE;

const MAX_PURPOSE_CODE = 255;

/**
 * The number of a purpose in the generator's counter, 0 to 255. A number stands for itself, so that the scheme's whole
 * range can be checked though only a few purposes have names.
 *
 * @throws {NoiseRangeError} for an unknown name or another number
 */
export function purposeCode(purpose: Purpose | number): number {
  const code =
    typeof purpose === 'number' ? purpose : Object.hasOwn(PURPOSE, purpose) ? PURPOSE[purpose] : NaN;
  if (!Number.isInteger(code) || code < 0 || code > MAX_PURPOSE_CODE) {
    const names = Object.keys(PURPOSE).join(', ');
    throw new NoiseRangeError('purpose', purpose, `one of ${names}, or a code from 0 to ${MAX_PURPOSE_CODE}`);
  }
  return code;
}

const DOMAIN = 'smoothcert/noise/1\0';
const SEED_BYTES = 32;
const DIGEST_BYTES = 32;
const UINT32_MAX = 0xffffffff;

/**
 * The stream of one input of one job: the first 12 bytes of SHA-256("smoothcert/noise/1" ‖ 0x00 ‖ seed ‖ digest ‖
 * index as 4 bytes), words in little-endian order.
 *
 * @param seed 32 secret bytes, drawn after the request is fixed
 * @param inputDigest the 32 bytes of the SHA-256 of the input tensor
 * @param inputIndex position of the input in its job, 0 to 2³² − 1
 * @throws {NoiseRangeError} for another length or index
 */
export async function deriveNoiseStream(
  seed: Uint8Array,
  inputDigest: Uint8Array,
  inputIndex: number,
): Promise<NoiseStream> {
  requireBytes('seed', seed, SEED_BYTES);
  requireBytes('inputDigest', inputDigest, DIGEST_BYTES);
  integerWithin('inputIndex', inputIndex, 0, UINT32_MAX);
  const domain = Uint8Array.from(DOMAIN, (character) => character.charCodeAt(0));
  const message = new Uint8Array(domain.length + SEED_BYTES + DIGEST_BYTES + 4);
  message.set(domain);
  message.set(seed, domain.length);
  message.set(inputDigest, domain.length + SEED_BYTES);
  new DataView(message.buffer).setUint32(message.length - 4, inputIndex, true);
  const hash = new DataView(await globalThis.crypto.subtle.digest('SHA-256', message));
  return { key0: hash.getUint32(0, true), key1: hash.getUint32(4, true), stream: hash.getUint32(8, true) };
}

function requireBytes(parameter: string, bytes: Uint8Array, length: number): void {
  if (!(bytes instanceof Uint8Array) || bytes.length !== length) {
    throw new NoiseRangeError(parameter, describe(bytes), `a Uint8Array of ${length} bytes`);
  }
}

function describe(bytes: unknown): string {
  return bytes instanceof Uint8Array ? `${bytes.length} bytes` : `a ${typeof bytes}`;
}
