import { Type } from 'typebox';
import { ERROR_CODES } from '../errors.ts';
import { Bound, Nullable, OneOf, Sha256, Timestamp } from './building-blocks.ts';
import { EngineSchema } from './engine.ts';
import { STORED_STATUSES } from './status.ts';

const closed = { additionalProperties: false } as const;

export const FailureSchema = Type.Object(
  {
    code: OneOf([...ERROR_CODES], {
      title: 'ErrorCode',
      description: '/problems/ and the code says whose fault it is and what to do',
    }),
    detail: Type.String({ description: 'what went wrong, as a sentence' }),
  },
  { ...closed, title: 'Failure', description: 'why a job or an input failed' },
);

const status = OneOf([...STORED_STATUSES, 'expired'], {
  title: 'JobStatus',
  description:
    'queued, running, cancelling; then for good succeeded, partially_succeeded (some inputs failed), failed, cancelled, expired',
});

const progress = Type.Object(
  {
    inputsDecided: Type.Integer({ description: 'inputs with an outcome' }),
    inputsFailed: Type.Integer({ description: 'inputs that could not be decided; each says why' }),
    inputsTotal: Type.Integer(),
    samplesDrawn: Type.Integer({ description: 'noisy samples counted so far' }),
    samplesPlanned: Type.Integer(),
    samplesPerSecond: Nullable(
      Type.Number({ description: 'mean since the start; null before the first and while the job waits' }),
    ),
    secondsLeft: Nullable(Type.Number({ description: 'estimate; 0 after the end, null while unknown' })),
  },
  { ...closed, title: 'Progress' },
);

const noise = Type.Object(
  { scheme: Type.String(), version: Type.Integer() },
  { ...closed, title: 'NoiseScheme', description: 'how the noise is drawn from a seed' },
);
const common = {
  id: Type.String({ description: 'unique for ever' }),
  status,
  createdAt: Timestamp,
  startedAt: Nullable(Timestamp),
  finishedAt: Nullable(Timestamp),
  expiresAt: Nullable(Type.String({ format: 'date-time', description: 'when the results are deleted' })),
  model: Type.Object(
    { name: Type.String(), version: Type.String(), digest: Sha256 },
    { ...closed, title: 'JobModel', description: 'the model as it was when the request was accepted' },
  ),
  reproduction: Nullable(
    Type.Object(
      { firstIndex: Type.Integer({ description: 'the request’s reproductionIndex' }) },
      {
        ...closed,
        title: 'JobReproduction',
        description: 'not null where the seed is the client’s: the results claim nothing and count nowhere',
      },
    ),
  ),
  engine: Nullable(EngineSchema),
  waitingFor: Nullable(
    Type.String({
      description:
        'what must be there before the job can go on, such as an engine that no worker has; null if nothing is missing',
    }),
  ),
  progress,
  error: Nullable(FailureSchema),
  links: Type.Object(
    { self: Type.String(), results: Type.String() },
    { ...closed, title: 'JobLinks', description: 'paths of related resources' },
  ),
};
const reproduced = 'drawn again with the request’s reproductionSeed: all that are decided, or none';
const inputs = (what: string) => Type.Integer({ description: `inputs ${what}` });
const correct = Nullable(
  Type.Integer({
    description: 'inputs whose class is their label; null where no input has a label, and in a reproduction',
  }),
);

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
        bound: Bound,
        noise,
      },
      {
        ...closed,
        title: 'AppliedCertificationParameters',
        description: 'the parameters in force, defaults filled in',
      },
    ),
    summary: Type.Object(
      {
        certified: inputs('with a radius'),
        abstained: inputs('whose votes allow no claim'),
        reproduced: inputs(reproduced),
        failed: inputs('that could not be decided'),
        correct,
      },
      { ...closed, title: 'CertificationSummary' },
    ),
  },
  { ...closed, title: 'Certification' },
);

export const PredictionSchema = Type.Object(
  {
    ...common,
    object: Type.Literal('prediction'),
    parameters: Type.Object(
      { sigma: Type.Number(), n: Type.Integer(), alpha: Type.Number(), noise },
      {
        ...closed,
        title: 'AppliedPredictionParameters',
        description: 'the parameters in force, defaults filled in',
      },
    ),
    summary: Type.Object(
      {
        predicted: inputs('with a class'),
        abstained: inputs('whose votes allow no claim'),
        reproduced: inputs(reproduced),
        failed: inputs('that could not be decided'),
        correct,
      },
      { ...closed, title: 'PredictionSummary' },
    ),
  },
  { ...closed, title: 'Prediction' },
);
