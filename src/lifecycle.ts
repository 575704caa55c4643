import closeWithGrace from 'close-with-grace';
import { logLine } from './log-events.ts';
import type { Logger } from './logger.ts';

/** Something that was started and can be closed once. */
export interface Running {
  close(): Promise<void>;
}

/** Milliseconds that closing may take before the process ends regardless. */
const CLOSE_MILLISECONDS = 15_000;

/** Starts parts one after another, and closes those that run, last first, when one fails to start. */
export class Stack implements Running {
  private readonly parts: (() => Promise<unknown>)[] = [];

  /** Registers how to close a part that now runs. */
  defer(close: () => Promise<unknown>): void {
    this.parts.push(close);
  }

  /** Closes every part, also after one that fails to close; then rejects with the first failure. */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (let part = this.parts.pop(); part !== undefined; part = this.parts.pop()) {
      try {
        await part();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  /** Runs `start`; closes everything if it throws. */
  static async build<Result>(start: (stack: Stack) => Promise<Result>): Promise<Result> {
    const stack = new Stack();
    try {
      return await start(stack);
    } catch (error) {
      // Why it did not start matters more than what its parts say as they close.
      await stack.close().catch(() => undefined);
      throw error;
    }
  }
}

/** Closes on SIGINT, SIGTERM and on an uncaught error, then ends the process. */
export function closeOnSignals(running: Running, logger: Logger): void {
  closeWithGrace({ delay: CLOSE_MILLISECONDS, logger: false }, async ({ signal, err }) => {
    if (err) logger.fatal(...logLine('uncaught_error', { err }));
    else logger.info(...logLine('closing', { signal }));
    await running.close();
  });
}
