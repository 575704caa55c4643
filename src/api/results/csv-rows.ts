import { stringify } from 'csv-stringify/sync';
import type { Kind } from '../../contract/kinds.ts';
import type { ResultResource } from '../../contract/resources.ts';
import { formatProbabilityDown, formatRadiusDown, formatSmallUp } from '../../report/format.ts';

type Cell = string | number | boolean | null;
type Columns = readonly (readonly [name: string, cell: (result: ResultResource) => Cell])[];

const bound = (value: number | null, format: (value: number) => string): Cell =>
  value === null ? null : format(value);

const BEFORE: Columns = [
  ['index', ({ index }) => index],
  ['inputId', ({ inputId }) => inputId],
  ['status', ({ status }) => status],
  ['outcome', ({ outcome }) => outcome],
  ['class', ({ prediction }) => prediction?.class ?? null],
  ['className', ({ prediction }) => prediction?.label ?? null],
  ['referenceLabel', ({ reference }) => reference?.label ?? null],
  ['correct', ({ reference }) => reference?.correct ?? null],
];
const AFTER: Columns = [
  ['topCount', ({ topCount }) => topCount],
  ['warnings', ({ warnings }) => warnings.join('; ')],
  ['errorCode', ({ error }) => error?.code ?? null],
  ['errorDetail', ({ error }) => error?.detail ?? null],
];
/** Bounds are rounded to their safe sides, as a person reads them. */
const BOUNDS: { readonly [K in Kind]: Columns } = {
  certification: [
    [
      'certifiedRadius',
      (result) => ('certifiedRadius' in result ? bound(result.certifiedRadius, formatRadiusDown) : null),
    ],
    [
      'pALowerBound',
      (result) => ('pALowerBound' in result ? bound(result.pALowerBound, formatProbabilityDown) : null),
    ],
  ],
  prediction: [['pValue', (result) => ('pValue' in result ? bound(result.pValue, formatSmallUp) : null)]],
};

const columnsOf = (kind: Kind): Columns => [...BEFORE, ...BOUNDS[kind], ...AFTER];

const written = (rows: readonly (readonly Cell[])[]): string =>
  stringify(
    rows.map((row) => [...row]),
    {
      // RFC 4180.
      record_delimiter: 'windows',
      cast: { boolean: (value) => String(value) },
      // Names are the client's: a spreadsheet must not compute one that begins like a formula.
      escape_formulas: true,
    },
  );

/** The names of the columns, which do not depend on the results. */
export function csvHead(kind: Kind): string {
  return written([columnsOf(kind).map(([name]) => name)]);
}

/** Results as lines of CSV (RFC 4180): what a table can hold of them; certificates and votes are in NDJSON. */
export function csvRows(kind: Kind, results: readonly ResultResource[]): string {
  const columns = columnsOf(kind);
  return written(results.map((result) => columns.map(([, cell]) => cell(result))));
}
