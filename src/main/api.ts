import { createApp } from '../api/app.ts';
import type { Config } from '../config/config.ts';
import { openModelStore } from '../models/store.ts';
import { connectApi, waitUntilReady } from '../redis/connections.ts';
import { createJobService } from '../jobs/job-service.ts';
import { createKeys } from '../jobs/keys.ts';
import { type Running, Stack } from '../lifecycle.ts';
import type { Logger } from '../logger.ts';
import { SOFTWARE } from '../version.ts';

/** Milliseconds that Redis may take to answer at start; later outages are answered with 503. */
const REDIS_MILLISECONDS = 10_000;

/** A listening API. */
export interface RunningApi extends Running {
  readonly url: string;
}

/** Starts the API process: models -> Redis -> HTTP. */
export function startApi(config: Config, redisUrl: string, logger: Logger): Promise<RunningApi> {
  return Stack.build(async (stack) => {
    const models = await openModelStore(config.modelsDirectory, config.models);
    const redis = connectApi(redisUrl, logger);
    stack.defer(async () => redis.disconnect());
    await waitUntilReady(redis, REDIS_MILLISECONDS);
    const jobs = createJobService(redis, createKeys(config.prefix), config.retentionSeconds);
    stack.defer(() => jobs.close());
    const { maxInputs, maxBodyBytes } = config;
    const app = await createApp({ jobs, models, logger, software: SOFTWARE, maxInputs, maxBodyBytes });
    stack.defer(() => app.close());
    const url = await app.listen({ host: config.host, port: config.port });
    logger.info({ url }, 'API listening');
    return { url, close: () => stack.close() };
  });
}
