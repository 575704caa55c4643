import { createApp } from '../api/app.ts';
import { readConfig } from '../config/env.ts';
import { DomainError } from '../errors.ts';
import type { JobService } from '../jobs/job-service.ts';
import { createLogger } from '../logger.ts';
import { SOFTWARE } from '../version.ts';

/** Nothing is asked for while a document is written. */
const absent = (): Promise<never> => Promise.reject(new DomainError('queue_unavailable'));
const NO_JOBS: JobService = {
  submit: absent,
  get: absent,
  list: absent,
  results: absent,
  cancel: absent,
  expectedSeconds: absent,
  livingWorkers: absent,
  ping: absent,
  close: absent,
};

/** The OpenAPI document of a server with the default limits; needs neither Redis nor models. */
export async function openapiDocument(): Promise<object> {
  const { maxInputs, maxBodyBytes } = readConfig({}, {});
  const models = { models: [], rejected: [], find: () => undefined };
  const logger = createLogger('silent', 'openapi');
  const app = await createApp({ jobs: NO_JOBS, models, logger, software: SOFTWARE, maxInputs, maxBodyBytes });
  try {
    await app.ready();
    return app.swagger();
  } finally {
    await app.close();
  }
}
