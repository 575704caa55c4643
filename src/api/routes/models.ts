import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { ModelSchema } from '../../contract/model.ts';
import type { Model } from '../../contract/resources.ts';
import { inputShape } from '../../models/manifest.ts';
import { modelAvailability } from '../../jobs/model-availability.ts';
import type { JobService } from '../../jobs/job-service.ts';
import type { ModelStore, RegisteredModel } from '../../models/store.ts';
import type { WorkerStatus } from '../../jobs/stored/worker-status.ts';

function presentModel(model: RegisteredModel, workers: readonly WorkerStatus[] | null): Model {
  const { manifest, digest } = model;
  const availability = workers === null ? null : modelAvailability(workers, model);
  return {
    object: 'model',
    name: manifest.name,
    version: manifest.version,
    ...(manifest.description === undefined ? {} : { description: manifest.description }),
    digest,
    engine: manifest.engine,
    input: manifest.input,
    inputShape: inputShape(manifest),
    output: manifest.output,
    smoothing: manifest.smoothing,
    availability: availability === null ? null : (structuredClone(availability) as Model['availability']),
  };
}

/** The models that the operator has registered, and what the workers say of each. */
export const modelRoutes: FastifyPluginAsyncTypebox<{ models: ModelStore; jobs: JobService }> = async (
  app,
  { models, jobs },
) => {
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
            { additionalProperties: false, title: 'ModelList', description: 'All models, by folder name.' },
          ),
        },
      },
    },
    async () => {
      const workers = await jobs.livingWorkers().catch(() => null);
      return { data: models.models.map((model) => presentModel(model, workers)) };
    },
  );
};
