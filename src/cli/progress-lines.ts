import type { Certification } from './client.ts';
import { formatCount, formatDuration } from './format.ts';
import type { Progress } from './progress.ts';
import { type Output, writeLine } from './terminal.ts';

const EVERY_MILLISECONDS = 3_000;

/** One line of progress. */
export function progressLine({ status, progress }: Pick<Certification, 'status' | 'progress'>): string {
  const { inputsDecided, inputsFailed, inputsTotal, samplesDrawn, samplesPlanned } = progress;
  const { samplesPerSecond, secondsLeft } = progress;
  const percent = samplesPlanned === 0 ? 0 : Math.floor((100 * samplesDrawn) / samplesPlanned);
  return [
    `${status} ${percent}%`,
    `${inputsDecided + inputsFailed} of ${inputsTotal} inputs`,
    `${formatCount(samplesDrawn)} of ${formatCount(samplesPlanned)} samples`,
    ...(samplesPerSecond === null ? [] : [`${formatCount(samplesPerSecond)} samples/s`]),
    ...(secondsLeft === null || secondsLeft === 0 ? [] : [`${formatDuration(secondsLeft)} left`]),
  ].join(', ');
}

/** A line at once, then one every few seconds, and one whenever the status changes. */
export function createProgressLines(output: Output, clock: () => number = () => performance.now()): Progress {
  let due = Number.NEGATIVE_INFINITY;
  let status = '';
  return {
    update(job) {
      const now = clock();
      if (now < due && job.status === status) return;
      due = now + EVERY_MILLISECONDS;
      status = job.status;
      writeLine(output, progressLine(job));
    },
    stop() {},
  };
}
