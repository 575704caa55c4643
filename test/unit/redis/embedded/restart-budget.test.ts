import { describe, expect, test } from 'vitest';
import { createRestartBudget } from '../../../../src/redis/embedded/restart-budget.ts';

describe('the restart budget', () => {
  test('grants the first restart at once and doubles the delay of each further one up to 2 s', () => {
    const budget = createRestartBudget();
    const delays = Array.from({ length: 10 }, (_, second) => budget.next(second * 1000));
    expect(delays).toEqual([0, 50, 100, 200, 400, 800, 1600, 2000, 2000, 2000]);
  });

  test('grants ten restarts in a minute and no eleventh', () => {
    const budget = createRestartBudget();
    for (let second = 0; second < 10; second += 1) expect(budget.next(second * 1000)).not.toBeNull();
    expect(budget.next(59_999)).toBeNull();
  });

  test('forgets restarts that are a minute old', () => {
    const budget = createRestartBudget();
    for (let second = 0; second < 10; second += 1) budget.next(second * 1000);
    expect(budget.next(60_000)).toBe(2000);
    expect(budget.next(60_500)).toBeNull();
    expect(budget.next(200_000)).toBe(0);
  });

  test('does not let a refusal use up what comes free later', () => {
    const budget = createRestartBudget();
    for (let count = 0; count < 10; count += 1) budget.next(0);
    for (let count = 0; count < 100; count += 1) expect(budget.next(59_000)).toBeNull();
    expect(budget.next(60_000)).toBe(0);
  });
});
