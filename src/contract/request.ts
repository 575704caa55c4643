import { type Static, type TSchema, Type } from 'typebox';
import { Bound, FAILURE_PROBABILITY } from './building-blocks.ts';
import { PARAMETER_LIMITS } from '../smoothing/parameters.ts';
import { CERTIFY_DEFAULTS } from '../smoothing/procedures/certify.ts';
import { PREDICT_DEFAULTS } from '../smoothing/procedures/predict.ts';

const { sigma, n0, n, alpha } = PARAMETER_LIMITS;

const Sigma = Type.Number({
  minimum: sigma.minimum,
  maximum: sigma.maximum,
  description: 'noise s.d. in pixel units of the [0,1] image',
});
// Defaults are told in words: generators take a property with a default for one that is always there.
const Alpha = (byDefault: number) =>
  Type.Optional(
    Type.Number({
      minimum: alpha.minimum,
      maximum: alpha.maximum,
      description: `${FAILURE_PROBABILITY}; ${byDefault} without it`,
    }),
  );
const Samples = (limits: typeof n | typeof n0, byDefault: number, description: string) =>
  Type.Optional(
    Type.Integer({
      minimum: limits.minimum,
      maximum: limits.maximum,
      description: `${description}; ${byDefault} without it`,
    }),
  );

export const CertifyParametersSchema = Type.Object(
  {
    sigma: Sigma,
    n0: Samples(n0, CERTIFY_DEFAULTS.n0, 'samples that select the class'),
    n: Samples(n, CERTIFY_DEFAULTS.n, 'samples that bound its probability; disjoint from the n0'),
    alpha: Alpha(CERTIFY_DEFAULTS.alpha),
    bound: Type.Optional(Bound),
  },
  { additionalProperties: false, title: 'CertificationParameters' },
);

export const PredictParametersSchema = Type.Object(
  {
    sigma: Sigma,
    n: Samples(n, PREDICT_DEFAULTS.n, 'samples that are counted'),
    alpha: Alpha(PREDICT_DEFAULTS.alpha),
  },
  { additionalProperties: false, title: 'PredictionParameters' },
);

/** Characters in an input's id; a file's name is one. */
export const ID_LENGTH = 200;

const InputId = Type.Optional(
  Type.String({
    minLength: 1,
    maxLength: ID_LENGTH,
    description: "the client's name for the input, unique in the request; its index without one",
  }),
);
const Label = Type.Optional(
  Type.Integer({ minimum: 0, description: 'class number that the client holds for true' }),
);

export const InputSchema = Type.Object(
  {
    id: InputId,
    image: Type.Optional(
      Type.String({
        minLength: 1,
        contentEncoding: 'base64',
        description: 'a PNG, JPEG or WebP file as base64',
      }),
    ),
    tensor: Type.Optional(
      Type.Object(
        {
          dtype: Type.Literal('uint8'),
          shape: Type.Array(Type.Integer({ minimum: 1 }), {
            minItems: 3,
            maxItems: 3,
            description: "the model's input shape without batch, e.g. [1, 28, 28]",
          }),
          data: Type.String({
            minLength: 1,
            contentEncoding: 'base64',
            description: 'the bytes in row-major order as base64',
          }),
        },
        { additionalProperties: false, title: 'Tensor', description: 'the exact tensor, pixels 0 to 255' },
      ),
    ),
    label: Label,
  },
  { additionalProperties: false, title: 'Input', description: 'exactly one of image and tensor' },
);
export type InputBody = Static<typeof InputSchema>;

const Model = Type.String({
  minLength: 1,
  maxLength: 100,
  description: 'name of a model from GET /v1/models',
});
const ReproductionSeed = Type.Optional(
  Type.String({
    pattern: '^[0-9a-f]{64}$',
    description:
      'seed of an earlier certificate or prediction, to draw its votes again; the results are `reproduced`: they claim nothing and count nowhere',
  }),
);
const ReproductionIndex = Type.Optional(
  Type.Integer({
    minimum: 0,
    maximum: 1_000_000_000,
    description:
      "with reproductionSeed, 0 without it: `input.index` of the earlier certificate of the first input; the others' follow it one by one",
  }),
);

/** Requests that a server with the shipped models takes as they are: the image is the first of MNIST's test set. */
const DIGIT =
  'iVBORw0KGgoAAAANSUhEUgAAABwAAAAcCAAAAABXZoBIAAAAwUlEQVR42mNgGDaAEUKFpD77sfTFHeyS9xQYGBg+X4UKPuk6w8DAwMDAAuGm6l/TMnSweCzLwPDntSTDozPIOhkYGBgYBA3PmDIw/Lh1XShnGi5nBP+9KIRLTuzl/2AokwlDMlv0/U1cGq1//rPD6fHWf7tZcclxnv1hhVNj3b9tOOW8f3+wxCUnfPffMlxyzKf/3VbGJan2758vLjn5B/+KGXF78Z8JLjnbT+iSSGFrw8Nw9wuKJAsy56LzO+ITGABpETyQcCy90wAAAABJRU5ErkJggg==';
const EXAMPLES = {
  certification: { model: 'mnist-cnn', parameters: { sigma: 0.5, n: 100_000, alpha: 0.001 } },
  prediction: { model: 'mnist-cnn', parameters: { sigma: 0.5, n: 1_000, alpha: 0.001 } },
} as const;

const jobBody = <Parameters extends TSchema>(
  parameters: Parameters,
  title: string,
  maxInputs: number,
  example: object,
) =>
  Type.Object(
    {
      model: Model,
      parameters,
      inputs: Type.Array(InputSchema, { minItems: 1, maxItems: maxInputs }),
      reproductionSeed: ReproductionSeed,
      reproductionIndex: ReproductionIndex,
    },
    {
      additionalProperties: false,
      title,
      examples: [{ ...example, inputs: [{ id: 'seven.png', image: DIGIT, label: 7 }] }],
    },
  );

/** The JSON part of a multipart request: the images are files beside it. */
const multipartRequest = <Parameters extends TSchema>(
  parameters: Parameters,
  title: string,
  maxInputs: number,
  example: object,
) =>
  Type.Object(
    {
      model: Model,
      parameters,
      labels: Type.Optional(
        Type.Record(Type.String(), Type.Integer({ minimum: 0 }), {
          maxProperties: maxInputs,
          title: 'Labels',
          description: 'class number by file name',
        }),
      ),
      reproductionSeed: ReproductionSeed,
      reproductionIndex: ReproductionIndex,
    },
    { additionalProperties: false, title, examples: [example] },
  );

/** The bodies of the two kinds of job, in JSON and as the JSON part of a multipart request. */
export function requestSchemas(maxInputs: number) {
  return {
    certification: {
      json: jobBody(CertifyParametersSchema, 'CertificationRequest', maxInputs, EXAMPLES.certification),
      part: multipartRequest(CertifyParametersSchema, 'CertificationForm', maxInputs, EXAMPLES.certification),
    },
    prediction: {
      json: jobBody(PredictParametersSchema, 'PredictionRequest', maxInputs, EXAMPLES.prediction),
      part: multipartRequest(PredictParametersSchema, 'PredictionForm', maxInputs, EXAMPLES.prediction),
    },
  };
}
export type RequestSchemas = ReturnType<typeof requestSchemas>;
export type JobBody =
  Static<RequestSchemas['certification']['json']> | Static<RequestSchemas['prediction']['json']>;
