import { setTimeout as delay } from 'node:timers/promises';

const STEP_MS = 20;

/**
 * What the promise gives, unless it takes more than so many milliseconds in which this process was served: many short pauses,
 * one after the other. While a busy machine gives its time to others this clock stands still, as does what it is held
 * against, so a promise in seconds can be tested there too.
 */
export async function withinServedTime<T>(promise: PromiseLike<T>, milliseconds: number): Promise<T> {
  const over = new AbortController();
  const late = pass(milliseconds, over.signal).then(() => {
    throw new Error(`it takes more than ${milliseconds / 1000} s`);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    late.catch(() => undefined);
    over.abort();
  }
}

async function pass(milliseconds: number, signal: AbortSignal): Promise<void> {
  for (let passed = 0; passed < milliseconds; passed += STEP_MS) await delay(STEP_MS, undefined, { signal });
}
