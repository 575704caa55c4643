import { describe, expect, it } from 'vitest';
import { createProgress, createProgressLines, progressLine } from '../../../src/cli/progress.ts';
import { captureOutput } from '../../support/captured-terminal.ts';
import { aJob, aProgress } from '../../support/certification-samples.ts';

describe('progressLine', () => {
  it('tells share, inputs, samples, speed and time left', () => {
    expect(progressLine({ status: 'running', waitingFor: null, progress: aProgress() })).toBe(
      'running 25%, 4 of 8 inputs, 250,000 of 1,000,000 samples, 50,000 samples/s, 15 s left',
    );
  });

  it('leaves out what is not known yet', () => {
    const progress = aProgress({ samplesDrawn: 0, samplesPerSecond: null, secondsLeft: null });
    expect(progressLine({ status: 'queued', waitingFor: null, progress })).toBe(
      'queued 0%, 4 of 8 inputs, 0 of 1,000,000 samples',
    );
  });

  it('does not promise that the rest takes no time', () => {
    const progress = aProgress({ secondsLeft: 0 });
    const line = progressLine({ status: 'succeeded', waitingFor: null, progress });
    expect(line).not.toContain('left');
  });

  it('says what the job waits for', () => {
    const progress = aProgress({ samplesPerSecond: null, secondsLeft: null });
    const waitingFor = 'mnist-cnn in onnxruntime-node 1.29.0 on cpu (fp32), which no worker has';
    expect(progressLine({ status: 'running', waitingFor, progress })).toBe(
      `running 25%, 4 of 8 inputs, 250,000 of 1,000,000 samples, waiting for ${waitingFor}`,
    );
  });

  it('is not at 100% before it is done', () => {
    const progress = aProgress({ samplesDrawn: 999_999 });
    expect(progressLine({ status: 'running', waitingFor: null, progress })).toContain('running 99%');
  });

  it('survives a job without samples', () => {
    const progress = aProgress({ samplesDrawn: 0, samplesPlanned: 0 });
    expect(progressLine({ status: 'queued', waitingFor: null, progress })).toContain('queued 0%');
  });
});

describe('createProgressLines', () => {
  it('writes at once, then one line every three seconds', () => {
    let now = 0;
    const output = captureOutput();
    const progress = createProgressLines(output, () => now);
    for (now = 0; now <= 9_000; now += 400) progress.update(aJob({ status: 'running' }));
    progress.stop();
    expect(output.lines()).toHaveLength(3);
  });

  it('writes a change of status without waiting', () => {
    const output = captureOutput();
    const progress = createProgressLines(output, () => 0);
    for (const status of ['queued', 'queued', 'running', 'running', 'succeeded'] as const) {
      progress.update(aJob({ status }));
    }
    expect(output.lines().map((line) => line.split(' ')[0])).toEqual(['queued', 'running', 'succeeded']);
  });

  it('is what a file gets, without any control sequence', () => {
    const output = captureOutput(false);
    const progress = createProgress(output);
    progress.update(aJob({ status: 'running' }));
    progress.stop();
    // oxlint-disable-next-line no-control-regex -- that is what must not be there
    expect(output.text()).toMatch(/^[^\u0000-\u0009\u000b-\u001f]+\n$/);
  });
});
