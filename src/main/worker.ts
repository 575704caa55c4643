import type { Config } from '../config/config.ts';
import { dieWithParent } from '../die-with-parent.ts';
import { openModelStore } from '../models/store.ts';
import { readTelemetry } from '../devices/telemetry.ts';
import { connectWorker, waitUntilReady } from '../redis/connections.ts';
import { inspectServer, START_MILLISECONDS } from '../redis/inspect-server.ts';
import type { ServerTraits } from '../redis/server-info.ts';
import { createKeys } from '../jobs/keys.ts';
import { refuseOlderJobs } from '../jobs/refuse-older-jobs.ts';
import { startWorkerService } from '../jobs/worker-service.ts';
import { type Running, Stack } from '../lifecycle.ts';
import type { Logger } from '../logger.ts';
import { SOFTWARE } from '../version.ts';
import { findPinnedDevices } from './pinned-devices.ts';

/**
 * Starts the worker process: devices -> models -> Redis -> device hosts -> queue consumers.
 *
 * @param known of Redis; a server of which nothing is known is looked at first
 */
export function startWorker(
  config: Config,
  redisUrl: string,
  logger: Logger,
  known?: ServerTraits,
): Promise<Running> {
  return Stack.build(async (stack) => {
    const launch = await dieWithParent(config.searchPath);
    const { devices, tools, pin } = await findPinnedDevices(config, launch);
    const models = await openModelStore(config.modelsDirectory, config.models);
    const server = known ?? (await inspectServer(redisUrl, config.prefix, logger, START_MILLISECONDS));
    const redis = connectWorker(redisUrl, logger, server);
    stack.defer(async () => redis.disconnect());
    await waitUntilReady(redis, START_MILLISECONDS);
    await refuseOlderJobs(redis, config.prefix);
    const service = await startWorkerService({
      redis,
      keys: createKeys(config.prefix),
      models,
      devices,
      pin,
      readTelemetry: () => readTelemetry(devices, tools),
      launch,
      cacheDirectory: config.cacheDirectory,
      retentionSeconds: config.retentionSeconds,
      poolGoneSeconds: config.poolGoneSeconds,
      software: SOFTWARE,
      logger,
    });
    stack.defer(() => service.close());
    return { close: () => stack.close() };
  });
}
