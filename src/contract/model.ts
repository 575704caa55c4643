import { Type } from 'typebox';
import { ManifestSchema } from '../models/manifest.ts';
import { Nullable, OneOf, Sha256 } from './building-blocks.ts';
import { EngineSchema } from './engine.ts';
import { FailureSchema } from './job.ts';

const { name, version, description, engine, input, output, smoothing } = ManifestSchema.properties;

const closed = { additionalProperties: false } as const;

const AvailabilitySchema = Type.Object(
  {
    state: OneOf(['loaded', 'loading', 'refused', 'absent', 'no_worker'], {
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
    engine,
    input,
    inputShape: Type.Array(Type.Integer(), { description: 'of one input, without batch' }),
    output,
    smoothing,
    availability: Nullable(AvailabilitySchema, 'null while the queue cannot be reached'),
  },
  { ...closed, title: 'Model' },
);
