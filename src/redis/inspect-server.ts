import type { Redis } from 'ioredis';
import { DomainError } from '../errors.ts';
import { logLine } from '../log-events.ts';
import type { Logger } from '../logger.ts';
import { connectProbe, waitUntilReady } from './connections.ts';
import { judgeServer } from './judge-server.ts';
import { missingRights } from './missing-rights.ts';
import { readServerInfo, type ServerTraits } from './server-info.ts';

/**
 * How long a process that starts waits for Redis: longer than a server takes to be started again, or stands still while its
 * machine is moved. What is wrong is in the log at once.
 */
export const START_MILLISECONDS = 60_000;

const SETTINGS = ['maxmemory-policy', 'maxmemory', 'appendonly', 'appendfsync'];

/**
 * Looks at a Redis server before anything is trusted to it: whether it can be reached, what the user may do, and whether it
 * keeps what it is given. What cannot be found out is warned of, once.
 *
 * @param milliseconds for reaching it, and again for all questions
 * @throws DomainError `redis_unavailable` where it cannot be reached in that time, may not be used, or would lose jobs; with
 *   every reason
 */
export async function inspectServer(
  url: string,
  prefix: string,
  logger: Logger,
  milliseconds: number,
): Promise<ServerTraits> {
  const redis = connectProbe(url, logger);
  let limit: NodeJS.Timeout | undefined;
  try {
    await waitUntilReady(redis, milliseconds);
    limit = setTimeout(() => redis.disconnect(), milliseconds);
    const hello = await optional(redis.call('HELLO'));
    const info = await optional(redis.info());
    const rights = await missingRights(redis, prefix);
    const server = readServerInfo(hello, info, await settings(redis));
    const { refusals, warnings } = judgeServer(server);
    const faults = [...rights.map((right) => `its user lacks a right: ${right}`), ...refusals];
    const { path, host, port } = redis.options;
    const where = path ?? `${host}:${port}`;
    if (faults.length > 0) {
      throw new DomainError(
        'redis_unavailable',
        `The Redis server at ${where} cannot be used:\n${faults.map((fault) => `- ${fault}`).join('\n')}`,
      );
    }
    for (const warning of warnings) logger.warn(...logLine('redis_server_unfit', { server: where, warning }));
    return { version: server.version, tellsInfo: info !== null };
  } catch (error) {
    if (error instanceof DomainError) throw error;
    const reason = redis.status === 'ready' ? String(error) : `no answer within ${milliseconds / 1000} s`;
    throw new DomainError('redis_unavailable', `The Redis server cannot be looked at: ${reason}`, [], {
      cause: error,
    });
  } finally {
    clearTimeout(limit);
    redis.disconnect();
  }
}

/** The settings that may be read, or null where none may. */
async function settings(redis: Redis): Promise<ReadonlyMap<string, string> | null> {
  const found = new Map<string, string>();
  for (const name of SETTINGS) {
    const answer = await optional(redis.call('CONFIG', 'GET', name));
    if (answer === null) return null;
    const [, value] = answer as readonly string[];
    if (value !== undefined) found.set(name, value);
  }
  return found;
}

/** The answer, or null where the server refuses the question; rejects where it does not answer. */
async function optional<Answer>(answer: Promise<Answer>): Promise<Answer | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Error && error.name === 'ReplyError') return null;
    throw error;
  }
}
