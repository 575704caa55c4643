import { createApp } from '../api/app.ts';
import { readConfig } from '../config/env.ts';
import { connectNowhere } from '../redis/connections.ts';
import { createJobService } from '../jobs/job-service.ts';
import { createKeys } from '../jobs/keys.ts';
import { Stack } from '../lifecycle.ts';
import { createLogger } from '../logger.ts';
import { SOFTWARE } from '../version.ts';

/** The OpenAPI document of a server with the default limits; needs neither Redis nor models. */
export async function openapiDocument(): Promise<object> {
  const { prefix, retentionSeconds, maxInputs, maxBodyBytes } = readConfig({}, {});
  const stack = new Stack();
  try {
    const redis = connectNowhere();
    stack.defer(async () => redis.disconnect());
    const jobs = createJobService(redis, createKeys(prefix), retentionSeconds);
    stack.defer(() => jobs.close());
    const models = { models: [], rejected: [], find: () => undefined };
    const logger = createLogger('silent', 'openapi');
    const app = await createApp({ jobs, models, logger, software: SOFTWARE, maxInputs, maxBodyBytes });
    stack.defer(() => app.close());
    await app.ready();
    return app.swagger();
  } finally {
    await stack.close();
  }
}
