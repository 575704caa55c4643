import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { DomainError } from '../errors.ts';
import { startEmbeddedRedis } from '../redis/embedded/embedded-redis.ts';
import { EmbeddedRedisError } from '../redis/embedded/embedded-redis-error.ts';
import { inspectServer, START_MILLISECONDS } from '../redis/inspect-server.ts';
import { OWN_SERVER } from '../redis/server-info.ts';
import { Stack } from '../lifecycle.ts';
import type { Logger } from '../logger.ts';
import { type KnownRedis, type RunningApi, startApi } from './api.ts';
import { startWorker } from './worker.ts';

/** Starts everything in one command: Redis (embedded unless `REDIS_URL` names one) -> API -> worker. */
export function startStandalone(config: Config, logger: Logger): Promise<RunningApi> {
  return Stack.build(async (stack) => {
    let { redisUrl } = config;
    let known: KnownRedis = {};
    if (redisUrl !== null) {
      known = { server: await inspectServer(redisUrl, config.prefix, logger, START_MILLISECONDS) };
    } else {
      const redis = await startEmbeddedRedis({
        dataDirectory: join(config.dataDirectory, 'redis'),
        cacheDirectory: join(config.cacheDirectory, 'redis'),
        searchPath: config.searchPath,
        logger,
      }).catch(unavailable);
      stack.defer(() => redis.close());
      redisUrl = redis.url;
      known = { server: OWN_SERVER, trouble: () => redis.trouble() };
    }
    // The API first: it answers while models load, and jobs wait.
    const api = await startApi(config, redisUrl, logger, known);
    stack.defer(() => api.close());
    const worker = await startWorker(config, redisUrl, logger, known.server);
    stack.defer(() => worker.close());
    return { url: api.url, close: () => stack.close() };
  });
}

/** The embedded server's own errors say what to install, stop or set; to the outside they are one code. */
function unavailable(cause: unknown): never {
  if (!(cause instanceof EmbeddedRedisError)) throw cause;
  throw new DomainError('redis_unavailable', cause.message, [], { cause });
}
