import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { DomainError, type Fault } from '../../errors.ts';
import {
  CALCULATOR_LIMITS,
  POWER_DEFAULT,
  radiusReport,
  sampleSizeReport,
} from '../../smoothing/calculators.ts';
import { Bound, CertificateOutcome, Nullable } from '../../contract/building-blocks.ts';
import { problems } from '../responses.ts';

const { alpha, n, sigma, radius, power } = CALCULATOR_LIMITS;
const Alpha = Type.Number({
  minimum: alpha.minimum,
  maximum: alpha.maximum,
  description: 'failure probability',
});
const Sigma = Type.Number({ minimum: sigma.minimum, maximum: sigma.maximum, description: 'noise s.d.' });
const N = Type.Integer({ minimum: n.minimum, maximum: n.maximum, description: 'estimation samples' });
const Count = (description: string) => Type.Integer({ minimum: 0, maximum: n.maximum, description });

/** Pure calculators: what votes certify, and how many samples a radius takes. */
export const calculatorRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.post(
    '/v1/radius',
    {
      schema: {
        tags: ['calculators'],
        operationId: 'computeRadius',
        summary: 'The radius that counted votes certify',
        body: Type.Object(
          {
            topCount: Count('votes for the selected class'),
            n: N,
            alpha: Alpha,
            sigma: Sigma,
            runnerUpCount: Type.Optional(
              Count('votes of the largest other class: asks for the two-sided form, alpha split in two'),
            ),
          },
          {
            additionalProperties: false,
            title: 'RadiusRequest',
            examples: [{ topCount: 7312, n: 10_000, alpha: 0.001, sigma: 0.5 }],
          },
        ),
        response: {
          200: Type.Object(
            {
              outcome: CertificateOutcome,
              pALowerBound: Type.Number({ description: 'one-sided Clopper-Pearson bound' }),
              pBUpperBound: Nullable(Type.Number({ description: 'with runnerUpCount only' })),
              certifiedRadius: Nullable(Type.Number({ description: 'rounded down; null in an abstention' })),
              radiusCeiling: Type.Number({ description: 'the radius of unanimous votes' }),
              smallestCertifyingCount: Nullable(
                Type.Integer({ description: 'least topCount that certifies anything; null if none does' }),
              ),
            },
            {
              additionalProperties: false,
              title: 'Radius',
              description: 'What the votes certify, and what could be reached.',
            },
          ),
          ...problems(400, 413, 415, 422),
        },
      },
    },
    async ({ body }) => {
      const faults: Fault[] = [];
      const { topCount, n, runnerUpCount = 0 } = body;
      if (topCount > n) faults.push({ pointer: '/topCount', detail: `must be at most n = ${n}` });
      else if (topCount + runnerUpCount > n) {
        faults.push({
          pointer: '/runnerUpCount',
          detail: `must be at most ${n - topCount}: n = ${n} less topCount = ${topCount}`,
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
        operationId: 'computeSampleSize',
        summary: 'The samples that a radius takes',
        description:
          'Once the class has been selected. With `bound` pA-pB (pA without it) the answers hold whatever the other classes get.',
        body: Type.Object(
          {
            radius: Type.Number({
              minimum: radius.minimum,
              maximum: radius.maximum,
              description: 'in the units of sigma',
            }),
            alpha: Alpha,
            sigma: Sigma,
            expectedPA: Type.Optional(
              Type.Number({
                exclusiveMinimum: 0.5,
                maximum: 1,
                description: 'probability with which a sample is expected to vote for the class',
              }),
            ),
            power: Type.Optional(
              Type.Number({
                minimum: power.minimum,
                maximum: power.maximum,
                description: `probability with which the radius is to be reached, if expectedPA is right; ${POWER_DEFAULT} without it`,
              }),
            ),
            bound: Type.Optional(Bound),
            n: Type.Optional(N),
          },
          {
            additionalProperties: false,
            title: 'SampleSizeRequest',
            examples: [{ radius: 0.5, alpha: 0.001, sigma: 0.5, expectedPA: 0.95 }],
          },
        ),
        response: {
          200: Type.Object(
            {
              unanimous: Nullable(
                Type.Integer({ description: 'least n with which unanimous votes certify the radius' }),
              ),
              planned: Nullable(
                Type.Integer({
                  description:
                    'least n from which on every n certifies the radius with probability power, given expectedPA',
                }),
              ),
              smallestCount: Nullable(
                Type.Integer({ description: 'least topCount of the n given that does; null if none does' }),
              ),
            },
            {
              additionalProperties: false,
              title: 'SampleSize',
              description: 'Null where no number within the limits is enough, or the question was not asked.',
            },
          ),
          ...problems(400, 413, 415, 422),
        },
      },
    },
    async ({ body }) => sampleSizeReport(body),
  );
};
