import type { Certification, CertificationResult } from '../contract/resources.ts';
import { averageCertifiedRadius, certifiedAccuracy, type EvaluatedInput } from '../smoothing/evaluation.ts';
import { alphaPerBound } from '../smoothing/votes-to-radius.ts';
import { radiusCeiling } from '../statistics/radius.ts';
import { accuracyRows } from './accuracy-table.ts';
import { formatCount, formatRadiusDown, formatSeconds } from './format.ts';

/** A run in numbers. Every input is in exactly one of correct, wrong, abstained and failed. */
export interface Summary {
  readonly inputs: number;
  /**
   * Whether the inputs have labels. Without them nothing is known to be wrong: what is certified stands under `correct`, and
   * the accuracy is that of answering at all.
   */
  readonly labelled: boolean;
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

/** The results as evaluations take them: of an input without a label among labelled ones nothing is claimed. */
export function toEvaluated(results: readonly CertificationResult[]): EvaluatedInput[] {
  const labelled = isLabelled(results);
  return results.map(({ reference, certifiedRadius }) => ({
    correct: labelled ? reference?.correct === true : certifiedRadius !== null,
    certifiedRadius,
  }));
}

function isLabelled(results: readonly CertificationResult[]): boolean {
  return results.some(({ reference }) => reference !== null);
}

/**
 * Counts the results of a finished job.
 *
 * @throws RangeError for a reproduction, which claims nothing and must count nowhere
 */
export function summarise(job: Certification, results: readonly CertificationResult[]): Summary {
  if (job.reproduction !== null) throw new RangeError(`${job.id} is a reproduction: nothing of it counts`);
  const evaluated = toEvaluated(results);
  const certified = results.filter(({ outcome }) => outcome === 'certified').length;
  const correct = evaluated.filter((each) => each.correct && each.certifiedRadius !== null).length;
  const { startedAt, finishedAt, progress } = job;
  const seconds = (Date.parse(finishedAt ?? '') - Date.parse(startedAt ?? '')) / 1000;
  return {
    inputs: results.length,
    labelled: isLabelled(results),
    correct,
    wrong: certified - correct,
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
  const { inputs, labelled, correct, wrong, abstained, failed, samples, seconds, samplesPerSecond } = summary;
  const counts = [
    `${correct + wrong} certified${labelled ? ` (${correct} correct, ${wrong} wrong)` : ''}`,
    `${abstained} abstained`,
    ...(failed > 0 ? [`${failed} failed`] : []),
  ].join(', ');
  const speed = `${formatCount(samples)} samples in ${formatSeconds(seconds)} (${formatCount(samplesPerSecond)} samples/s)`;
  return `${inputs} image${inputs === 1 ? '' : 's'}: ${counts}; ${speed}`;
}

/** What the shares of a run are of: certified accuracy needs labels. */
export function shareName({ labelled }: Pick<Summary, 'labelled'>): string {
  return labelled ? 'certified accuracy' : 'share certified';
}

/** The largest radius that the job could have certified. */
export function ceilingOf({ parameters: { sigma, n, alpha, bound } }: Certification): number {
  return radiusCeiling(sigma, n, alphaPerBound(alpha, bound === 'pA-pB'));
}

/** Certified accuracy at round radii with its interval, and the average certified radius, as lines. */
export function accuracyLines(
  summary: Summary,
  job: Certification,
  results: readonly CertificationResult[],
): string[] {
  const rows = accuracyRows(toEvaluated(results), ceilingOf(job));
  const width = Math.max(...rows.map(({ count }) => count.length));
  return [
    `${shareName(summary)} at r, with its 95 % interval:`,
    ...rows.map(
      ({ radius, accuracy, count, interval }) =>
        `  ${radius}  ${accuracy.padStart(6)}  ${count.padStart(width)}  ${interval}`,
    ),
    `average certified radius: ${formatRadiusDown(summary.averageCertifiedRadius)}`,
  ];
}
