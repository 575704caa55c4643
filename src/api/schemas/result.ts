import { type Static, Type } from 'typebox';
import { Nullable, Sha256 } from './common.ts';
import { FailureSchema } from './job.ts';

const votes = Type.Record(Type.String(), Type.Integer(), {
  description: 'votes by class; classes without any are left out',
});

const provenance = {
  model: Type.Object(
    {
      name: Type.String(),
      version: Type.String(),
      digest: Sha256,
      files: Type.Array(
        Type.Object({ path: Type.String(), sha256: Sha256 }, { additionalProperties: false }),
      ),
    },
    { additionalProperties: false },
  ),
  input: Type.Object(
    {
      digest: Type.String({
        description: 'SHA-256 of the exact uint8 tensor, bytes in the order of `layout`',
      }),
      shape: Type.Array(Type.Integer()),
      layout: Type.String(),
      index: Type.Integer({ description: 'index of the input in its job; part of its noise' }),
    },
    { additionalProperties: false },
  ),
  noise: Type.Object(
    {
      scheme: Type.String(),
      version: Type.Integer(),
      totalVariation: Type.Number({
        description: 'bound between the drawn and the exact noise, taken off pA',
      }),
      seed: Type.String(),
      seedSource: Type.Enum(['server', 'client'] as const, {
        description: 'client marks a reproduction: its seed was known before the request was fixed',
      }),
    },
    { additionalProperties: false },
  ),
  engine: Type.Object(
    { name: Type.String(), version: Type.String(), provider: Type.String() },
    { additionalProperties: false },
  ),
  devices: Type.Array(
    Type.Object({ name: Type.String(), batchSize: Type.Integer() }, { additionalProperties: false }),
  ),
  software: Type.Object({ name: Type.String(), version: Type.String() }, { additionalProperties: false }),
};

export const CertificateSchema = Type.Object(
  {
    format: Type.Literal('smoothcert/certificate/1'),
    procedure: Type.Literal('certify'),
    sigma: Type.Number(),
    n0: Type.Integer(),
    n: Type.Integer(),
    alpha: Type.Number(),
    bound: Type.Enum(['pA', 'pA-pB'] as const),
    clip: Type.Literal(false),
    outcome: Type.Enum(['certified', 'abstained'] as const),
    selectedClass: Type.Integer(),
    selectionVotes: votes,
    estimationVotes: votes,
    pALowerBound: Type.Number(),
    pBUpperBound: Nullable(Type.Number()),
    certifiedRadius: Nullable(Type.Number()),
    ...provenance,
  },
  {
    additionalProperties: false,
    description: 'all that is needed to check the claim or to draw its votes again',
  },
);

const common = {
  inputId: Type.String(),
  index: Type.Integer(),
  status: Type.Enum(['pending', 'decided', 'failed', 'cancelled'] as const, {
    description: 'cancelled: the job ended before this input was decided',
  }),
  prediction: Nullable(
    Type.Object({ class: Type.Integer(), label: Type.String() }, { additionalProperties: false }),
  ),
  topCount: Nullable(Type.Integer()),
  votes: Nullable(votes),
  reference: Nullable(
    Type.Object(
      { label: Type.Integer(), correct: Nullable(Type.Boolean()) },
      { additionalProperties: false, description: "the client's label; an abstention is not correct" },
    ),
  ),
  warnings: Type.Array(Type.String()),
  error: Nullable(FailureSchema),
};

export const CertificationResultSchema = Type.Object(
  {
    ...common,
    outcome: Nullable(Type.Enum(['certified', 'abstained'] as const)),
    certifiedRadius: Nullable(
      Type.Number({ description: 'L2, pixel units of the [0,1] image, open ball, rounded down' }),
    ),
    pALowerBound: Nullable(Type.Number()),
    certificate: Nullable(CertificateSchema),
  },
  { additionalProperties: false },
);

export const PredictionResultSchema = Type.Object(
  {
    ...common,
    outcome: Nullable(Type.Enum(['predicted', 'abstained'] as const)),
    pValue: Nullable(Type.Number({ description: 'exact two-sided binomial test of the top two counts' })),
    provenance: Nullable(Type.Object(provenance, { additionalProperties: false })),
  },
  { additionalProperties: false },
);

export type ResultResource = Static<typeof CertificationResultSchema> | Static<typeof PredictionResultSchema>;
