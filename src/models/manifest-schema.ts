import { Type } from 'typebox';

const digest = Type.String({
  pattern: '^[0-9a-f]{64}$',
  description: 'SHA-256, 64 hexadecimal digits in lower case',
});

const tensorName = (description: string) => Type.String({ minLength: 1, maxLength: 500, description });

/** A model folder's `manifest.json`. Unknown fields are refused: a misspelt one must not be ignored. */
export const ManifestSchema = Type.Object(
  {
    manifestVersion: Type.Literal(1),
    name: Type.String({ pattern: '^[a-z0-9][a-z0-9.-]{0,62}$', description: 'unique among the models' }),
    version: Type.String({ pattern: '^[0-9]+\\.[0-9]+\\.[0-9]+$' }),
    description: Type.Optional(Type.String({ maxLength: 2000 })),
    license: Type.Optional(Type.String({ maxLength: 200 })),
    engine: Type.Union([Type.Literal('onnx'), Type.Literal('tensorflow')], {
      description: 'onnx: an ONNX file; tensorflow: model.json (LayersModel or GraphModel) or saved_model.pb',
    }),
    files: Type.Array(
      Type.Object(
        {
          path: Type.String({
            pattern: '^[A-Za-z0-9_][A-Za-z0-9_./-]{0,199}$',
            description: 'relative to the manifest, inside its folder; the first file is the model',
          }),
          sha256: digest,
          bytes: Type.Integer({ minimum: 1 }),
        },
        { additionalProperties: false },
      ),
      { minItems: 1, maxItems: 64 },
    ),
    input: Type.Object(
      {
        height: Type.Integer({ minimum: 1, maximum: 4096 }),
        width: Type.Integer({ minimum: 1, maximum: 4096 }),
        channels: Type.Union([Type.Literal(1), Type.Literal(3)]),
        layout: Type.Union([Type.Literal('NCHW'), Type.Literal('NHWC')], {
          description: 'order of the values of an image: planes (NCHW), or all channels of a pixel together (NHWC)',
        }),
        flat: Type.Optional(
          Type.Boolean({
            description: 'the network takes [batch, height x width x channels], the values in the order of layout',
          }),
        ),
        colourSpace: Type.Union([Type.Literal('grey'), Type.Literal('rgb'), Type.Literal('bgr')], {
          description: 'order of the channels; bgr: blue first, as OpenCV reads images',
        }),
        range: Type.Optional(
          Type.Array(Type.Number(), {
            minItems: 2,
            maxItems: 2,
            description:
              'what the network takes for pixels 0 and 255, noise in proportion; [0, 1] where it is left out. Not beside preprocess',
          }),
        ),
        name: Type.Optional(tensorName('of the input; without it the file has one input')),
      },
      { additionalProperties: false, description: 'float32; i/255 for pixel i where nothing else is said' },
    ),
    signature: Type.Optional(
      tensorName('of a SavedModel: the signature that is run; serving_default where it is left out'),
    ),
    batch: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 16_384,
        description:
          'rows of every call; left out: what is fastest. 1 lets a network run that mixes the rows of a batch: each row is computed by itself',
      }),
    ),
    preprocess: Type.Optional(
      Type.Object(
        {
          mean: Type.Array(Type.Number(), { minItems: 1, maxItems: 3 }),
          std: Type.Array(Type.Number({ exclusiveMinimum: 0 }), { minItems: 1, maxItems: 3 }),
        },
        {
          additionalProperties: false,
          description:
            'per channel, (x - mean) / std, applied after the noise; leave out where the model has it',
        },
      ),
    ),
    output: Type.Object(
      {
        classes: Type.Integer({ minimum: 2, maximum: 65_536 }),
        labels: Type.Optional(
          Type.Array(Type.String({ minLength: 1, maxLength: 200 }), {
            minItems: 2,
            description: 'of the classes in their order; 0, 1, 2 ... where they are left out',
          }),
        ),
        name: Type.Optional(tensorName('of the output that is certified; without it the file has one output')),
        kind: Type.Optional(
          Type.Union([Type.Literal('scores'), Type.Literal('sigmoid'), Type.Literal('logit')], {
            description:
              'scores: one a class, the highest wins, the lowest class of several. sigmoid: one value a row in [0,1], class 1 where it is above 0.5. logit: one value a row, class 1 where it is above 0',
          }),
        ),
      },
      { additionalProperties: false },
    ),
    smoothing: Type.Object(
      {
        trainedSigma: Type.Union([Type.Number({ minimum: 0 }), Type.Null()], {
          description: 'noise s.d. in training, in pixel units of the [0,1] image; null where none was used',
        }),
      },
      { additionalProperties: false },
    ),
  },
  {
    additionalProperties: false,
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Smoothcert model manifest',
  },
);
