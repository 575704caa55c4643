import { describe, expect, it } from 'vitest';
import { philox4x32 } from '../../../src/random/philox.ts';

type Words = readonly [number, number, number, number];

// Random123 1.14, tests/kat_vectors, the lines "philox4x32 7" and "philox4x32 10", whole: counter, key, output.
const KNOWN: readonly { rounds: number; counter: Words; key: readonly [number, number]; words: Words }[] = [
  {
    rounds: 7,
    counter: [0, 0, 0, 0],
    key: [0, 0],
    words: [0x5f6fb709, 0x0d893f64, 0x4f121f81, 0x4f730a48],
  },
  {
    rounds: 7,
    counter: [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    key: [0xffffffff, 0xffffffff],
    words: [0x5207ddc2, 0x45165e59, 0x4d8ee751, 0x8c52f662],
  },
  {
    rounds: 7,
    counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    key: [0xa4093822, 0x299f31d0],
    words: [0x4dfccaba, 0x190a87f0, 0xc47362ba, 0xb6b5242a],
  },
  {
    rounds: 10,
    counter: [0, 0, 0, 0],
    key: [0, 0],
    words: [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
  },
  {
    rounds: 10,
    counter: [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    key: [0xffffffff, 0xffffffff],
    words: [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  },
  {
    rounds: 10,
    counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    key: [0xa4093822, 0x299f31d0],
    words: [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  },
];

describe('philox4x32', () => {
  for (const { rounds, counter, key, words } of KNOWN) {
    it(`gives Random123's known answer for ${rounds} rounds and counter ${counter[0].toString(16)}…`, () => {
      expect([...philox4x32(counter, key, rounds)]).toEqual([...words]);
    });
  }

  it('does ten rounds unless told otherwise', () => {
    for (const { counter, key, words } of KNOWN.filter(({ rounds }) => rounds === 10)) {
      expect([...philox4x32(counter, key)]).toEqual([...words]);
    }
  });

  it('leaves its arguments as they are', () => {
    const counter: Words = [1, 2, 3, 4];
    const key: readonly [number, number] = [5, 6];
    philox4x32(counter, key);
    expect(counter).toEqual([1, 2, 3, 4]);
    expect(key).toEqual([5, 6]);
  });

  it('changes about half of the bits when one bit of counter or key changes', () => {
    const base = philox4x32([1, 2, 3, 4], [5, 6]);
    for (let bit = 0; bit < 192; bit++) {
      const words = [1, 2, 3, 4, 5, 6];
      words[bit >> 5] = (words[bit >> 5]! ^ (1 << (bit & 31))) >>> 0;
      const [a, b, c, d, key0, key1] = words as [number, number, number, number, number, number];
      const other = philox4x32([a, b, c, d], [key0, key1]);
      let changed = 0;
      for (let i = 0; i < 4; i++) {
        for (let rest = (base[i]! ^ other[i]!) >>> 0; rest > 0; rest = Math.floor(rest / 2))
          changed += rest & 1;
      }
      // 128 fair coins leave [24, 104] with probability 2e-13; 192 of them with 4e-11
      expect(changed).toBeGreaterThanOrEqual(24);
      expect(changed).toBeLessThanOrEqual(104);
    }
  });
});
