import { type Static, Type } from 'typebox';
import { DomainError, type Fault } from '../errors.ts';
import { MAX_KERNEL_ELEMENTS } from '../random/limits.ts';
import { compileSchema, describeFaults } from '../schema-faults.ts';

const digest = Type.String({
  pattern: '^[0-9a-f]{64}$',
  description: 'SHA-256, 64 hexadecimal digits in lower case',
});

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
        layout: Type.Union([Type.Literal('NCHW'), Type.Literal('NHWC')]),
        colourSpace: Type.Union([Type.Literal('grey'), Type.Literal('rgb')]),
      },
      { additionalProperties: false, description: 'float32 in [0,1] before noise; i/255 for pixel i' },
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
        labels: Type.Array(Type.String({ minLength: 1, maxLength: 200 }), { minItems: 2 }),
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

export type Manifest = Static<typeof ManifestSchema>;

/** What is said of images by a manifest, and by the API of its model. */
export type ImageTaker = Pick<Manifest, 'input'>;

/** The library that runs a model; no process loads two. */
export type EngineName = Manifest['engine'];

const validator = compileSchema(ManifestSchema);

/** Number of values in one input tensor. */
export function inputElements({ input }: ImageTaker): number {
  return input.height * input.width * input.channels;
}

/** Shape of one input tensor, without batch, in the manifest's layout. */
export function inputShape({ input: { height, width, channels, layout } }: ImageTaker): number[] {
  return layout === 'NCHW' ? [channels, height, width] : [height, width, channels];
}

/**
 * Reads a manifest.
 *
 * @throws DomainError `model_invalid` with every fault: JSON, unknown or missing fields, values, and rules between fields
 */
export function parseManifest(text: string): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new DomainError('model_invalid', 'manifest.json is not JSON', [], { cause });
  }
  if (!validator.Check(value)) {
    throw new DomainError('model_invalid', undefined, describeFaults(validator.Errors(value)));
  }
  const faults = crossFieldFaults(value);
  if (faults.length > 0) throw new DomainError('model_invalid', undefined, faults);
  return value;
}

function crossFieldFaults(manifest: Manifest): Fault[] {
  const { engine, files, input, output, preprocess } = manifest;
  const faults: Fault[] = [];
  const fault = (pointer: string, detail: string): void => void faults.push({ pointer, detail });
  if ((input.channels === 1) !== (input.colourSpace === 'grey')) {
    fault('/input/colourSpace', 'grey has 1 channel and rgb has 3');
  }
  if (engine === 'tensorflow' && !/(^|\/)(model\.json|saved_model\.pb)$/.test(files[0]!.path)) {
    fault('/files/0/path', "a TensorFlow model's first file is model.json or saved_model.pb");
  }
  if (inputElements(manifest) > MAX_KERNEL_ELEMENTS) {
    fault(
      '/input',
      `height x width x channels is ${inputElements(manifest)}; at most ${MAX_KERNEL_ELEMENTS}`,
    );
  }
  if (output.labels.length !== output.classes) {
    fault('/output/labels', `${output.labels.length} labels for ${output.classes} classes`);
  }
  for (const name of ['mean', 'std'] as const) {
    const values = preprocess?.[name];
    if (values !== undefined && values.length !== input.channels) {
      fault(`/preprocess/${name}`, `${values.length} values for ${input.channels} channels`);
    }
  }
  for (const [index, { path }] of files.entries()) {
    if (path.split('/').some((part) => part === '..' || part === '.' || part === '')) {
      fault(`/files/${index}/path`, 'the path must stay inside the model folder');
    }
  }
  return faults;
}
