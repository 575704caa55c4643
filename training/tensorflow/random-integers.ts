import { philox4x32 } from '../../src/random/philox.ts';

/** Draws integers of 0 … bound − 1, each with the same probability; bound is 1 to 2³². */
export type RandomIntegers = (bound: number) => number;

const WORD = 2 ** 32;

/**
 * Independent uniform integers, the same for the same key and sequence on every machine.
 *
 * @param key two unsigned 32-bit words
 * @param sequence an unsigned 32-bit word: sequences of one key are independent
 */
export function createRandomIntegers(key: readonly [number, number], sequence: number): RandomIntegers {
  let block = 0;
  let words: Uint32Array = new Uint32Array(0);
  let next = 0;
  const word = (): number => {
    if (next === words.length) {
      words = philox4x32([block, 0, sequence, 0], key);
      block += 1;
      next = 0;
    }
    next += 1;
    return words[next - 1]!;
  };
  return (bound) => {
    // Words past the last whole multiple of the bound would make small results likelier.
    const limit = WORD - (WORD % bound);
    for (;;) {
      const drawn = word();
      if (drawn < limit) return drawn % bound;
    }
  };
}

/** The numbers 0 … count − 1 in an order of which all are equally likely (Fisher and Yates). */
export function shuffledIndices(count: number, random: RandomIntegers): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last -= 1) {
    const other = random(last + 1);
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return order;
}
