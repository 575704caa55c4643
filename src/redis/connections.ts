import { Redis, type RedisOptions } from 'ioredis';
import { DomainError, messageOf } from '../errors.ts';
import { logLine } from '../log-events.ts';
import type { Logger } from '../logger.ts';
import { parseRedisUrl, type RedisEndpoint } from './redis-url.ts';
import { OWN_SERVER, type ServerTraits } from './server-info.ts';

/** An outage is noticed and survived within seconds: retries come at 50 ms steps, at most a second apart. */
const retryStrategy = (times: number): number => Math.min(times * 50, 1_000);

function endpointOf(url: string): RedisEndpoint {
  try {
    return parseRedisUrl(url);
  } catch (cause) {
    const detail = messageOf(cause);
    throw new DomainError('config_invalid', detail, [{ pointer: 'REDIS_URL', detail }], { cause });
  }
}

function connect(url: string, options: RedisOptions, logger: Logger): Redis {
  // Naming the mapping keeps the client's replies, and its type, those of RESP2 arrays.
  const merged = { ...endpointOf(url), ...options, retryStrategy, replyMapping: 'legacy' as const };
  const redis: Redis = new Redis(merged);
  let reported = '';
  redis.on('error', (error: Error) => {
    // The same complaint comes with every retry; one line an outage is enough.
    if (error.message !== reported)
      logger.warn(...logLine('redis_connection_failed', { error: error.message }));
    reported = error.message;
  });
  redis.on('ready', () => (reported = ''));
  return redis;
}

/** Connections that were made of a connection: BullMQ duplicates what it is given, and waits for its copies as it closes. */
const copiesOf = new WeakMap<Redis, Set<Redis>>();

/**
 * Fits a connection, and every copy that is made of it, to a server that may not be asked for INFO: BullMQ asks each
 * for it and would never be ready.
 */
function adopt(redis: Redis, server: ServerTraits, copies = new Set<Redis>()): Redis {
  copiesOf.set(redis, copies);
  const duplicate = redis.duplicate.bind(redis);
  redis.duplicate = (options) => {
    const copy = adopt(duplicate(options), server, copies);
    copies.add(copy);
    copy.once('end', () => copies.delete(copy));
    return copy;
  };
  if (!server.tellsInfo) redis.info = async () => `redis_version:${server.version ?? ASSUMED_VERSION}\r\n`;
  return redis;
}

/** Ends a connection and all its copies at once; what waits for an answer on them is rejected. */
export function disconnectAll(redis: Redis): void {
  for (const each of [...(copiesOf.get(redis) ?? []), redis]) each.disconnect();
}

/** Has every command that is used, as the trial of rights has shown. */
const ASSUMED_VERSION = '7.0.0';

/** For processes that must go on through an outage: commands wait until Redis is back. */
export function connectWorker(url: string, logger: Logger, server: ServerTraits = OWN_SERVER): Redis {
  const options = { maxRetriesPerRequest: null, enableReadyCheck: server.tellsInfo };
  return adopt(connect(url, options, logger), server);
}

/** For processes that must answer now: without Redis a command fails within two seconds. */
export function connectApi(url: string, logger: Logger, server: ServerTraits = OWN_SERVER): Redis {
  const options = {
    enableReadyCheck: server.tellsInfo,
    maxRetriesPerRequest: 1,
    enableOfflineQueue: false,
    connectTimeout: 1_500,
    commandTimeout: 1_500,
  };
  return adopt(connect(url, options, logger), server);
}

/** For a first look at a server, which may forbid what is asked. */
export function connectProbe(url: string, logger: Logger): Redis {
  return connect(url, { enableReadyCheck: false, maxRetriesPerRequest: 1 }, logger);
}

/**
 * A second connection to the same server, made when it is first used, for what takes long to send: no command of it has a
 * time limit of its own.
 */
export function connectAside(redis: Redis): Redis {
  const aside = redis.duplicate({ lazyConnect: true, enableOfflineQueue: true, commandTimeout: undefined });
  // The first connection reports an outage; whoever uses this one is told by the command that fails.
  aside.on('error', () => undefined);
  return aside;
}

/** What a server says to a wrong name or password: to wait does not help. */
const LOCKED_OUT = /^(WRONGPASS|NOAUTH|NOPERM)\b/;

/**
 * Resolves when the connection is ready.
 *
 * @throws DomainError `redis_unavailable` after `milliseconds`, or at once where the password is wrong, with the last
 *   reason and what to set; without the URL, which may hold a password
 */
export async function waitUntilReady(redis: Redis, milliseconds: number): Promise<void> {
  if (redis.status === 'ready') return;
  const { path, host, port } = redis.options;
  const where = path ?? `${host}:${port}`;
  let reason = 'it does not answer';
  let settle: { resolve: () => void; reject: (error: DomainError) => void };
  const done = new Promise<void>((resolve, reject) => (settle = { resolve, reject }));
  const ready = (): void => settle.resolve();
  const refuse = (what: string): void => {
    const lines = [
      `The Redis server at ${where} ${what}: ${reason}`,
      'Set REDIS_URL to a server that can be reached; without it `smoothcert serve` starts one of its own.',
    ];
    settle.reject(new DomainError('redis_unavailable', lines.join('\n')));
  };
  const failed = (error: Error): void => {
    reason = error.message;
    if (LOCKED_OUT.test(reason)) refuse('does not let this user in');
  };
  const timer = setTimeout(() => refuse(`was not ready within ${milliseconds / 1000} s`), milliseconds);
  redis.once('ready', ready).on('error', failed);
  try {
    await done;
  } finally {
    clearTimeout(timer);
    redis.off('ready', ready).off('error', failed);
  }
}
