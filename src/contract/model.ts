import { Type } from 'typebox';
import { ManifestSchema } from '../models/manifest.ts';
import { Sha256 } from './building-blocks.ts';

const { name, version, description, engine, input, output, smoothing } = ManifestSchema.properties;

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
  },
  { additionalProperties: false, title: 'Model' },
);
