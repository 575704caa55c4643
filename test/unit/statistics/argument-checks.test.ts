import { describe, expect, it } from 'vitest';
import {
  ArgumentError,
  requireAlpha,
  requireCount,
  requireInteger,
} from '../../../src/statistics/argument-checks.ts';
import { argumentFault } from '../../support/argument-fault.ts';

describe('ArgumentError', () => {
  it('names the argument, the range and the value in its message and in its fields', () => {
    const error = new ArgumentError('alpha', 2, 'a probability in (0, 1)');
    expect(error.message).toBe('alpha must be a probability in (0, 1); got 2');
    expect(error).toMatchObject({ name: 'ArgumentError', argument: 'alpha', value: 2 });
    expect(error.allowed).toBe('a probability in (0, 1)');
  });

  it('is a RangeError, so that callers who know nothing of it still catch it', () => {
    expect(new ArgumentError('n', -1, 'positive')).toBeInstanceOf(RangeError);
  });
});

describe('argument checks', () => {
  it('refuse a fraction, NaN, an infinity and anything outside the range where an integer is due', () => {
    for (const value of [0.5, Number.NaN, Number.POSITIVE_INFINITY, 0, 11]) {
      const fault = argumentFault(() => {
        requireInteger('n', value, 1, 10);
      });
      expect(fault.message).toContain('n must be an integer in [1, 10]');
    }
  });

  it('accept both ends of a range', () => {
    requireInteger('n', 1, 1, 10);
    requireInteger('n', 10, 1, 10);
    requireAlpha(0.5);
    requireAlpha(1e-100);
    requireCount(0, 1);
    requireCount(1, 1);
  });

  it('refuse more successes than trials, naming k and the trials given', () => {
    const fault = argumentFault(() => {
      requireCount(6, 5);
    });
    expect(fault).toMatchObject({ argument: 'k', allowed: 'an integer in [0, 5]' });
  });

  it('refuse an alpha of 0, above 1/2, or NaN', () => {
    for (const alpha of [0, -0.1, 0.51, 1, Number.NaN, 1e-101]) {
      const fault = argumentFault(() => {
        requireAlpha(alpha);
      });
      expect(fault).toMatchObject({ argument: 'alpha', allowed: 'a failure probability in [1e-100, 0.5]' });
    }
  });
});
