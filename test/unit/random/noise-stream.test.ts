import { describe, expect, it } from 'vitest';
import { NoiseRangeError } from '../../../src/random/noise-range-error.ts';
import { PURPOSE, deriveNoiseStream, purposeCode } from '../../../src/random/noise-stream.ts';
import known from '../../fixtures/noise/streams.json' with { type: 'json' };
import { bytesOfHex } from '../../support/bytes.ts';

const SEED = new Uint8Array(32).fill(1);
const DIGEST = new Uint8Array(32).fill(2);

describe('deriveNoiseStream', () => {
  it('gives what Python hashlib gives, for every known seed, digest and index', async () => {
    for (const { seed, inputDigest, inputIndex, key0, key1, stream } of known.streams) {
      const derived = await deriveNoiseStream(bytesOfHex(seed), bytesOfHex(inputDigest), inputIndex);
      expect(derived).toEqual({ key0, key1, stream });
    }
  });

  it('depends on every part: seed, digest and index', async () => {
    const base = await deriveNoiseStream(SEED, DIGEST, 0);
    const others = [
      await deriveNoiseStream(DIGEST, SEED, 0),
      await deriveNoiseStream(SEED.with(31, 0), DIGEST, 0),
      await deriveNoiseStream(SEED, DIGEST.with(0, 3), 0),
      await deriveNoiseStream(SEED, DIGEST, 1),
    ];
    for (const other of others) {
      expect(other.key0).not.toBe(base.key0);
      expect(other.key1).not.toBe(base.key1);
      expect(other.stream).not.toBe(base.stream);
    }
  });

  it('reads a view at its own place, not the whole buffer below it', async () => {
    const wide = new Uint8Array(100).fill(9);
    wide.set(SEED, 7);
    const expected = await deriveNoiseStream(SEED, DIGEST, 5);
    expect(await deriveNoiseStream(wide.subarray(7, 39), DIGEST, 5)).toEqual(expected);
  });

  it('refuses seeds and digests that are not 32 bytes', async () => {
    for (const bytes of [new Uint8Array(0), new Uint8Array(31), new Uint8Array(33)]) {
      await expect(deriveNoiseStream(bytes, DIGEST, 0)).rejects.toThrow(NoiseRangeError);
      await expect(deriveNoiseStream(SEED, bytes, 0)).rejects.toThrow(
        `inputDigest must be a Uint8Array of 32 bytes; got ${bytes.length} bytes`,
      );
    }
    const text = 'x'.repeat(32) as unknown as Uint8Array;
    await expect(deriveNoiseStream(text, DIGEST, 0)).rejects.toThrow('got a string');
  });

  it('refuses an index that four bytes do not hold', async () => {
    for (const index of [-1, 0.5, NaN, 2 ** 32]) {
      await expect(deriveNoiseStream(SEED, DIGEST, index)).rejects.toThrow(NoiseRangeError);
    }
  });
});

describe('the scheme', () => {
  it('never renumbers a purpose', () => {
    expect(PURPOSE).toEqual({ selection: 0, estimation: 1, prediction: 2 });
  });

  it('takes purposes by name or code and refuses others', () => {
    expect(purposeCode('prediction')).toBe(2);
    expect(purposeCode(255)).toBe(255);
    for (const wrong of [-1, 256, 1.5, NaN, 'toString', 'Selection', '']) {
      expect(() => purposeCode(wrong as number)).toThrow(
        /^purpose must be one of selection, estimation, prediction/,
      );
    }
  });
});
