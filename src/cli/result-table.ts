import Table from 'cli-table3';
import type { CertificationResult, Model, PredictionResult } from '../contract/resources.ts';
import { formatCount, formatProbabilityDown, formatRadiusDown, formatSmallUp } from '../report/format.ts';

const NONE = '–';

type AnyResult = CertificationResult | PredictionResult;

/** Columns in which numbers stand below each other. */
function table(head: readonly string[], numeric: number): Table.Table {
  const colAligns = head.map((_, index) => (index >= head.length - numeric ? 'right' : 'left') as 'left');
  return new Table({ head: [...head], colAligns, style: { head: [], border: [], compact: true } });
}

function labelOf({ reference }: AnyResult, model: Model): string {
  if (reference === null) return NONE;
  return model.output.labels[reference.label] ?? String(reference.label);
}

/** What was decided, in a word; an abstention and a failure never read like a prediction. */
export function predictionText({ status, outcome, prediction, reference, error }: AnyResult): string {
  if (status === 'failed') return `failed: ${error?.detail ?? 'for an unknown reason'}`;
  if (status !== 'decided') return status;
  if (outcome === 'reproduced') return outcome;
  if (outcome === 'abstained' || prediction === null) return 'abstained';
  return reference?.correct === false ? `${prediction.label} (wrong)` : prediction.label;
}

function votesText({ topCount }: AnyResult, n: number): string {
  return topCount === null ? NONE : `${formatCount(topCount)} of ${formatCount(n)}`;
}

/** Certificates as a table. */
export function certificationTable(results: readonly CertificationResult[], model: Model, n: number): string {
  const rows = table(['image', 'label', 'prediction', 'radius', 'p_A at least', 'votes for it'], 3);
  for (const result of results) {
    const { certifiedRadius, pALowerBound } = result;
    rows.push([
      result.inputId,
      labelOf(result, model),
      predictionText(result),
      certifiedRadius === null ? NONE : formatRadiusDown(certifiedRadius),
      pALowerBound === null ? NONE : formatProbabilityDown(pALowerBound),
      votesText(result, n),
    ]);
  }
  return rows.toString();
}

/** Predictions as a table. */
export function predictionTable(results: readonly PredictionResult[], model: Model, n: number): string {
  const rows = table(['image', 'label', 'prediction', 'p-value', 'votes for it'], 2);
  for (const result of results) {
    const { pValue } = result;
    rows.push([
      result.inputId,
      labelOf(result, model),
      predictionText(result),
      pValue === null ? NONE : formatSmallUp(pValue),
      votesText(result, n),
    ]);
  }
  return rows.toString();
}

/** Votes drawn again with a client's seed, with what they would say of an earlier certificate or prediction. */
export function reproductionTable(results: readonly AnyResult[], model: Model, n: number): string {
  const rows = table(['image', 'outcome', 'class with most votes', 'the earlier result says', 'votes'], 1);
  for (const result of results) {
    const { reproduction } = result;
    const top =
      reproduction === null
        ? null
        : 'topClass' in reproduction
          ? reproduction.topClass
          : reproduction.selectedClass;
    rows.push([
      result.inputId,
      predictionText(result),
      top === null ? NONE : (model.output.labels[top] ?? String(top)),
      reproduction === null ? NONE : impliedText(reproduction.implied),
      votesText(result, n),
    ]);
  }
  return rows.toString();
}

function impliedText(implied: NonNullable<AnyResult['reproduction']>['implied']): string {
  if ('pValue' in implied) return `${implied.verdict}, p-value ${formatSmallUp(implied.pValue)}`;
  return implied.radius === null
    ? implied.verdict
    : `${implied.verdict}, radius ${formatRadiusDown(implied.radius)}`;
}
