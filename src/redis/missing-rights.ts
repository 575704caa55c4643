import type { Redis } from 'ioredis';

/**
 * Commands of every kind that the service and BullMQ send, on keys and a channel that the user must be allowed. Run they do
 * nothing that lasts: what they write is deleted by the last.
 */
function trials(prefix: string): readonly (readonly [string, ...string[]])[] {
  const key = (name: string): string => `${prefix}:queues:trial:${name}`;
  return [
    ['PING'],
    ['SET', key('string'), '1', 'PX', '60000'],
    ['MGET', key('string')],
    ['HSET', key('hash'), 'field', '1'],
    ['HMGET', key('hash'), 'field'],
    ['HINCRBY', key('hash'), 'field', '1'],
    ['SADD', key('set'), '1'],
    ['SMEMBERS', key('set')],
    ['SREM', key('set'), '1'],
    ['ZADD', key('sorted'), '1', '1'],
    ['ZREVRANGE', key('sorted'), '0', '0'],
    ['ZREM', key('sorted'), '1'],
    ['LPUSH', key('list'), '1'],
    ['LRANGE', key('list'), '0', '-1'],
    ['XADD', key('stream'), 'MAXLEN', '~', '10', '*', 'field', '1'],
    ['XADD', key('stream'), 'MINID', '~', '1', '*', 'field', '1'],
    ['XRANGE', key('stream'), '-', '+', 'COUNT', '1'],
    ['XTRIM', key('stream'), 'MAXLEN', '0'],
    ['EVAL', "return redis.call('EXISTS', KEYS[1])", '1', key('string')],
    ['EVALSHA', '0'.repeat(40), '0'],
    ['BZPOPMIN', key('sorted'), '0.01'],
    ['PUBLISH', `${prefix}:cancellations:trial`, '1'],
    ['SUBSCRIBE', `${prefix}:cancellations:trial`],
    ['UNSUBSCRIBE', `${prefix}:cancellations:trial`],
    ['PEXPIRE', key('hash'), '60000'],
    ['DEL', ...['string', 'hash', 'set', 'sorted', 'list', 'stream'].map(key)],
  ];
}

/** What the user of this connection may not do of what the service does: Redis' own sentences, which name the command. */
export async function missingRights(redis: Redis, prefix: string): Promise<string[]> {
  const refused: string[] = [];
  for (const [command, ...args] of trials(prefix)) {
    try {
      await redis.call(command, ...args);
    } catch (error) {
      // Other errors are of the moment (no memory, no such script), and met where they matter.
      const { name, message } = error as Error;
      if (name !== 'ReplyError') throw error;
      if (message.startsWith('NOPERM')) refused.push(`${command}: ${message.replace(/^NOPERM /, '')}`);
    }
  }
  return refused;
}
