import { describe, expect, it } from 'vitest';
import { oneCycle } from '../../training/tensorflow/one-cycle.ts';

// torch.optim.lr_scheduler.OneCycleLR(max_lr=0.1, total_steps=100, pct_start=0.15), whose documentation gives the
// phases: they end at step pct_start * total_steps - 1 and at the last step, from max_lr / 25 and to max_lr / 25 / 1e4.
describe('the one-cycle schedule', () => {
  it('starts at a 25th of the peak, has it at the end of the rise, and ends at a 250,000th of it', () => {
    expect(oneCycle(0, 100, 0.1)).toBeCloseTo(0.004, 15);
    expect(oneCycle(14, 100, 0.1)).toBeCloseTo(0.1, 15);
    expect(oneCycle(99, 100, 0.1)).toBeCloseTo(4e-7, 15);
  });

  it('is half way at half of the steps of the rise', () => {
    expect(oneCycle(7, 100, 0.1)).toBeCloseTo((0.004 + 0.1) / 2, 15);
  });

  it('rises to the peak and falls after it', () => {
    const rates = Array.from({ length: 5640 }, (_, step) => oneCycle(step, 5640, 0.05));
    const top = rates.indexOf(Math.max(...rates));
    expect(top).toBe(845);
    const rises = rates.slice(1).map((rate, step) => rate > rates[step]!);
    expect(rises.lastIndexOf(true)).toBe(top - 1);
    expect(rises.indexOf(false)).toBe(top);
  });
});
