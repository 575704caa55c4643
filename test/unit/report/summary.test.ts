import { describe, expect, it } from 'vitest';
import { summarise, summaryLine, toEvaluated } from '../../../src/report/summary.ts';
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
    expect(RESULTS.map(toEvaluated)).toEqual([
      { correct: true, certifiedRadius: 1 },
      { correct: true, certifiedRadius: 0.5 },
      { correct: false, certifiedRadius: 2 },
      { correct: false, certifiedRadius: null },
      { correct: false, certifiedRadius: null },
    ]);
  });

  it('takes an input without a label for not correct', () => {
    expect(toEvaluated(aResult({ reference: null })).correct).toBe(false);
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

  it('does not hide failures', () => {
    expect(summaryLine(summarise(aJob(), RESULTS))).toContain('1 abstained, 1 failed;');
  });
});
