// Salmon, Moraes, Dror & Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011, section 4.3 (Philox) with the
// multipliers and Weyl constants of Random123 1.14, include/Random123/philox.h.
const MULTIPLIER_0 = 0xd2511f53n;
const MULTIPLIER_1 = 0xcd9e8d57n;
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;

/** Rounds of the standard generator: 7 pass BigCrush, 10 leave a margin (Salmon et al. 2011, table 2). */
const STANDARD_ROUNDS = 10;

const LOW_WORD = 0xffffffffn;

/**
 * One block of Philox4x32: the four 32-bit words that belong to a counter under a key. It is a bijection of the
 * counter, so different counters never give the same block.
 *
 * Written for clarity, as the yardstick of the kernel; it is some hundred times slower.
 *
 * @param counter four unsigned 32-bit words
 * @param key two unsigned 32-bit words
 * @param rounds 10 is the standard generator; other numbers serve its known answers only
 */
export function philox4x32(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
  rounds: number = STANDARD_ROUNDS,
): Uint32Array {
  let [word0, word1, word2, word3] = counter;
  let [key0, key1] = key;
  for (let round = 0; round < rounds; round++) {
    const product0 = MULTIPLIER_0 * BigInt(word0);
    const product1 = MULTIPLIER_1 * BigInt(word2);
    word0 = (Number(product1 >> 32n) ^ word1 ^ key0) >>> 0;
    word1 = Number(product1 & LOW_WORD);
    word2 = (Number(product0 >> 32n) ^ word3 ^ key1) >>> 0;
    word3 = Number(product0 & LOW_WORD);
    key0 = (key0 + WEYL_0) >>> 0;
    key1 = (key1 + WEYL_1) >>> 0;
  }
  return Uint32Array.of(word0, word1, word2, word3);
}
