import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { DomainError, type Fault } from '../../errors.ts';
import { radiusReport, sampleSizeReport } from '../../smoothing/calculators.ts';
import { PARAMETER_LIMITS } from '../../smoothing/parameters.ts';
import { Nullable, problems } from '../schemas/common.ts';

const { alpha, n } = PARAMETER_LIMITS;
const Alpha = Type.Number({ minimum: alpha.minimum, maximum: alpha.maximum });
// The calculators know nothing of a noise scheme, so sigma is not bound to its tables.
const Sigma = Type.Number({ minimum: 1e-6, maximum: 1e6 });
const N = Type.Integer({ minimum: n.minimum, maximum: n.maximum });
const Count = Type.Integer({ minimum: 0, maximum: n.maximum });

/** Pure calculators: what votes certify, and how many samples a radius takes. */
export const calculatorRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '/v1/radius',
    {
      schema: {
        tags: ['calculators'],
        summary: 'The radius that counted votes certify',
        body: Type.Object(
          { topCount: Count, n: N, alpha: Alpha, sigma: Sigma, runnerUpCount: Type.Optional(Count) },
          { additionalProperties: false },
        ),
        response: {
          200: Type.Object(
            {
              outcome: Type.Enum(['certified', 'abstained'] as const),
              pALowerBound: Type.Number(),
              pBUpperBound: Nullable(Type.Number()),
              certifiedRadius: Nullable(Type.Number()),
              radiusCeiling: Type.Number(),
              smallestCertifyingCount: Nullable(Type.Integer()),
            },
            { additionalProperties: false },
          ),
          ...problems(400, 413, 415, 422),
        },
      },
    },
    async ({ body }) => {
      const faults: Fault[] = [];
      if (body.topCount > body.n)
        faults.push({ pointer: '/topCount', detail: `must be at most n = ${body.n}` });
      if (body.topCount + (body.runnerUpCount ?? 0) > body.n) {
        faults.push({
          pointer: '/runnerUpCount',
          detail: `must leave room: with topCount at most n = ${body.n}`,
        });
      }
      if (faults.length > 0) throw new DomainError('validation_failed', undefined, faults);
      return radiusReport(body);
    },
  );

  app.post(
    '/v1/sample-size',
    {
      schema: {
        tags: ['calculators'],
        summary: 'The samples that a radius takes',
        body: Type.Object(
          {
            radius: Type.Number({ minimum: 0, maximum: 1e9 }),
            alpha: Alpha,
            sigma: Sigma,
            expectedPA: Type.Optional(Type.Number({ exclusiveMinimum: 0.5, maximum: 1 })),
            n: Type.Optional(N),
          },
          { additionalProperties: false },
        ),
        response: {
          200: Type.Object(
            {
              unanimous: Nullable(Type.Integer()),
              expected: Nullable(Type.Integer()),
              smallestCount: Nullable(Type.Integer()),
            },
            { additionalProperties: false },
          ),
          ...problems(400, 413, 415, 422),
        },
      },
    },
    async ({ body }) => sampleSizeReport(body),
  );
};
