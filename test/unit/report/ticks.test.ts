import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { niceAxis } from '../../../src/report/ticks.ts';

describe('niceAxis', () => {
  it.each([
    // most, end, step, digits
    [1.9438, 2, 0.25, 2],
    [0.99, 1, 0.2, 1],
    [1, 1, 0.2, 1],
    [8, 8, 1, 0],
    [7.2, 8, 1, 0],
    [80, 80, 10, 0],
    [0.08, 0.08, 0.01, 2],
    [0.03, 0.03, 0.005, 3],
  ])('to %d ends at %d in steps of %d', (most, end, step, digits) => {
    const axis = niceAxis(most, 8);
    expect(axis.end).toBeCloseTo(end, 12);
    expect(axis.ticks[1]).toBeCloseTo(step, 12);
    expect(axis.digits).toBe(digits);
  });

  it('reaches far enough, with few ticks that read as they are', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.001, max: 1e4, noNaN: true }), (most) => {
        const { end, ticks, digits } = niceAxis(most, 8);
        expect(end).toBeGreaterThanOrEqual(most * (1 - 1e-6));
        expect(ticks.length).toBeGreaterThanOrEqual(4);
        expect(ticks.length).toBeLessThanOrEqual(10);
        expect(ticks[0]).toBe(0);
        expect(ticks.at(-1)).toBeCloseTo(end, 9);
        for (const tick of ticks) expect(Number(tick.toFixed(digits))).toBeCloseTo(tick, 9);
      }),
    );
  });
});
