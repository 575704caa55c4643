import { expect, test } from 'vitest';
import { serverArguments } from '../../../../src/redis/embedded/server-arguments.ts';

const pairs = new Map<string, string>();
const given = serverArguments('/data with space', '/tmp/redis.sock');
for (let index = 0; index < given.length; index += 2) pairs.set(given[index]!, given[index + 1]!);

test.each([
  ['--port', '0'],
  ['--unixsocket', '/tmp/redis.sock'],
  ['--unixsocketperm', '700'],
  ['--dir', '/data with space'],
  ['--appendonly', 'yes'],
  ['--appendfsync', 'always'],
  ['--aof-load-truncated', 'yes'],
  ['--save', ''],
  ['--stop-writes-on-bgsave-error', 'no'],
  ['--maxmemory-policy', 'noeviction'],
  ['--daemonize', 'no'],
  ['--loglevel', 'warning'],
])('the server is told %s "%s"', (name, value) => {
  expect(pairs.get(name)).toBe(value);
});

test('no setting is given twice, and each has one value', () => {
  expect(given).toHaveLength(pairs.size * 2);
  for (const name of pairs.keys()) expect(name).toMatch(/^--[a-z-]+$/);
});

test('the path of the socket is one whole argument: a left-over server is recognised by it', () => {
  expect(given).toContain('/tmp/redis.sock');
});
