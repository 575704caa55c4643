/** How long after an interruption a command may go on to leave things in order is up to the command. */
const SIGNAL_NUMBERS = { SIGINT: 2, SIGTERM: 15 } as const;

export type Interruption = keyof typeof SIGNAL_NUMBERS;

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
 * action then has to wind up and to reject. A second one ends the process at once: its children end with it.
 */
export async function interruptible<Result>(
  action: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController();
  const onSignal = (signal: Interruption): void => {
    const error = new InterruptedError(signal);
    if (controller.signal.aborted) process.exit(error.exitCode);
    controller.abort(error);
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  try {
    const result = await action(controller.signal);
    controller.signal.throwIfAborted();
    return result;
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
}
