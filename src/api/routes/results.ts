import { createHash } from 'node:crypto';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { OneOf } from '../../contract/building-blocks.ts';
import { type Kind, KINDS } from '../../contract/kinds.ts';
import type { ResultResource } from '../../contract/resources.ts';
import { DomainError, type Fault } from '../../errors.ts';
import type { JobService, ResultPage } from '../../jobs/job-service.ts';
import type { ModelStore } from '../../models/store.ts';
import { Link, page, PAGE_DEFAULT, pageQuery } from '../page.ts';
import { presentResult } from '../presenter.ts';
import { answer, problems } from '../responses.ts';
import { reprDigest } from '../results/repr-digest.ts';
import { FORMAT_NAMES, RESULT_FORMATS, resultFormat } from '../results/result-format.ts';
import { sendWholeResults } from '../results/whole-results.ts';

export interface ResultRoutesOptions {
  readonly kind: Kind;
  readonly jobs: JobService;
  readonly models: ModelStore;
}

const IdParams = Type.Object({ id: Type.String() }, { additionalProperties: false });
const Format = OneOf(FORMAT_NAMES, {
  title: 'ResultFormat',
  description: 'form of the results, whatever `Accept` says; limit and cursor are of JSON alone',
});
const Query = Type.Object({ ...pageQuery, format: Type.Optional(Format) }, { additionalProperties: false });
const Digest = Type.String({
  description: 'RFC 9530, sha-256 of the content; of all results together it follows them as a trailer',
});
const table = (description: string) => Type.String({ description });
const WHOLE = {
  [RESULT_FORMATS.ndjson]: table('all results, one a line, each as in `data` of a page'),
  [RESULT_FORMATS.csv]: table(
    'all results, RFC 4180 with names of columns; bounds are rounded to their safe sides, and texts that a spreadsheet would compute begin with an apostrophe',
  ),
  [RESULT_FORMATS.tsv]: table(
    'all results as the code of Cohen et al. writes them: idx, label, predict (-1: abstained), radius (three digits, rounded down; none in predictions), correct, time (mean of the decided inputs, once the job has ended); what has no result has its status in predict. Not of reproductions',
  ),
};

/** The results of jobs of one kind: pages of JSON, or all of them in one stream. */
export const resultRoutes: FastifyPluginAsyncTypebox<ResultRoutesOptions> = async (app, options) => {
  const { kind, jobs, models } = options;
  const { path, title: name, result } = KINDS[kind];

  function present({ job, inputs }: ResultPage): ResultResource[] {
    const model = models.find(job.request.model.name);
    const manifest = model?.digest === job.request.model.digest ? model.manifest : null;
    return inputs.map((each) => presentResult(job, each, manifest));
  }

  app.get(
    `${path}/:id/results`,
    {
      schema: {
        tags: [`${kind}s`],
        operationId: `list${name}Results`,
        summary: `Results of a ${kind}, one for each input, in order`,
        description:
          'Every input is listed from the start; what is not decided yet is `pending`. JSON comes in pages; NDJSON, CSV and TSV, by `Accept` or `format`, are all results in one stream.',
        params: IdParams,
        querystring: Query,
        response: {
          200: answer(
            'One page of results, or all of them.',
            page(result, `${name}ResultPage`),
            { Link, 'Repr-Digest': Digest },
            WHOLE,
          ),
          ...problems(404, 406, 410, 422, 503),
        },
      },
      onSend: async (_, reply, payload) => {
        if (reply.statusCode === 200 && typeof payload === 'string')
          void reply.header('Repr-Digest', reprDigest(createHash('sha256').update(payload)));
        return payload;
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { limit, cursor } = request.query;
      void reply.header('Vary', 'Accept');
      const format = resultFormat(request, request.query.format);
      if (format !== 'json') {
        refuse(
          (['limit', 'cursor'] as const)
            .filter((each) => request.query[each] !== undefined)
            .map((each) => ({
              pointer: `/query/${each}`,
              detail: `is of pages of JSON; ${format} has all results`,
            })),
        );
        const read = (first: number, count: number) => jobs.results(kind, id, first, count);
        if (format === 'tsv' && (await jobs.get(kind, id)).request.seedSource === 'client') {
          const detail =
            'must not be tsv: the votes of a reproduction claim nothing that this table could say';
          refuse([{ pointer: '/query/format', detail }]);
        }
        return sendWholeResults(reply, format, { read, present });
      }
      const most = limit ?? PAGE_DEFAULT;
      const first = resultCursor(cursor);
      const shown = await jobs.results(kind, id, first, most);
      const after = first + most;
      const next = after < shown.job.inputsTotal ? String(after) : null;
      if (next !== null)
        void reply.header('Link', `<${path}/${id}/results?limit=${most}&cursor=${next}>; rel="next"`);
      return { data: present(shown), next };
    },
  );
};

function refuse(faults: readonly Fault[]): void {
  if (faults.length > 0) throw new DomainError('validation_failed', undefined, faults);
}

/** The cursor of results is the index of the first one, so that a poller may also start anywhere. */
function resultCursor(cursor: string | undefined): number {
  if (cursor === undefined) return 0;
  if (/^\d{1,9}$/.test(cursor)) return Number(cursor);
  const fault = { pointer: '/query/cursor', detail: 'must be the `next` of a page of these results' };
  throw new DomainError('validation_failed', undefined, [fault]);
}
