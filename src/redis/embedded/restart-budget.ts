export interface RestartBudget {
  /** The delay before the restart that becomes due at `nowMs`, or null when there have been too many. */
  next(nowMs: number): number | null;
}

export const RESTART_LIMIT = 10;
export const RESTART_WINDOW_MS = 60_000;
const FIRST_BACKOFF_MS = 50;
const LONGEST_BACKOFF_MS = 2_000;

/**
 * Grants up to 10 restarts in any minute: the first at once, each further one within that minute after twice the delay
 * of the one before (50 ms up to 2 s). A server that has run for a minute is restarted at once again.
 */
export function createRestartBudget(): RestartBudget {
  let granted: number[] = [];
  return {
    next(nowMs) {
      granted = granted.filter((time) => nowMs - time < RESTART_WINDOW_MS);
      if (granted.length >= RESTART_LIMIT) return null;
      const recent = granted.length;
      granted.push(nowMs);
      return recent === 0 ? 0 : Math.min(FIRST_BACKOFF_MS * 2 ** (recent - 1), LONGEST_BACKOFF_MS);
    },
  };
}
