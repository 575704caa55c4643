import { type Static, Type } from 'typebox';
import { ERRORS } from '../../errors.ts';
import { STORED_STATUSES } from '../../jobs/job-record.ts';
import { Nullable, Sha256, Timestamp } from './common.ts';

export const FailureSchema = Type.Object(
  { code: Type.Enum(Object.keys(ERRORS) as (keyof typeof ERRORS)[]), detail: Type.String() },
  { additionalProperties: false },
);

const status = Type.Enum([...STORED_STATUSES, 'expired'] as const, {
  description:
    'queued, running, cancelling; then for good succeeded, partially_succeeded (some inputs failed), failed, cancelled, expired',
});

const progress = Type.Object(
  {
    inputsDecided: Type.Integer(),
    inputsFailed: Type.Integer(),
    inputsTotal: Type.Integer(),
    samplesDrawn: Type.Integer(),
    samplesPlanned: Type.Integer(),
    samplesPerSecond: Nullable(Type.Number()),
    secondsLeft: Nullable(Type.Number()),
  },
  { additionalProperties: false },
);

const noise = Type.Object(
  { scheme: Type.String(), version: Type.Integer() },
  { additionalProperties: false },
);
const common = {
  id: Type.String(),
  status,
  createdAt: Timestamp,
  startedAt: Nullable(Timestamp),
  finishedAt: Nullable(Timestamp),
  expiresAt: Nullable(Timestamp),
  model: Type.Object(
    { name: Type.String(), version: Type.String(), digest: Sha256 },
    { additionalProperties: false },
  ),
  progress,
  error: Nullable(FailureSchema),
  links: Type.Object({ self: Type.String(), results: Type.String() }, { additionalProperties: false }),
};
const correct = Nullable(Type.Integer({ description: 'null where no input has a label' }));

export const CertificationSchema = Type.Object(
  {
    ...common,
    object: Type.Literal('certification'),
    parameters: Type.Object(
      {
        sigma: Type.Number(),
        n0: Type.Integer(),
        n: Type.Integer(),
        alpha: Type.Number(),
        bound: Type.Enum(['pA', 'pA-pB'] as const),
        noise,
      },
      { additionalProperties: false },
    ),
    summary: Type.Object(
      { certified: Type.Integer(), abstained: Type.Integer(), failed: Type.Integer(), correct },
      { additionalProperties: false },
    ),
  },
  { additionalProperties: false },
);

export const PredictionSchema = Type.Object(
  {
    ...common,
    object: Type.Literal('prediction'),
    parameters: Type.Object(
      { sigma: Type.Number(), n: Type.Integer(), alpha: Type.Number(), noise },
      { additionalProperties: false },
    ),
    summary: Type.Object(
      { predicted: Type.Integer(), abstained: Type.Integer(), failed: Type.Integer(), correct },
      { additionalProperties: false },
    ),
  },
  { additionalProperties: false },
);

export type JobResource = Static<typeof CertificationSchema> | Static<typeof PredictionSchema>;
