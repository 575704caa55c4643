import { setTimeout as delay } from 'node:timers/promises';
import { WAIT_LIMIT_MS } from './limits.ts';

export interface UntilOptions {
  /** The deadline, WAIT_LIMIT_MS unless given. */
  readonly timeoutMs?: number;
  /** What is waited for, as it should read after "timed out waiting for". */
  readonly what: string;
  /** The pause between two looks; 10 ms unless given. */
  readonly everyMs?: number;
}

type Found<T> = Exclude<T, false | null | undefined>;

/**
 * Resolves with the first answer of `condition` that is not false, null or undefined (so 0 and '' count as answers).
 *
 * Past the deadline it rejects, with the last answer, or the last error as the cause: a condition that throws is only not met yet.
 * One look is always taken after the deadline has passed, so that a test that was starved of time does not fail for that. A condition that never settles is
 * given up at the deadline as well.
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  { timeoutMs = WAIT_LIMIT_MS, what, everyMs = 10 }: UntilOptions,
): Promise<Found<T>> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const late = performance.now() >= deadline;
    const look = await lookOnce(condition, Math.max(deadline - performance.now(), everyMs));
    if (look.kind === 'answer' && isFound(look.value)) return look.value;
    if (look.kind === 'hung')
      throw new Error(`timed out waiting for ${what}: the condition did not answer in time`);
    if (late) {
      const seconds = timeoutMs / 1000;
      if (look.kind === 'error') {
        const text = look.error instanceof Error ? look.error.message : String(look.error);
        throw new Error(`timed out after ${seconds} s waiting for ${what}; last error: ${text}`, {
          cause: look.error,
        });
      }
      throw new Error(`timed out after ${seconds} s waiting for ${what}; last answer: ${String(look.value)}`);
    }
    await delay(everyMs);
  }
}

type Look<T> =
  | { readonly kind: 'answer'; readonly value: T }
  | { readonly kind: 'error'; readonly error: unknown }
  | { readonly kind: 'hung' };

async function lookOnce<T>(condition: () => T | Promise<T>, limitMs: number): Promise<Look<T>> {
  const limit = new AbortController();
  const hung = delay(limitMs, { kind: 'hung' } as const, { signal: limit.signal });
  const look = (async (): Promise<Look<T>> => {
    try {
      return { kind: 'answer', value: await condition() };
    } catch (error) {
      return { kind: 'error', error };
    }
  })();
  try {
    return await Promise.race([look, hung]);
  } finally {
    hung.catch(() => {});
    limit.abort();
  }
}

function isFound<T>(value: T): value is Found<T> {
  return value !== false && value !== null && value !== undefined;
}
