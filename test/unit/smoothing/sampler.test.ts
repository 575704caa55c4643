import { describe, expect, it } from 'vitest';
import { addVotes, runnerUpClass, topClass, totalVotes } from '../../../src/smoothing/sampler.ts';
import { sparseVotes } from '../../../src/smoothing/certificate.ts';

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

  it('add up, class by class, and only over the same classes', () => {
    expect(addVotes([1, 2, 3], [10, 0, 5])).toEqual([11, 2, 8]);
    expect(totalVotes([11, 2, 8])).toBe(21);
    expect(totalVotes([])).toBe(0);
    expect(() => addVotes([1, 2], [1, 2, 3])).toThrow(
      new RangeError('votes over 2 and 3 classes cannot be added'),
    );
  });

  it('are published without the classes that got none', () => {
    expect(sparseVotes([0, 5, 0, 1])).toEqual({ 1: 5, 3: 1 });
    expect(sparseVotes([0, 0])).toEqual({});
  });
});
