import type { Certification, CertificationResult } from '../contract/resources.ts';
import { averageCertifiedRadius, certifiedAccuracy, type EvaluatedInput } from '../smoothing/evaluation.ts';
import { formatCount } from './format.ts';

/** A run in numbers. Every input is in exactly one of correct, wrong, abstained and failed. */
export interface Summary {
  readonly inputs: number;
  /** Certified with the true class. */
  readonly correct: number;
  /** Certified with another class than the label: stable, and wrong. */
  readonly wrong: number;
  readonly abstained: number;
  readonly failed: number;
  readonly certifiedAccuracyAtZero: number;
  readonly averageCertifiedRadius: number;
  readonly samples: number;
  /** From the first sample to the last result. */
  readonly seconds: number;
  readonly samplesPerSecond: number;
}

/** A result as evaluations take it. */
export function toEvaluated({ reference, certifiedRadius }: CertificationResult): EvaluatedInput {
  return { correct: reference?.correct === true, certifiedRadius };
}

/**
 * Counts the results of a finished, labelled job.
 *
 * @throws RangeError for a reproduction, which claims nothing and must count nowhere
 */
export function summarise(job: Certification, results: readonly CertificationResult[]): Summary {
  if (job.reproduction !== null) throw new RangeError(`${job.id} is a reproduction: nothing of it counts`);
  const evaluated = results.map(toEvaluated);
  const certified = results.filter(({ outcome }) => outcome === 'certified');
  const correct = certified.filter(({ reference }) => reference?.correct === true).length;
  const { startedAt, finishedAt, progress } = job;
  const seconds = (Date.parse(finishedAt ?? '') - Date.parse(startedAt ?? '')) / 1000;
  return {
    inputs: results.length,
    correct,
    wrong: certified.length - correct,
    abstained: results.filter(({ outcome }) => outcome === 'abstained').length,
    failed: results.filter(({ status }) => status !== 'decided').length,
    certifiedAccuracyAtZero: certifiedAccuracy(evaluated, 0),
    averageCertifiedRadius: averageCertifiedRadius(evaluated),
    samples: progress.samplesDrawn,
    seconds,
    samplesPerSecond: progress.samplesDrawn / seconds,
  };
}

/** The summary as one line. */
export function summaryLine(summary: Summary): string {
  const { inputs, correct, wrong, abstained, failed, samples, seconds, samplesPerSecond } = summary;
  const counts = [
    `${correct + wrong} certified (${correct} correct, ${wrong} wrong)`,
    `${abstained} abstained`,
    ...(failed > 0 ? [`${failed} failed`] : []),
  ].join(', ');
  const speed = `${formatCount(samples)} samples in ${seconds.toFixed(1)} s (${formatCount(samplesPerSecond)} samples/s)`;
  return `${inputs} images: ${counts}; ${speed}`;
}
