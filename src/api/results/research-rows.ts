import type { Kind } from '../../contract/kinds.ts';
import type { ResultResource } from '../../contract/resources.ts';
import type { JobRecord } from '../../jobs/job-record.ts';
import { significantBelow } from '../../report/directed-decimal.ts';

// The tables that the code of Cohen et al. (2019) writes and reads: certify.py, predict.py and analyze.py of
// https://github.com/locuslab/smoothing. Its radius is the nearest decimal of three significant digits, which may claim
// more than was certified; here it is the one below.

const RADIUS_DIGITS = 3;
/** What the research code writes as the prediction of an abstention, beside a radius of 0.0. */
const ABSTAINED = '-1';
const NO_RADIUS = '0.0';

const COLUMNS: { readonly [K in Kind]: readonly string[] } = {
  certification: ['idx', 'label', 'predict', 'radius', 'correct', 'time'],
  prediction: ['idx', 'label', 'predict', 'correct', 'time'],
};

/** The names of the columns. */
export function researchHead(kind: Kind): string {
  return `${COLUMNS[kind].join('\t')}\n`;
}

/**
 * Results as lines of the research table. An input without a result has its status in `predict`, no radius, and is not
 * correct, so that it only ever lowers a certified accuracy; without a reference label `label` and `correct` are empty.
 */
export function researchRows(job: JobRecord, results: readonly ResultResource[]): string {
  const columns = COLUMNS[job.request.kind];
  const time = meanTime(job);
  return results
    .map((result) => {
      const { index, reference, status, prediction } = result;
      const radius = 'certifiedRadius' in result ? result.certifiedRadius : null;
      const cells: Readonly<Record<string, string>> = {
        idx: String(index),
        label: reference === null ? '' : String(reference.label),
        predict: status === 'decided' ? String(prediction?.class ?? ABSTAINED) : status,
        radius: radius === null ? NO_RADIUS : significantBelow(radius, RADIUS_DIGITS),
        correct: reference === null ? '' : reference.correct === true ? '1' : '0',
        time: status === 'decided' ? time : '',
      };
      return `${columns.map((name) => cells[name]).join('\t')}\n`;
    })
    .join('');
}

/**
 * Inputs are drawn beside one another, so that none has a time of its own: it is the job's, shared among the decided ones, in
 * the form of Python's timedelta; empty while the job runs.
 */
function meanTime({ startedAt, finishedAt, counts }: JobRecord): string {
  if (startedAt === null || finishedAt === null || counts.decided === 0) return '';
  const micros = Math.round((Math.max(0, finishedAt - startedAt) * 1000) / counts.decided);
  const seconds = Math.floor(micros / 1_000_000);
  const pad = (value: number, digits: number): string => String(value).padStart(digits, '0');
  const fraction = micros % 1_000_000 === 0 ? '' : `.${pad(micros % 1_000_000, 6)}`;
  return `${Math.floor(seconds / 3600)}:${pad(Math.floor(seconds / 60) % 60, 2)}:${pad(seconds % 60, 2)}${fraction}`;
}
