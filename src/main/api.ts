import { createApp } from '../api/app.ts';
import type { Config } from '../config/config.ts';
import { logLine } from '../log-events.ts';
import { openModelStore } from '../models/store.ts';
import { connectApi, waitUntilReady } from '../redis/connections.ts';
import { inspectServer, START_MILLISECONDS } from '../redis/inspect-server.ts';
import type { ServerTraits } from '../redis/server-info.ts';
import { createJobService } from '../jobs/job-service.ts';
import { createKeys } from '../jobs/keys.ts';
import { refuseOlderJobs } from '../jobs/refuse-older-jobs.ts';
import { type Running, Stack } from '../lifecycle.ts';
import type { Logger } from '../logger.ts';
import { SOFTWARE } from '../version.ts';

/** A listening API. */
export interface RunningApi extends Running {
  readonly url: string;
}

/** What the process that starts everything knows of its Redis server. */
export interface KnownRedis {
  readonly server?: ServerTraits;
  /** Why it does not answer now; null where that is not known. */
  readonly trouble?: () => string | null;
}

/**
 * Starts the API process: models -> Redis -> HTTP.
 *
 * @param known of Redis; a server of which nothing is known is looked at first
 */
export function startApi(
  config: Config,
  redisUrl: string,
  logger: Logger,
  known: KnownRedis = {},
): Promise<RunningApi> {
  return Stack.build(async (stack) => {
    const models = await openModelStore(config.modelsDirectory, config.models);
    const server = known.server ?? (await inspectServer(redisUrl, config.prefix, logger, START_MILLISECONDS));
    const redis = connectApi(redisUrl, logger, server);
    stack.defer(async () => redis.disconnect());
    await waitUntilReady(redis, START_MILLISECONDS);
    await refuseOlderJobs(redis, config.prefix);
    const jobs = createJobService(redis, createKeys(config.prefix), config.retentionSeconds, known.trouble);
    stack.defer(() => jobs.close());
    const { maxInputs, maxBodyBytes } = config;
    const app = await createApp({ jobs, models, logger, software: SOFTWARE, maxInputs, maxBodyBytes });
    stack.defer(() => app.close());
    const url = await app.listen({ host: config.host, port: config.port });
    logger.info(...logLine('api_listening', { url }));
    return { url, close: () => stack.close() };
  });
}
