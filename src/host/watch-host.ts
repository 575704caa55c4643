/** How often a host's main thread says that it is alive, milliseconds. */
export const BEAT_MILLISECONDS = 1_000;

/** Milliseconds without a sign after which a host is hung: stopped, or waiting for a driver that will not answer. */
const HUNG_MILLISECONDS = 10_000;
/** Before its first sign it reads its program, on a machine that may be busy with other things. */
const STARTING_MILLISECONDS = 60_000;
/** So many times its measured time may a batch take on a machine that is busy with other things. */
const BUSY = 20;

/** The signs of life that a worker looks at. */
export interface HostWatch {
  /** The main thread has said something. */
  alive(): void;
  /** A model is being loaded, from the call until the answer's: lanes that load count no samples. */
  loading<Result>(load: Promise<Result>): Promise<Result>;
  /** Samples are owed until the answer; a lane that counts none for longer than 20 batches and 10 s is hung as well. */
  owing<Result>(batchMilliseconds: number, draw: Promise<Result>): Promise<Result>;
  /** Samples were counted. */
  counted(): void;
  stop(): void;
}

/**
 * Watches one host process. Time is counted in ticks of this process's own timer: while the worker itself is stopped, or the
 * machine sleeps, no host grows silent.
 *
 * @param onHung called once, with what was not heard of
 */
export function watchHost(
  onHung: (silence: string) => void,
  hungMilliseconds: number = HUNG_MILLISECONDS,
): HostWatch {
  const tick = Math.min(BEAT_MILLISECONDS, hungMilliseconds / 4);
  let silent = 0;
  let uncounted = 0;
  let beaten = false;
  let loads = 0;
  const owed = new Set<{ readonly limit: number }>();

  const timer = setInterval(() => {
    silent += tick;
    uncounted += tick;
    const limit = beaten ? hungMilliseconds : Math.max(STARTING_MILLISECONDS, hungMilliseconds);
    const patience = Math.max(0, ...[...owed].map((each) => each.limit));
    const reason =
      silent > limit
        ? `gave no sign of life for ${limit / 1000} s`
        : owed.size > 0 && loads === 0 && uncounted > patience
          ? `counted no sample for ${Math.round(patience / 1000)} s`
          : null;
    if (reason === null) return;
    clearInterval(timer);
    onHung(reason);
  }, tick);

  return {
    alive() {
      beaten = true;
      silent = 0;
    },
    async loading(load) {
      loads += 1;
      try {
        return await load;
      } finally {
        loads -= 1;
        silent = 0;
        uncounted = 0;
      }
    },
    async owing(batchMilliseconds, draw) {
      const debt = { limit: hungMilliseconds + BUSY * batchMilliseconds };
      if (owed.size === 0) uncounted = 0;
      owed.add(debt);
      try {
        return await draw;
      } finally {
        owed.delete(debt);
      }
    },
    counted() {
      beaten = true;
      silent = 0;
      uncounted = 0;
    },
    stop: () => clearInterval(timer),
  };
}
