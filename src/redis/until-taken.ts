import { setTimeout as delay } from 'node:timers/promises';
import { logLine } from '../log-events.ts';
import type { Logger } from '../logger.ts';
import { explainRefusal } from './explain-refusal.ts';

const PAUSE_MILLISECONDS = 1_000;

/**
 * Does what a start must write to Redis, again and again while the server refuses it for a reason that may pass (no
 * memory, no disk), and says so once a reason.
 */
export async function untilTaken<Result>(action: () => Promise<Result>, logger: Logger): Promise<Result> {
  for (let said = ''; ; await delay(PAUSE_MILLISECONDS)) {
    try {
      return await action();
    } catch (error) {
      const refusal = explainRefusal(error);
      if (refusal === null || !refusal.passing) throw error;
      if (refusal.reason !== said) logger.warn(...logLine('redis_refuses', refusal));
      said = refusal.reason;
    }
  }
}
