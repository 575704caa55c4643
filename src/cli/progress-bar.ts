import { Presets, SingleBar } from 'cli-progress';
import { formatCount, formatDuration } from './format.ts';
import type { Progress } from './progress.ts';
import type { Output } from './terminal.ts';

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
    update({ status, progress }) {
      const { inputsDecided, inputsFailed, inputsTotal, samplesPerSecond, secondsLeft } = progress;
      const payload = {
        inputs: `${inputsDecided + inputsFailed} of ${inputsTotal} inputs`,
        speed: samplesPerSecond === null ? status : `${formatCount(samplesPerSecond)} samples/s`,
        left: secondsLeft === null ? 'starting' : `${formatDuration(secondsLeft)} left`,
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
