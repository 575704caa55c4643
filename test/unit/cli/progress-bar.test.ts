import { describe, expect, it } from 'vitest';
import { createProgress, createProgressBar } from '../../../src/cli/progress.ts';
import { captureOutput } from '../../support/captured-terminal.ts';
import { aJob, aProgress } from '../../support/certification-samples.ts';

/** What cli-progress needs of a terminal beyond a stream. */
function fakeTerminal() {
  const output = captureOutput(true);
  return Object.assign(output, {
    cursorTo: () => true,
    moveCursor: () => true,
    clearLine: () => true,
  });
}

describe('progress bar', () => {
  it('is what a terminal gets, with inputs, speed and time left', () => {
    const output = fakeTerminal();
    const progress = createProgress(output);
    progress.update(aJob({ status: 'running' }));
    progress.stop();
    expect(output.text()).toContain('25%');
    expect(output.text()).toContain('4 of 8 inputs');
    expect(output.text()).toContain('50,000 samples/s');
    expect(output.text()).toContain('15 s left');
  });

  it('shows the status while there is no speed', () => {
    const output = fakeTerminal();
    const progress = createProgressBar(output);
    const unknown = aProgress({ samplesDrawn: 0, samplesPerSecond: null, secondsLeft: null });
    progress.update(aJob({ status: 'queued', progress: unknown }));
    progress.stop();
    expect(output.text()).toContain('queued | starting');
  });

  it('stops without having started, and twice', () => {
    const progress = createProgressBar(fakeTerminal());
    progress.stop();
    progress.update(aJob());
    progress.stop();
    expect(() => progress.stop()).not.toThrow();
  });

  it('leaves Ctrl-C to the command', () => {
    const before = process.listenerCount('SIGINT');
    const progress = createProgressBar(fakeTerminal());
    progress.update(aJob());
    expect(process.listenerCount('SIGINT')).toBe(before);
    progress.stop();
  });
});
