import { type Static, type TSchema, Type } from 'typebox';
import { type Kind, KINDS, type ParametersSchemaOf } from './kinds.ts';

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

/** Examples are taken as they are by a server with the shipped models: the image is the first of MNIST's test set. */
const DIGIT =
  'iVBORw0KGgoAAAANSUhEUgAAABwAAAAcCAAAAABXZoBIAAAAwUlEQVR42mNgGDaAEUKFpD77sfTFHeyS9xQYGBg+X4UKPuk6w8DAwMDAAuGm6l/TMnSweCzLwPDntSTDozPIOhkYGBgYBA3PmDIw/Lh1XShnGi5nBP+9KIRLTuzl/2AokwlDMlv0/U1cGq1//rPD6fHWf7tZcclxnv1hhVNj3b9tOOW8f3+wxCUnfPffMlxyzKf/3VbGJan2758vLjn5B/+KGXF78Z8JLjnbT+iSSGFrw8Nw9wuKJAsy56LzO+ITGABpETyQcCy90wAAAABJRU5ErkJggg==';
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

/** The body of a kind's requests, in JSON and as the JSON part of a multipart request. */
export function requestSchemas(kind: Kind, maxInputs: number) {
  const { title, parameters, example } = KINDS[kind];
  return {
    json: jobBody(parameters, `${title}Request`, maxInputs, example),
    part: multipartRequest(parameters, `${title}Form`, maxInputs, example),
  };
}

type BodyWith<Parameters extends TSchema> = Static<ReturnType<typeof jobBody<Parameters>>>;
/** A request in JSON. */
export type JobBody = { [K in Kind]: BodyWith<ParametersSchemaOf[K]> }[Kind];
