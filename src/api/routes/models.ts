import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { ModelSchema } from '../../contract/model.ts';
import { inputShape } from '../../models/manifest.ts';
import type { ModelStore } from '../../models/store.ts';

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
