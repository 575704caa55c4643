const SIGNAL_NUMBERS = { SIGINT: 2, SIGTERM: 15 } as const;

export type Interruption = keyof typeof SIGNAL_NUMBERS;

/** Milliseconds that a command may take to leave things in order: supervisors kill after 30 s or 10 s, people sooner. */
const WIND_UP_MILLISECONDS = 12_000;

/** A person or a supervisor ended the command. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
  readonly signal: Interruption;

  constructor(signal: Interruption) {
    super('interrupted');
    this.signal = signal;
  }

  /** 128 and the signal's number, as shells have it: 130 after Ctrl-C. */
  get exitCode(): number {
    return 128 + SIGNAL_NUMBERS[this.signal];
  }
}

/**
 * Runs `action` with a signal that the first Ctrl-C (or SIGTERM) aborts, with an InterruptedError as its reason; the
 * action then has to wind up. A second one, or the end of 12 s, ends the process at once: its children end with it. Whatever
 * goes wrong in winding up, the command was interrupted.
 */
export async function interruptible<Result>(
  action: (signal: AbortSignal) => Promise<Result>,
  milliseconds = WIND_UP_MILLISECONDS,
): Promise<Result> {
  const controller = new AbortController();
  let limit: NodeJS.Timeout | undefined;
  const onSignal = (signal: Interruption): void => {
    const error = new InterruptedError(signal);
    if (controller.signal.aborted) process.exit(error.exitCode);
    limit = setTimeout(() => process.exit(error.exitCode), milliseconds);
    controller.abort(error);
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  try {
    const result = await action(controller.signal);
    controller.signal.throwIfAborted();
    return result;
  } catch (error) {
    throw controller.signal.aborted ? controller.signal.reason : error;
  } finally {
    clearTimeout(limit);
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
}
