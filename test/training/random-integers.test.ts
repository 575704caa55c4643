import { describe, expect, it } from 'vitest';
import { createRandomIntegers, shuffledIndices } from '../../training/tensorflow/random-integers.ts';
import { chiSquaredTail } from '../support/chi-squared.ts';

/** Probability with which a right generator would fail a chi-squared test; the draws are seeded, so it happens always or never. */
const FALSE_ALARM = 1e-6;

describe('random integers', () => {
  it('are the words of Philox4x32-10 in their order', () => {
    // Random123 1.14, kat_vectors: philox4x32 10, counter and key all zero.
    const random = createRandomIntegers([0, 0], 0);
    const words = Array.from({ length: 4 }, () => random(2 ** 32));
    expect(words).toEqual([0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
  });

  it('are all equally likely', () => {
    const random = createRandomIntegers([1, 2], 3);
    const counts = [0, 0, 0, 0, 0, 0, 0];
    const draws = 7000;
    for (let draw = 0; draw < draws; draw += 1) counts[random(7)]! += 1;
    const statistic = counts.reduce((sum, count) => sum + (count - draws / 7) ** 2 / (draws / 7), 0);
    expect(chiSquaredTail(statistic, 6)).toBeGreaterThan(FALSE_ALARM);
  });

  it('differ between sequences and between keys', () => {
    const first = (key: readonly [number, number], sequence: number): number[] =>
      Array.from({ length: 8 }, createRandomIntegers(key, sequence).bind(null, 2 ** 32));
    const all = [first([1, 0], 1), first([1, 1], 1), first([2, 0], 1), first([1, 0], 2)];
    expect(new Set(all.flat()).size).toBe(32);
  });
});

describe('shuffled indices', () => {
  it('are every index once, the same for the same key', () => {
    const order = shuffledIndices(1000, createRandomIntegers([5, 1], 1));
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, index) => index));
    expect(shuffledIndices(1000, createRandomIntegers([5, 1], 1))).toEqual(order);
    expect(shuffledIndices(1000, createRandomIntegers([5, 1], 2))).not.toEqual(order);
  });

  it('come in each order alike', () => {
    const random = createRandomIntegers([9, 9], 1);
    const counts = new Map<string, number>();
    const draws = 6000;
    for (let draw = 0; draw < draws; draw += 1) {
      const order = shuffledIndices(3, random).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    const statistic = [...counts.values()].reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    expect(chiSquaredTail(statistic, 5)).toBeGreaterThan(FALSE_ALARM);
  });
});
