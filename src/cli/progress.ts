import { Presets, SingleBar } from 'cli-progress';
import type { JobResource } from '../contract/resources.ts';
import { formatCount, formatDuration } from '../report/format.ts';
import { type Output, writeLine } from './terminal.ts';

const EVERY_MILLISECONDS = 3_000;

/** Shows how far a job is. */
export interface Progress {
  update(job: JobResource): void;
  /** Leaves the terminal as it was found. Idempotent. */
  stop(): void;
}

/** A bar where a person looks at it, a line every few seconds where the text goes to a file. */
export function createProgress(output: Output): Progress {
  return output.isTTY === true ? createProgressBar(output) : createProgressLines(output);
}

/** A bar with the speed and the time left, redrawn in place and wiped at the end. */
export function createProgressBar(output: Output): Progress {
  const bar = new SingleBar(
    {
      stream: output,
      format: '{bar} {percentage}% | {inputs} | {speed} | {left}',
      barsize: 28,
      clearOnComplete: true,
      // Ctrl-C is the command's own business: it cancels the job.
      gracefulExit: false,
    },
    Presets.shades_classic,
  );
  let started = false;
  return {
    update({ status, waitingFor, progress }) {
      const { inputsDecided, inputsFailed, inputsTotal, samplesPerSecond, secondsLeft } = progress;
      const payload = {
        inputs: `${inputsDecided + inputsFailed} of ${inputsTotal} inputs`,
        speed: samplesPerSecond === null ? status : `${formatCount(samplesPerSecond)} samples/s`,
        left:
          waitingFor !== null
            ? `waiting for ${waitingFor}`
            : secondsLeft === null
              ? 'starting'
              : `${formatDuration(secondsLeft)} left`,
      };
      if (!started) bar.start(progress.samplesPlanned, 0, payload);
      started = true;
      bar.update(progress.samplesDrawn, payload);
    },
    stop() {
      if (started) bar.stop();
      started = false;
    },
  };
}

/** One line of progress. */
export function progressLine({
  status,
  waitingFor,
  progress,
}: Pick<JobResource, 'status' | 'waitingFor' | 'progress'>): string {
  const { inputsDecided, inputsFailed, inputsTotal, samplesDrawn, samplesPlanned } = progress;
  const { samplesPerSecond, secondsLeft } = progress;
  const percent = samplesPlanned === 0 ? 0 : Math.floor((100 * samplesDrawn) / samplesPlanned);
  return [
    `${status} ${percent}%`,
    `${inputsDecided + inputsFailed} of ${inputsTotal} inputs`,
    `${formatCount(samplesDrawn)} of ${formatCount(samplesPlanned)} samples`,
    ...(samplesPerSecond === null ? [] : [`${formatCount(samplesPerSecond)} samples/s`]),
    ...(secondsLeft === null || secondsLeft === 0 ? [] : [`${formatDuration(secondsLeft)} left`]),
    ...(waitingFor === null ? [] : [`waiting for ${waitingFor}`]),
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
