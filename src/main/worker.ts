import type { Config } from '../config/config.ts';
import { ownEnvironment } from '../config/env.ts';
import { dieWithParent } from '../die-with-parent.ts';
import { deviceTarget } from '../devices/target.ts';
import { discoverDevices } from '../devices/discover.ts';
import { openModelStore } from '../models/store.ts';
import { pinnedEnvironment } from '../devices/pinned-environment.ts';
import { readTelemetry } from '../devices/telemetry.ts';
import { connectWorker, waitUntilReady } from '../redis/connections.ts';
import { createKeys } from '../jobs/keys.ts';
import { startWorkerService } from '../jobs/worker-service.ts';
import { type Running, Stack } from '../lifecycle.ts';
import type { Logger } from '../logger.ts';
import { SOFTWARE } from '../version.ts';

const REDIS_MILLISECONDS = 30_000;

/** Starts the worker process: devices -> models -> Redis -> device hosts -> queue consumers. */
export function startWorker(config: Config, redisUrl: string, logger: Logger): Promise<Running> {
  return Stack.build(async (stack) => {
    const launch = await dieWithParent(config.searchPath);
    const tools = { ...config, environment: ownEnvironment(), launch };
    const devices = await discoverDevices(config.devices, config.lanes, tools);
    const targets = new Map(devices.map((device) => [device, deviceTarget(device, config.target)]));
    const models = await openModelStore(config.modelsDirectory, config.models);
    const redis = connectWorker(redisUrl, logger);
    stack.defer(async () => redis.disconnect());
    await waitUntilReady(redis, REDIS_MILLISECONDS);
    const service = await startWorkerService({
      redis,
      keys: createKeys(config.prefix),
      models,
      devices,
      pin(device, engine) {
        const target = targets.get(device)!;
        const base = ownEnvironment();
        return { target, environment: pinnedEnvironment(device, target, engine, base) };
      },
      readTelemetry: () => readTelemetry(devices, tools),
      launch,
      retentionSeconds: config.retentionSeconds,
      poolGoneSeconds: config.poolGoneSeconds,
      software: SOFTWARE,
      logger,
    });
    stack.defer(() => service.close());
    return { close: () => stack.close() };
  });
}
