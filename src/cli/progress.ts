import type { Certification, Prediction } from './client.ts';
import { createProgressBar } from './progress-bar.ts';
import { createProgressLines } from './progress-lines.ts';
import type { Output } from './terminal.ts';

/** Shows how far a job is. */
export interface Progress {
  update(job: Certification | Prediction): void;
  /** Leaves the terminal as it was found. Idempotent. */
  stop(): void;
}

/** A bar where a person looks at it, a line every few seconds where the text goes to a file. */
export function createProgress(output: Output): Progress {
  return output.isTTY === true ? createProgressBar(output) : createProgressLines(output);
}
