import { type Static, Type } from 'typebox';
import { DomainError, type Fault } from '../errors.ts';
import { MAX_KERNEL_ELEMENTS } from '../random/limits.ts';
import { conversionOf } from './formats/foreign.ts';
import { compileSchema, describeFaults } from '../schema-faults.ts';

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

type Stated = Static<typeof ManifestSchema>;

/** A manifest that has been read: with labels, whether it states them or not. */
export type Manifest = Omit<Stated, 'output'> & {
  output: Omit<Stated['output'], 'labels'> & { labels: string[] };
};

/** By channel, in the order of the model's own channels. */
export type Normalisation = NonNullable<Stated['preprocess']>;

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

/** Shape of one input, without batch, as the network takes it: the same values in the same order. */
export function networkShape(manifest: ImageTaker): number[] {
  return manifest.input.flat === true ? [inputElements(manifest)] : inputShape(manifest);
}

/** What is done to each pixel value p in [0,1], noise included, by channel: (p - mean) / std; null for nothing. */
export function normalisationOf({ preprocess, input }: Manifest): Normalisation | null {
  if (preprocess !== undefined || input.range === undefined) return preprocess ?? null;
  const [black = 0, white = 1] = input.range;
  const each = (value: number): number[] => Array.from({ length: input.channels }, () => value);
  return { mean: each(-black / (white - black)), std: each(1 / (white - black)) };
}

/** Values of a row of the network's output: one where that alone decides between two classes. */
export function outputWidth({ output: { kind = 'scores', classes } }: Manifest): number {
  return kind === 'scores' ? classes : 1;
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
  const { classes, labels = Array.from({ length: classes }, (_, index) => String(index)) } = value.output;
  return { ...value, output: { ...value.output, labels } };
}

function crossFieldFaults(manifest: Stated): Fault[] {
  const { engine, files, input, output, preprocess, signature } = manifest;
  const faults: Fault[] = [];
  const fault = (pointer: string, detail: string): void => void faults.push({ pointer, detail });
  if ((input.channels === 1) !== (input.colourSpace === 'grey')) {
    fault('/input/colourSpace', 'grey has 1 channel; rgb and bgr have 3');
  }
  const { range } = input;
  if (range !== undefined && range[0] === range[1]) {
    fault('/input/range', 'black and white are the same value');
  }
  if (range !== undefined && preprocess !== undefined) {
    fault('/input/range', 'preprocess says what pixels become too; leave one of them out');
  }
  const other = conversionOf(files[0]!.path);
  if (other !== null) fault('/files/0/path', other);
  else if (engine === 'tensorflow' && !/(^|\/)(model\.json|saved_model\.pb)$/.test(files[0]!.path)) {
    fault('/files/0/path', "a TensorFlow model's first file is model.json or saved_model.pb");
  }
  if (signature !== undefined && !files[0]!.path.endsWith('saved_model.pb')) {
    fault('/signature', 'only a SavedModel has signatures');
  }
  if (inputElements(manifest) > MAX_KERNEL_ELEMENTS) {
    fault(
      '/input',
      `height x width x channels is ${inputElements(manifest)}; at most ${MAX_KERNEL_ELEMENTS}`,
    );
  }
  if ((output.kind ?? 'scores') !== 'scores' && output.classes !== 2) {
    fault('/output/classes', `one ${output.kind} decides between 2 classes, not ${output.classes}`);
  }
  if (output.labels !== undefined && output.labels.length !== output.classes) {
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
