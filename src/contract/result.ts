import { Type } from 'typebox';
import {
  Bound,
  CertificateOutcome,
  FAILURE_PROBABILITY,
  Nullable,
  OneOf,
  Sha256,
} from './building-blocks.ts';
import { EngineSchema } from './engine.ts';
import { FailureSchema } from './job.ts';

const closed = { additionalProperties: false } as const;

/** Votes by class, as they are stored and shown. */
export const VotesSchema = Type.Record(Type.String(), Type.Integer(), {
  title: 'Votes',
  description: 'votes by class; classes without any are left out',
});

/** @param seedSource who chose the seed: the client does in a reproduction only */
const provenance = <Source extends 'server' | 'client'>(seedSource: Source) => ({
  model: Type.Object(
    {
      name: Type.String(),
      version: Type.String(),
      digest: Sha256,
      files: Type.Array(
        Type.Object({ path: Type.String(), sha256: Sha256 }, { ...closed, title: 'ModelFile' }),
      ),
      input: Type.Optional(Type.String({ description: 'name of the input, where the manifest says it' })),
      output: Type.Optional(
        Type.String({
          description: 'name of the output that is certified, where the manifest says it: of several',
        }),
      ),
      signature: Type.Optional(
        Type.String({ description: 'of a SavedModel, where the manifest says it; else serving_default' }),
      ),
    },
    { ...closed, title: 'CertifiedModel' },
  ),
  input: Type.Object(
    {
      digest: Type.String({
        description: 'SHA-256 of the exact uint8 tensor, bytes in the order of `layout`',
      }),
      shape: Type.Array(Type.Integer()),
      layout: Type.String(),
      index: Type.Integer({
        description: 'index of the input in its job, or in the job that is repeated; part of its noise',
      }),
    },
    { ...closed, title: 'CertifiedInput' },
  ),
  noise: Type.Object(
    {
      scheme: Type.String(),
      version: Type.Integer(),
      totalVariation: Type.Number({
        description: 'bound between the drawn and the exact noise, taken off pA',
      }),
      seed: Type.String(),
      seedSource: OneOf([seedSource], {
        description: 'client in a reproduction only: its seed was known before the request was fixed',
      }),
    },
    { ...closed, title: seedSource === 'server' ? 'Noise' : 'ReproducedNoise' },
  ),
  engine: EngineSchema,
  devices: Type.Array(
    Type.Object(
      {
        name: Type.String(),
        batchSize: Type.Integer(),
        samples: Type.Integer({ description: "how many of the input's samples it drew" }),
      },
      { ...closed, title: 'DeviceShare' },
    ),
    { description: 'what drew the samples' },
  ),
  software: Type.Object({ name: Type.String(), version: Type.String() }, { ...closed, title: 'Software' }),
});

export const CertificateSchema = Type.Object(
  {
    format: Type.Literal('smoothcert/certificate/1'),
    procedure: Type.Literal('certify'),
    sigma: Type.Number(),
    n0: Type.Integer(),
    n: Type.Integer(),
    alpha: Type.Number({ description: FAILURE_PROBABILITY }),
    bound: Bound,
    clip: Type.Literal(false),
    outcome: CertificateOutcome,
    selectedClass: Type.Integer({ description: 'top class of the n0 selection samples' }),
    selectionVotes: VotesSchema,
    estimationVotes: VotesSchema,
    pALowerBound: Type.Number({
      description: 'one-sided Clopper-Pearson bound from the n estimation samples, less the total variation',
    }),
    pBUpperBound: Nullable(Type.Number({ description: 'in the form pA-pB only' })),
    certifiedRadius: Nullable(Type.Number({ description: 'null in an abstention' })),
    ...provenance('server'),
  },
  {
    ...closed,
    title: 'Certificate',
    description: 'all that is needed to check the claim or to draw its votes again',
  },
);

const reproduction =
  'votes drawn again with a seed that the client gave, to compare with those of an earlier';
const implied = { ...closed, description: 'what these votes would say, had the server drawn the seed' };

export const CertificationReproductionSchema = Type.Object(
  {
    format: Type.Literal('smoothcert/reproduction/1'),
    procedure: Type.Literal('certify'),
    sigma: Type.Number(),
    n0: Type.Integer(),
    n: Type.Integer(),
    alpha: Type.Number(),
    bound: Bound,
    clip: Type.Literal(false),
    selectedClass: Type.Integer(),
    selectionVotes: VotesSchema,
    estimationVotes: VotesSchema,
    implied: Type.Object(
      {
        verdict: CertificateOutcome,
        pALowerBound: Type.Number(),
        pBUpperBound: Nullable(Type.Number()),
        radius: Nullable(Type.Number()),
      },
      { ...implied, title: 'ImpliedCertificate' },
    ),
    ...provenance('client'),
  },
  {
    ...closed,
    title: 'CertificationReproduction',
    description: `${reproduction} certificate; no certificate itself`,
  },
);

export const PredictionReproductionSchema = Type.Object(
  {
    format: Type.Literal('smoothcert/reproduction/1'),
    procedure: Type.Literal('predict'),
    sigma: Type.Number(),
    n: Type.Integer(),
    alpha: Type.Number(),
    topClass: Type.Integer(),
    votes: VotesSchema,
    implied: Type.Object(
      {
        verdict: OneOf(['predicted', 'abstained'], { title: 'PredictionOutcome' }),
        pValue: Type.Number(),
      },
      { ...implied, title: 'ImpliedPrediction' },
    ),
    ...provenance('client'),
  },
  {
    ...closed,
    title: 'PredictionReproduction',
    description: `${reproduction} prediction; no prediction itself`,
  },
);

const common = {
  inputId: Type.String({ description: "the client's name for the input, or its index" }),
  index: Type.Integer(),
  status: OneOf(['pending', 'decided', 'failed', 'cancelled'], {
    title: 'ResultStatus',
    description:
      'failed: `error` says why, and is that of the job where it failed as a whole; cancelled: the job was cancelled before this input was decided',
  }),
  prediction: Nullable(
    Type.Object(
      { class: Type.Integer(), label: Type.String({ description: "the model's name for the class" }) },
      { ...closed, title: 'PredictedClass', description: 'null in an abstention and in a reproduction' },
    ),
  ),
  topCount: Nullable(Type.Integer({ description: 'votes for the selected class' })),
  votes: Nullable(VotesSchema),
  reference: Nullable(
    Type.Object(
      { label: Type.Integer(), correct: Nullable(Type.Boolean()) },
      {
        ...closed,
        title: 'Reference',
        description:
          "the client's label; an abstention is not correct, a reproduction neither that nor wrong",
      },
    ),
  ),
  warnings: Type.Array(Type.String()),
  error: Nullable(FailureSchema),
};

const outcome =
  'reproduced: with a seed that the client gave; claims nothing, so that all fields of a claim are null';

export const CertificationResultSchema = Type.Object(
  {
    ...common,
    outcome: Nullable(
      OneOf(['certified', 'abstained', 'reproduced'], {
        title: 'CertificationResultOutcome',
        description: outcome,
      }),
    ),
    certifiedRadius: Nullable(
      Type.Number({ description: 'L2, pixel units of the [0,1] image, open ball, rounded down' }),
    ),
    pALowerBound: Nullable(Type.Number({ description: 'lower bound of the probability of the class' })),
    certificate: Nullable(CertificateSchema),
    reproduction: Nullable(CertificationReproductionSchema),
  },
  { ...closed, title: 'CertificationResult' },
);

/** How to redraw a prediction. */
export const ProvenanceSchema = Type.Object(provenance('server'), {
  ...closed,
  title: 'Provenance',
  description: 'all that is needed to draw the votes again',
});

export const PredictionResultSchema = Type.Object(
  {
    ...common,
    outcome: Nullable(
      OneOf(['predicted', 'abstained', 'reproduced'], {
        title: 'PredictionResultOutcome',
        description: outcome,
      }),
    ),
    pValue: Nullable(
      Type.Number({
        description:
          'exact two-sided binomial test of the top two counts; of the top one against all others where more than one kind of device drew',
      }),
    ),
    provenance: Nullable(ProvenanceSchema),
    reproduction: Nullable(PredictionReproductionSchema),
  },
  { ...closed, title: 'PredictionResult' },
);
