import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { inputShape, ManifestSchema } from '../../inference/manifest.ts';
import type { ModelStore } from '../../inference/model-store.ts';
import { Sha256 } from '../schemas/building-blocks.ts';

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

/** The models that the operator has registered. */
export const modelRoutes: FastifyPluginAsyncTypebox<{ models: ModelStore }> = async (app, { models }) => {
  app.get(
    '/v1/models',
    {
      schema: {
        tags: ['models'],
        operationId: 'listModels',
        summary: 'List the models',
        response: {
          200: Type.Object(
            { data: Type.Array(ModelSchema) },
            { additionalProperties: false, description: 'All models, by folder name.' },
          ),
        },
      },
    },
    async () => ({
      data: models.models.map(({ manifest, digest }) => ({
        object: 'model' as const,
        name: manifest.name,
        version: manifest.version,
        ...(manifest.description === undefined ? {} : { description: manifest.description }),
        digest,
        engine: manifest.engine,
        input: manifest.input,
        inputShape: inputShape(manifest),
        output: manifest.output,
        smoothing: manifest.smoothing,
      })),
    }),
  );
};
