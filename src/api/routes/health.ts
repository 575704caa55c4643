import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { JobService } from '../../jobs/job-service.ts';
import { presentDevices } from '../present-devices.ts';
import { OneOf } from '../../contract/building-blocks.ts';
import { isInService } from '../../contract/status.ts';
import { answer } from '../responses.ts';

const Check = Type.Object(
  { ok: Type.Boolean(), detail: Type.String() },
  { additionalProperties: false, title: 'Check' },
);
const Readiness = Type.Object(
  {
    status: OneOf(['ready', 'not ready'], { title: 'ReadinessStatus' }),
    checks: Type.Object(
      { redis: Check, worker: Check, devices: Check, models: Check },
      { additionalProperties: false, title: 'Checks' },
    ),
  },
  { additionalProperties: false, title: 'Readiness' },
);

/** Liveness (the process answers) and readiness (a job submitted now would be worked on). */
export const healthRoutes: FastifyPluginAsyncTypebox<{ jobs: JobService }> = async (app, { jobs }) => {
  app.get(
    '/health/live',
    {
      schema: {
        tags: ['operations'],
        operationId: 'getLiveness',
        summary: 'Whether the process answers',
        response: {
          200: Type.Object(
            { status: Type.Literal('live') },
            { additionalProperties: false, title: 'Liveness', description: 'It does.' },
          ),
        },
      },
    },
    async () => ({ status: 'live' as const }),
  );

  app.get(
    '/health/ready',
    {
      schema: {
        tags: ['operations'],
        operationId: 'getReadiness',
        summary:
          'Whether Redis answers, a worker was seen in the last 15 s, and a device of it is in service with a model',
        response: {
          200: answer('A job submitted now would be worked on.', Readiness),
          503: answer('Something is missing; `checks` says what.', Readiness),
        },
      },
    },
    async (_request, reply) => {
      const trouble = await jobs.ping().then(
        () => null,
        (error: Error) => error.message,
      );
      const redis = trouble === null;
      const workers = redis ? await jobs.livingWorkers().catch(() => []) : [];
      const devices = workers.flatMap(presentDevices);
      const inService = devices.filter(({ state }) => isInService(state));
      const names = devices
        .flatMap(({ hosts }) => hosts)
        .filter(({ state }) => isInService(state))
        .flatMap(({ models }) => models.map(({ name }) => name));
      const loaded = [...new Set(names)];
      const refused = workers
        .flatMap((worker) => worker.devices.flatMap(({ hosts }) => hosts.flatMap((host) => host.refused)))
        .filter(({ name }) => !loaded.includes(name));
      const reasons = new Map(refused.map(({ name, detail }) => [name, `${name} is refused: ${detail}`]));
      // A host that is not ready is named even where its device serves with another engine.
      const troubles = devices.flatMap(({ name, worker, hosts }) =>
        hosts
          .filter(({ state }) => state !== 'ready')
          .map(
            ({ engine, state, reason }) =>
              `${engine} on ${name} of ${worker.hostname} is ${state}: ${reason}`,
          ),
      );
      const checks = {
        redis: { ok: redis, detail: trouble ?? 'answers' },
        worker: { ok: workers.length > 0, detail: `${workers.length} seen in the last 15 s` },
        devices: {
          ok: inService.length > 0,
          detail: [`${inService.length} of ${devices.length} in service`, ...troubles].join('; '),
        },
        models: {
          ok: loaded.length > 0,
          detail: [
            loaded.length > 0 ? `loaded: ${loaded.join(', ')}` : 'none loaded',
            ...reasons.values(),
          ].join('; '),
        },
      };
      const ready = Object.values(checks).every(({ ok }) => ok);
      return reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : 'not ready', checks });
    },
  );
};
