import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type TSchema, Type } from 'typebox';
import { DomainError } from '../../errors.ts';
import type { ModelStore } from '../../inference/model-store.ts';
import type { JobKind } from '../../jobs/job-record.ts';
import type { JobService } from '../../jobs/job-service.ts';
import { createMultipartReader } from '../multipart.ts';
import { collectionPath, presentJob, presentResult } from '../presenter.ts';
import { Nullable, problems } from '../schemas/common.ts';
import type { JobBody, RequestSchemas } from '../schemas/request.ts';
import { inputsFromJson, toSubmission } from '../submission.ts';

export interface JobRoutesOptions {
  readonly kind: JobKind;
  readonly jobs: JobService;
  readonly models: ModelStore;
  readonly maxInputs: number;
  readonly requests: RequestSchemas;
  readonly resource: TSchema;
  readonly result: TSchema;
}

const PAGE_DEFAULT = 50;
const PAGE_MOST = 500;
// Query strings are text and nothing is coerced, so the numbers are patterns.
const Limit = Type.Optional(
  Type.String({ pattern: '^[1-9][0-9]{0,3}$', description: `1 to ${PAGE_MOST}, ${PAGE_DEFAULT} without it` }),
);
const Cursor = Type.Optional(
  Type.String({ minLength: 1, maxLength: 100, description: '`next` of the page before' }),
);
const PageQuery = Type.Object({ limit: Limit, cursor: Cursor }, { additionalProperties: false });
const IdParams = Type.Object({ id: Type.String({ maxLength: 100 }) }, { additionalProperties: false });

function pageLimit(text: string | undefined): number {
  const limit = text === undefined ? PAGE_DEFAULT : Number(text);
  if (limit > PAGE_MOST) {
    const fault = { pointer: '/query/limit', detail: `must be at most ${PAGE_MOST}` };
    throw new DomainError('validation_failed', undefined, [fault]);
  }
  return limit;
}

/** Seconds after which the first poll is worth it, from the speed that the living workers measured. */
async function retryAfter(jobs: JobService, modelDigest: string, samples: number): Promise<number> {
  const workers = await jobs.livingWorkers().catch(() => []);
  const speed = workers
    .flatMap((worker) => worker.devices.flatMap((device) => device.models))
    .filter((model) => model.digest === modelDigest)
    .reduce((sum, model) => sum + model.samplesPerSecond, 0);
  return speed === 0 ? 5 : Math.min(60, Math.max(1, Math.ceil(samples / speed)));
}

/** The routes of one kind of job: submit, list, show, results, cancel. */
export const jobRoutes: FastifyPluginAsyncTypebox<JobRoutesOptions> = async (app, options) => {
  const { kind, jobs, models, maxInputs, requests, resource, result } = options;
  const path = collectionPath(kind);
  const tags = [`${kind}s`];
  const readMultipart = createMultipartReader(requests[kind].part, maxInputs);
  const page = (item: TSchema) =>
    Type.Object({ data: Type.Array(item), next: Nullable(Type.String()) }, { additionalProperties: false });

  app.post(
    path,
    {
      schema: {
        tags,
        summary: `Submit a ${kind}`,
        description:
          'JSON, or multipart/form-data with a JSON part `request` (model, parameters, labels by file name) and files `image`.',
        body: { content: { 'application/json': { schema: requests[kind].json } } },
        response: { 202: resource, ...problems(400, 413, 415, 422, 503) },
      },
      config: { multipartRequest: requests[kind].part },
    },
    async (request, reply) => {
      const body = request.body as JobBody;
      const raw = request.isMultipart()
        ? await readMultipart(request)
        : { ...body, inputs: inputsFromJson(body.inputs) };
      const submission = await toSubmission(kind, raw, models);
      const record = await jobs.submit(submission);
      const seconds = await retryAfter(jobs, record.request.model.digest, record.samplesPlanned);
      return reply
        .code(202)
        .header('Location', `${path}/${record.id}`)
        .header('Retry-After', String(seconds))
        .send(presentJob(record, Date.now()));
    },
  );

  app.get(
    path,
    {
      schema: {
        tags,
        summary: `List ${kind}s, newest first`,
        querystring: PageQuery,
        response: { 200: page(resource), ...problems(422, 503) },
      },
    },
    async (request, reply) => {
      const { limit, cursor } = request.query;
      const { jobs: records, next } = await jobs.list(kind, pageLimit(limit), cursor ?? null);
      if (next !== null)
        void reply.header('Link', `<${path}?limit=${pageLimit(limit)}&cursor=${next}>; rel="next"`);
      return { data: records.map((record) => presentJob(record, Date.now())), next };
    },
  );

  app.get(
    `${path}/:id`,
    {
      schema: {
        tags,
        summary: `Show a ${kind}`,
        params: IdParams,
        response: { 200: resource, ...problems(404, 503) },
      },
    },
    async (request, reply) => {
      const record = await jobs.get(kind, request.params.id);
      const shown = presentJob(record, Date.now());
      if (shown.progress.secondsLeft !== 0) {
        void reply.header('Retry-After', String(Math.min(60, Math.max(1, shown.progress.secondsLeft ?? 1))));
      }
      return shown;
    },
  );

  app.get(
    `${path}/:id/results`,
    {
      schema: {
        tags,
        summary: `Results of a ${kind}, one for each input, in order`,
        params: IdParams,
        querystring: PageQuery,
        response: { 200: page(result), ...problems(404, 410, 422, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const limit = pageLimit(request.query.limit);
      const first = resultCursor(request.query.cursor);
      const record = await jobs.get(kind, id);
      const results = await jobs.results(kind, id, first, limit);
      const model = models.find(record.request.model.name);
      const manifest = model?.digest === record.request.model.digest ? model.manifest : null;
      const after = first + limit;
      const next = after < record.request.inputs.length ? String(after) : null;
      if (next !== null)
        void reply.header('Link', `<${path}/${id}/results?limit=${limit}&cursor=${next}>; rel="next"`);
      const data = results.map((each, offset) => presentResult(record, first + offset, each, manifest));
      return { data, next };
    },
  );

  app.post(
    `${path}/:id/cancel`,
    {
      schema: {
        tags,
        summary: `Cancel a ${kind}`,
        description: 'What is decided by then stays valid and is kept.',
        params: IdParams,
        response: { 202: resource, ...problems(404, 409, 503) },
      },
    },
    async (request, reply) => {
      const record = await jobs.cancel(kind, request.params.id);
      return reply.code(202).send(presentJob(record, Date.now()));
    },
  );
};

/** The cursor of results is the index of the first one, so that a poller may also start anywhere. */
function resultCursor(cursor: string | undefined): number {
  if (cursor === undefined) return 0;
  if (/^\d{1,9}$/.test(cursor)) return Number(cursor);
  const fault = { pointer: '/query/cursor', detail: 'must be the `next` of a page of these results' };
  throw new DomainError('validation_failed', undefined, [fault]);
}
