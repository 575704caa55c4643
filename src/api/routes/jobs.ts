import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { type Kind, KINDS } from '../../contract/kinds.ts';
import { type JobBody, requestSchemas } from '../../contract/request.ts';
import type { ModelStore } from '../../models/store.ts';
import type { JobService } from '../../jobs/job-service.ts';
import { requireAvailable } from '../../jobs/model-availability.ts';
import { readIdempotencyKey } from '../idempotency-key.ts';
import { createMultipartReader, type MultipartLimits } from '../multipart.ts';
import { presentJob } from '../presenter.ts';
import { Link, page, PAGE_DEFAULT, PageQuery } from '../page.ts';
import { answer, problems } from '../responses.ts';
import { inputsFromJson, type RawSubmission, toSubmission } from '../submission.ts';

export interface JobRoutesOptions {
  readonly kind: Kind;
  readonly jobs: JobService;
  readonly models: ModelStore;
  readonly limits: MultipartLimits;
}

const IdParams = Type.Object({ id: Type.String() }, { additionalProperties: false });

const IdempotencyKey = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({
      description:
        'Names this request for 24 hours (a new UUID; RFC 8941 string or bare token, 1 to 255 bytes): sent again with the same key, the same request is answered with the job that it has created, as it stands then, and creates no other. What is the same is the content: model, parameters, inputs, ids, labels.',
      examples: ['8e03978e-40d5-43e8-bc93-6894a57f9324'],
    }),
  ),
});
const Replayed = Type.String({
  description:
    '`true` where an earlier request with the same Idempotency-Key has created the job; else left out',
});
const RetryAfter = Type.Integer({ minimum: 1, description: 'seconds after which the next look is worth it' });
/** Where nobody could say how long a job takes, for nobody is there that could draw for it. */
const UNKNOWN_SECONDS = 5;

/** When the next look is worth it: at the expected end, but for long jobs, which somebody watches. */
const retryAfter = (seconds: number): string => String(Math.min(60, Math.max(1, Math.ceil(seconds))));

const rawFromJson = (body: JobBody): RawSubmission => ({
  ...body,
  inputs: inputsFromJson(body.inputs),
  pointer: '',
});

/** The routes of one kind of job: submit, list, show, cancel. */
export const jobRoutes: FastifyPluginAsyncTypebox<JobRoutesOptions> = async (app, options) => {
  const { kind, jobs, models, limits } = options;
  const { path, title: name, job: resource } = KINDS[kind];
  const body = requestSchemas(kind, limits.maxInputs);
  const tags = [`${kind}s`];
  const readMultipart = createMultipartReader(body.part, limits);
  const Newer = Type.Optional(
    Type.Array(Type.String(), {
      description:
        'ids of jobs of the page that a newer release of the server stored: only that one can show them; left out where there are none',
    }),
  );

  app.post(
    path,
    {
      schema: {
        tags,
        operationId: `create${name}`,
        summary: `Submit a ${kind}`,
        description:
          'JSON, or multipart/form-data with a JSON part `request` (model, parameters, labels by file name) and files `image`.',
        headers: IdempotencyKey,
        body: { content: { 'application/json': { schema: body.json } } },
        response: {
          202: answer('Stored and queued; it will be worked on whatever happens next.', resource, {
            Location: Type.String({ description: 'path of the job' }),
            'Retry-After': RetryAfter,
            'Idempotency-Replayed': Replayed,
          }),
          ...problems(400, 409, 413, 415, 422, 503),
        },
      },
      config: { multipartRequest: body.part },
    },
    async (request, reply) => {
      const key = readIdempotencyKey(request.headers['idempotency-key']);
      const raw = request.isMultipart() ? await readMultipart(request) : rawFromJson(request.body as JobBody);
      const submission = await toSubmission(kind, raw, models);
      const { job: record, replayed } = await jobs.submit(submission, key, async () =>
        requireAvailable(await jobs.livingWorkers(), submission.model, `${raw.pointer}/model`),
      );
      if (replayed) void reply.header('Idempotency-Replayed', 'true');
      const seconds = (await jobs.expectedSeconds(record)) ?? UNKNOWN_SECONDS;
      return reply
        .code(202)
        .header('Location', `${path}/${record.id}`)
        .header('Retry-After', retryAfter(seconds))
        .send(presentJob(record, Date.now()));
    },
  );

  app.get(
    path,
    {
      schema: {
        tags,
        operationId: `list${name}s`,
        summary: `List ${kind}s, newest first`,
        querystring: PageQuery,
        response: {
          200: answer(`One page of ${kind}s.`, page(resource, `${name}Page`, { newer: Newer }), { Link }),
          ...problems(422, 503),
        },
      },
    },
    async (request, reply) => {
      const { limit = PAGE_DEFAULT, cursor } = request.query;
      const { jobs: records, newer, next } = await jobs.list(kind, limit, cursor ?? null);
      if (next !== null) void reply.header('Link', `<${path}?limit=${limit}&cursor=${next}>; rel="next"`);
      const data = records.map((record) => presentJob(record, Date.now()));
      return { data, next, ...(newer.length === 0 ? {} : { newer: [...newer] }) };
    },
  );

  app.get(
    `${path}/:id`,
    {
      schema: {
        tags,
        operationId: `get${name}`,
        summary: `Show a ${kind}`,
        params: IdParams,
        response: {
          200: answer(`The ${kind} as it stands.`, resource, { 'Retry-After': RetryAfter }),
          ...problems(404, 503),
        },
      },
    },
    async (request, reply) => {
      const record = await jobs.get(kind, request.params.id);
      const shown = presentJob(record, Date.now());
      if (shown.progress.secondsLeft !== 0) {
        void reply.header('Retry-After', retryAfter(shown.progress.secondsLeft ?? 1));
      }
      return shown;
    },
  );

  app.post(
    `${path}/:id/cancel`,
    {
      schema: {
        tags,
        operationId: `cancel${name}`,
        summary: `Cancel a ${kind}`,
        description: 'What is decided by then stays valid and is kept.',
        params: IdParams,
        response: {
          202: answer('Cancelled: no more is drawn for it.', resource),
          ...problems(404, 409, 503),
        },
      },
    },
    async (request, reply) => {
      const record = await jobs.cancel(kind, request.params.id);
      return reply.code(202).send(presentJob(record, Date.now()));
    },
  );
};
