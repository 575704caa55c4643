import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type HostWatch, watchHost } from '../../../src/host/watch-host.ts';

let hung: string[];
let watch: HostWatch;
beforeEach(() => {
  vi.useFakeTimers();
  hung = [];
  watch = watchHost((silence) => hung.push(silence));
});
afterEach(() => {
  watch.stop();
  vi.useRealTimers();
});

/** So many seconds in which the main thread says that it lives. */
function beat(seconds: number): void {
  for (let second = 0; second < seconds; second += 1) {
    watch.alive();
    vi.advanceTimersByTime(1_000);
  }
}
const never = new Promise<void>(() => undefined);

describe('a host that is watched', () => {
  test('and says that it lives is left alone for ever, whether it owes samples or not', () => {
    beat(3_600);
    expect(hung).toEqual([]);
  });

  test('and falls silent is hung after 10 s, and told of once', () => {
    beat(5);
    vi.advanceTimersByTime(9_000);
    expect(hung).toEqual([]);
    vi.advanceTimersByTime(60_000);
    expect(hung).toEqual(['gave no sign of life for 10 s']);
  });

  test('has 60 s to start', () => {
    vi.advanceTimersByTime(59_000);
    expect(hung).toEqual([]);
    vi.advanceTimersByTime(5_000);
    expect(hung).toEqual(['gave no sign of life for 60 s']);
  });

  test('and loads a model, however long, is left alone while it says that it lives, and no longer', () => {
    watch.alive();
    void watch.loading(never);
    void watch.owing(100, never);
    beat(600);
    expect(hung).toEqual([]);
    vi.advanceTimersByTime(12_000);
    expect(hung).toEqual(['gave no sign of life for 10 s']);
  });

  test('and lives, but counts none of the samples that it owes, is hung after 20 of its batches and 10 s more', () => {
    watch.alive();
    void watch.owing(500, never);
    beat(15);
    watch.counted();
    beat(19);
    expect(hung).toEqual([]);
    beat(3);
    expect(hung).toEqual(['counted no sample for 20 s']);
  });

  test('and owes nothing need not count', async () => {
    watch.alive();
    await watch.owing(100, Promise.resolve());
    beat(600);
    expect(hung).toEqual([]);
  });
});
