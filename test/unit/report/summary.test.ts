import { describe, expect, it } from 'vitest';
import { accuracyLines, summarise, summaryLine, toEvaluated } from '../../../src/report/summary.ts';
import {
  aFailure,
  aJob,
  anAbstention,
  aProgress,
  aReproduction,
  aResult,
  aWrongResult,
} from '../../support/certification-samples.ts';

const RESULTS = [
  aResult({ certifiedRadius: 1 }),
  aResult({ certifiedRadius: 0.5 }),
  aWrongResult({ certifiedRadius: 2 }),
  anAbstention(),
  aFailure(),
];

describe('toEvaluated', () => {
  it('takes only a certified right class for correct', () => {
    expect(toEvaluated(RESULTS)).toEqual([
      { correct: true, certifiedRadius: 1 },
      { correct: true, certifiedRadius: 0.5 },
      { correct: false, certifiedRadius: 2 },
      { correct: false, certifiedRadius: null },
      { correct: false, certifiedRadius: null },
    ]);
  });

  it('takes an input without a label for not correct where others have one', () => {
    const [one] = toEvaluated([aResult({ reference: null }), aResult()]);
    expect(one!.correct).toBe(false);
  });

  it('takes what is certified for what counts where no input has a label', () => {
    const results = [aResult({ reference: null }), anAbstention({ reference: null })];
    expect(toEvaluated(results).map(({ correct }) => correct)).toEqual([true, false]);
  });
});

describe('summarise', () => {
  const job = aJob({ progress: aProgress({ samplesDrawn: 2_102_100 }) });

  it('puts every input into one of four, and divides by all of them', () => {
    expect(summarise(job, RESULTS)).toMatchObject({
      inputs: 5,
      correct: 2,
      wrong: 1,
      abstained: 1,
      failed: 1,
      certifiedAccuracyAtZero: 0.4,
      averageCertifiedRadius: 0.3,
    });
  });

  it('refuses a reproduction, which counts nowhere', () => {
    const reproduction = aJob({ reproduction: { firstIndex: 0 } });
    expect(() => summarise(reproduction, [aReproduction()])).toThrow('cert_1 is a reproduction');
  });

  it('measures from the first sample to the last result', () => {
    expect(summarise(job, RESULTS)).toMatchObject({
      samples: 2_102_100,
      seconds: 10,
      samplesPerSecond: 210_210,
    });
  });
});

describe('summaryLine', () => {
  it('says it in a line', () => {
    const job = aJob({ progress: aProgress({ samplesDrawn: 40_400 }) });
    expect(summaryLine(summarise(job, RESULTS.slice(0, 4)))).toBe(
      '4 images: 3 certified (2 correct, 1 wrong), 1 abstained; 40,400 samples in 10.0 s (4,040 samples/s)',
    );
  });

  it('says nothing of right and wrong without labels', () => {
    const summary = summarise(aJob(), [aResult({ reference: null })]);
    expect(summaryLine(summary)).toMatch(/^1 image: 1 certified, 0 abstained; /);
  });

  it('does not hide failures', () => {
    expect(summaryLine(summarise(aJob(), RESULTS))).toContain('1 abstained, 1 failed;');
  });
});

describe('accuracyLines', () => {
  it('give certified accuracy at round radii with counts and interval, and the average radius', () => {
    const results = RESULTS.slice(0, 4);
    const job = aJob();
    const lines = accuracyLines(summarise(job, results), job, results);
    expect(lines[0]).toBe('certified accuracy at r, with its 95 % interval:');
    // scipy.stats.beta.ppf, as in the test of the table; sigma .5, n 10,000 and alpha .001 allow 1.5992
    expect(lines.slice(1, -1)).toEqual([
      ...['0.0', '0.2', '0.4'].map((r) => `  ${r}   50.0%  2 of 4  6.7% to 93.3%`),
      ...['0.6', '0.8', '1.0'].map((r) => `  ${r}   25.0%  1 of 4  0.6% to 80.6%`),
      ...['1.2', '1.4'].map((r) => `  ${r}    0.0%  0 of 4  0.0% to 60.3%`),
    ]);
    expect(lines.at(-1)).toBe('average certified radius: 0.3750');
  });
});
