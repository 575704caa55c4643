import { describe, expect, it } from 'vitest';
import { addSparse, runnerUpClass, sparseVotes, topClass, totalVotes } from '../../../src/smoothing/votes.ts';

describe('votes', () => {
  it('have a top class: the one with most, of several the lowest', () => {
    expect(topClass([0, 5, 3])).toBe(1);
    expect(topClass([2, 5, 5])).toBe(1);
    expect(topClass([0, 0, 0])).toBe(0);
    expect(topClass([7])).toBe(0);
  });

  it('have a runner-up: the most among the others, of several the lowest', () => {
    expect(runnerUpClass([0, 5, 3], 1)).toBe(2);
    expect(runnerUpClass([4, 5, 4], 1)).toBe(0);
    expect(runnerUpClass([0, 5, 0], 1)).toBe(0);
    expect(runnerUpClass([5, 0, 0], 0)).toBe(1);
    expect(runnerUpClass([1, 9, 3], 0)).toBe(1);
    expect(runnerUpClass([7], 0)).toBeNull();
  });

  it('have a total', () => {
    expect(totalVotes([11, 2, 8])).toBe(21);
    expect(totalVotes([])).toBe(0);
  });

  it('are stored and published without the classes that got none', () => {
    expect(sparseVotes([0, 5, 0, 1])).toEqual({ 1: 5, 3: 1 });
    expect(sparseVotes([0, 0])).toEqual({});
  });

  it('add up from their sparse form, class by class', () => {
    const counts = [1, 2, 3];
    addSparse(counts, sparseVotes([10, 0, 5]));
    expect(counts).toEqual([11, 2, 8]);
  });

  it('are refused where they are of a class that there is none of, or no number of votes', () => {
    for (const name of ['3', '-1', '0.5', 'length', '']) {
      expect(() => addSparse([1, 2, 3], { [name]: 1 })).toThrow(RangeError);
    }
    for (const count of [-1, 0.5, Number.NaN, Infinity, '7' as unknown as number]) {
      expect(() => addSparse([1, 2, 3], { 0: count })).toThrow(RangeError);
    }
  });
});
