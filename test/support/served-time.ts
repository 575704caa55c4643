import { setTimeout as delay } from 'node:timers/promises';

const STEP_MS = 20;

/**
 * Resolves after so many milliseconds in which this process was served: many short pauses, one after the other. While the
 * machine gives its time to others this clock stands still, as does whatever else runs in the process, so that the two can
 * be compared.
 */
export async function servedTime(milliseconds: number, signal?: AbortSignal): Promise<void> {
  const options = signal === undefined ? {} : { signal };
  for (let passed = 0; passed < milliseconds; passed += STEP_MS) await delay(STEP_MS, undefined, options);
}
