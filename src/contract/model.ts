import { type TSchema, Type } from 'typebox';
import { ManifestSchema } from '../models/manifest-schema.ts';
import { Nullable, OneOf, Sha256 } from './building-blocks.ts';
import { EngineSchema } from './engine.ts';
import { FailureSchema } from './job.ts';

const { name, version, description, engine, input, output, smoothing } = ManifestSchema.properties;
const { labels, ...rest } = output.properties;

/** A part of the manifest under a name for generated clients. */
const named = <Schema extends TSchema>(schema: Schema, title: string): Schema => ({ ...schema, title });

const closed = { additionalProperties: false } as const;

const AvailabilitySchema = Type.Object(
  {
    state: OneOf(['loaded', 'loading', 'refused', 'absent', 'no_worker'], {
      title: 'AvailabilityState',
      description:
        'loaded: jobs are worked on; loading: some worker is not done with trying; refused: no worker could load it; absent: no worker has it with this digest; no_worker: there is none. Jobs for a model that is refused or absent are not accepted.',
    }),
    engines: Type.Array(
      Type.Object(
        {
          engine: EngineSchema,
          devices: Type.Integer(),
          samplesPerSecond: Type.Number({ description: 'of all of them, measured when it was loaded' }),
        },
        { ...closed, title: 'LoadedModel' },
      ),
      { description: 'what has loaded it' },
    ),
    refusals: Type.Array(
      Type.Object(
        {
          code: FailureSchema.properties.code,
          detail: FailureSchema.properties.detail,
          hosts: Type.Array(Type.String(), { description: 'engine, device and machine' }),
        },
        { ...closed, title: 'ModelRefusal' },
      ),
      { description: 'why it could not be loaded, and where' },
    ),
  },
  { ...closed, title: 'Availability', description: 'what the workers seen in the last 15 s say of it' },
);

export const ModelSchema = Type.Object(
  {
    object: Type.Literal('model'),
    name,
    version,
    description,
    digest: Sha256,
    engine: named(engine, 'EngineName'),
    input: Type.Object(
      {
        ...input.properties,
        layout: named(input.properties.layout, 'Layout'),
        colourSpace: named(input.properties.colourSpace, 'ColourSpace'),
        channels: named(input.properties.channels, 'Channels'),
      },
      { ...closed, title: 'ModelInput', description: 'float32 in [0,1] before noise; i/255 for pixel i' },
    ),
    inputShape: Type.Array(Type.Integer(), { description: 'of one input, without batch' }),
    // Labels that a manifest leaves out are the numbers of the classes.
    output: Type.Object(
      {
        ...rest,
        kind: Type.Optional(named(rest.kind, 'ScoreKind')),
        labels: Type.Array(labels.items),
      },
      { ...closed, title: 'ModelOutput' },
    ),
    smoothing: named(smoothing, 'ModelSmoothing'),
    availability: Nullable(AvailabilitySchema, 'null while the queue cannot be reached'),
  },
  { ...closed, title: 'Model' },
);
