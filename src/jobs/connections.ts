import { Redis, type RedisOptions } from 'ioredis';
import type { Logger } from '../logger.ts';
import { parseRedisUrl } from './redis-connection.ts';

/** An outage is noticed and survived within seconds: retries come at 50 ms steps, at most a second apart. */
const retryStrategy = (times: number): number => Math.min(times * 50, 1_000);

function connect(url: string, options: RedisOptions, logger: Logger): Redis {
  // Naming the mapping keeps the client's replies, and its type, those of RESP2 arrays.
  const merged = { ...parseRedisUrl(url), ...options, retryStrategy, replyMapping: 'legacy' as const };
  const redis: Redis = new Redis(merged);
  let reported = '';
  redis.on('error', (error: Error) => {
    // The same complaint comes with every retry; one line an outage is enough.
    if (error.message !== reported) logger.warn({ error: error.message }, 'Redis connection');
    reported = error.message;
  });
  redis.on('ready', () => (reported = ''));
  return redis;
}

/** For processes that must go on through an outage: commands wait until Redis is back. */
export function connectWorker(url: string, logger: Logger): Redis {
  return connect(url, { maxRetriesPerRequest: null }, logger);
}

/** For processes that must answer now: without Redis a command fails within two seconds. */
export function connectApi(url: string, logger: Logger): Redis {
  const options = {
    maxRetriesPerRequest: 1,
    enableOfflineQueue: false,
    connectTimeout: 1_500,
    commandTimeout: 1_500,
  };
  return connect(url, options, logger);
}

/** Resolves when the connection is ready; rejects after `milliseconds`. */
export async function waitUntilReady(redis: Redis, milliseconds: number): Promise<void> {
  if (redis.status === 'ready') return;
  await new Promise<void>((resolve, reject) => {
    const ready = (): void => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(() => {
      redis.off('ready', ready);
      reject(new Error(`Redis did not answer within ${milliseconds} ms`));
    }, milliseconds);
    redis.once('ready', ready);
  });
}
