import { describe, expect, test } from 'vitest';
import { parseRedisUrl } from '../../../src/redis/redis-url.ts';

describe('a Redis URL', () => {
  test.each([
    ['redis://localhost', { host: 'localhost', port: 6379 }],
    ['redis://localhost/', { host: 'localhost', port: 6379 }],
    ['redis://cache.internal:6380/3', { host: 'cache.internal', port: 6380, db: 3 }],
    ['redis://:secret@10.0.0.7/0', { host: '10.0.0.7', port: 6379, password: 'secret', db: 0 }],
    ['redis://me:p%40ss%2Fw@h:1', { host: 'h', port: 1, username: 'me', password: 'p@ss/w' }],
    ['redis://[::1]:6379/1', { host: '::1', port: 6379, db: 1 }],
    ['REDIS://Upper', { host: 'Upper', port: 6379 }],
    ['rediss://h.example', { host: 'h.example', port: 6379, tls: { servername: 'h.example' } }],
    ['unix:///run/redis.sock', { path: '/run/redis.sock' }],
    ['unix:///run/redis.sock?db=4', { path: '/run/redis.sock', db: 4 }],
    ['unix:///with%20space/%C3%A9.sock', { path: '/with space/é.sock' }],
    [
      'unix://me:p%40ss@/run/redis.sock?db=1',
      { path: '/run/redis.sock', username: 'me', password: 'p@ss', db: 1 },
    ],
    ['unix://:pass@/run/redis.sock', { path: '/run/redis.sock', password: 'pass' }],
    ['unix:/run/redis.sock', { path: '/run/redis.sock' }],
  ])('%s becomes the options of a connection', (url, options) => {
    expect(parseRedisUrl(url)).toEqual(options);
  });

  test.each([
    ['', 'not such a URL'],
    ['localhost:6379', 'not such a URL'],
    ['/run/redis.sock', 'not such a URL'],
    ['http://localhost', 'not such a URL'],
    ['redis+sentinel://localhost', 'not such a URL'],
    ['redis:///1', 'no host'],
    ['redis://h/one', 'not a whole number'],
    ['redis://h/-1', 'not a whole number'],
    ['redis://h/1/2', 'not a whole number'],
    ['redis://h?tls=true', 'parameter'],
    ['redis://h#0', 'fragment'],
    ['redis://:%E0%A4@h', 'malformed percent escape'],
    ['unix://run/redis.sock', 'three slashes'],
    ['unix://me:pass@run/redis.sock', 'three slashes'],
    ['unix:///', 'no socket'],
    ['unix:///run/', 'no socket'],
    ['unix:///a.sock?db=x', 'not a whole number'],
    ['unix:///a.sock?db=1&db=2', 'several'],
    ['unix:///a.sock?database=1', 'parameter'],
  ])('"%s" is refused, and the message says why', (url, reason) => {
    expect(() => parseRedisUrl(url)).toThrow(reason);
    expect(() => parseRedisUrl(url)).toThrow(
      'redis://host:6379/0, rediss://host:6379/0 or unix:///path/to.sock?db=0',
    );
  });

  test.each(['http://me:hunter2@h', 'redis://me:hunter2@h/one', 'redis://me:hunter2@h?x=1', 'me:hunter2@h'])(
    'is never repeated in a message, for its password: %s',
    (url) => {
      expect(() => parseRedisUrl(url)).toThrow(
        expect.not.objectContaining({ message: expect.stringContaining('hunter2') }),
      );
    },
  );
});
