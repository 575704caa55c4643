import type { FastifyRequest } from 'fastify';
import { DomainError } from '../../errors.ts';

/** The forms in which results are read, by the name that `?format=` gives them, and the media type of each. */
export const RESULT_FORMATS = {
  json: 'application/json',
  ndjson: 'application/x-ndjson',
  csv: 'text/csv',
  tsv: 'text/tab-separated-values',
} as const;

export type ResultFormat = keyof typeof RESULT_FORMATS;
/** Those that hold all results of a job; JSON comes in pages. */
export type WholeFormat = Exclude<ResultFormat, 'json'>;

export const FORMAT_NAMES = Object.keys(RESULT_FORMATS) as ResultFormat[];

/**
 * The form that a request asks for: by `?format=`, which a link can carry, before `Accept`; JSON where neither says.
 *
 * @throws DomainError `not_acceptable` where `Accept` allows none of them
 */
export function resultFormat(request: FastifyRequest, asked: ResultFormat | undefined): ResultFormat {
  if (asked !== undefined) return asked;
  const accepted = request.accepts().type(Object.values(RESULT_FORMATS));
  const format = FORMAT_NAMES.find((name) => RESULT_FORMATS[name] === accepted);
  if (format !== undefined) return format;
  const offered = FORMAT_NAMES.map((name) => `${RESULT_FORMATS[name]} (?format=${name})`).join(', ');
  const given = request.headers.accept;
  throw new DomainError('not_acceptable', `Accept is ${given}; these results are there as ${offered}`);
}
