import type { CertificationResult, Model } from '../contract/resources.ts';
import type { Report } from '../report/facts.ts';
import { type ReportInput, verdictOf } from '../report/input-card.ts';
import { createPainter } from '../report/pictures.ts';
import { summarise } from '../report/summary.ts';
import type { FinishedJob } from './run-job.ts';

/** An image of a job, in the order in which they were sent. */
export interface ReportedImage {
  readonly bytes: Uint8Array;
  /** Where it comes from, in words. */
  readonly source: string;
}

/** Cards in a report; each takes some kilobytes of pictures. */
export const CARDS_MOST = 200;
/** What is worth a look first. */
const FIRST = ['failed', 'wrong', 'abstained', 'correct', 'reproduced'];

/**
 * Puts the report of a finished job together. Where it has more inputs than a page has room for, those are shown that
 * failed, are wrong or abstain, and then those with the smallest radii; every number is of all of them.
 *
 * @param command that draws the votes again
 */
export async function assembleReport(
  { job, results }: FinishedJob<'certification'>,
  model: Model,
  images: readonly ReportedImage[],
  command: string,
): Promise<Report> {
  const draw = createPainter(model, job.parameters.sigma);
  const inputs: ReportInput[] = [];
  for (const result of shown(results)) {
    const { bytes, source } = images[result.index]!;
    inputs.push({ result, pictures: await draw(bytes, result), source });
  }
  return { model, job, summary: summarise(job, results), results, inputs, command };
}

function shown(results: readonly CertificationResult[]): readonly CertificationResult[] {
  if (results.length <= CARDS_MOST) return results;
  const rank = (result: CertificationResult): number => FIRST.indexOf(verdictOf(result));
  return results
    .toSorted((a, b) => rank(a) - rank(b) || (a.certifiedRadius ?? 0) - (b.certifiedRadius ?? 0))
    .slice(0, CARDS_MOST);
}
