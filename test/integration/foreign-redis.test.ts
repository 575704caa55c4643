import { createServer, type Socket } from 'node:net';
import { once } from 'node:events';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { inspectServer } from '../../src/redis/inspect-server.ts';
import { domainFault } from '../support/domain-fault.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { createTestClient, exampleInputs, startProcess } from '../support/service.ts';
import { useTemporaryDirectory } from '../support/temporary-directory.ts';

// Redis servers as administrators and providers set them up, all of them real.

const directory = useTemporaryDirectory();
const KEPT = [['appendonly', 'yes']] as const;

/** Looks at the server; answers what was warned of. */
async function inspect(url: string, milliseconds = 20_000): Promise<string[]> {
  const warnings: string[] = [];
  const sink = { write: (line: string) => void warnings.push(String(JSON.parse(line).warning)) };
  await inspectServer(url, 'smoothcert', pino({ level: 'warn' }, sink), milliseconds);
  return warnings;
}

const refusal = async (url: string, milliseconds?: number): Promise<string> => {
  const fault = await domainFault(() => inspect(url, milliseconds));
  expect(fault.code).toBe('redis_unavailable');
  return fault.message;
};

describe('a Redis server is looked at before anything is trusted to it', () => {
  it('one that keeps what it is given is taken without a word', async () => {
    const path = await startRedisServer(directory('kept'), KEPT);
    expect(await inspect(`unix://${path}`)).toEqual([]);
  });

  it('one that writes nothing down is warned of', async () => {
    const path = await startRedisServer(directory('volatile'), [['appendonly', 'no']]);
    expect(await inspect(`unix://${path}`)).toEqual([expect.stringContaining('appendonly is no')]);
  });

  it('one that does not sync what it writes is warned of', async () => {
    const path = await startRedisServer(directory('lazy'), [...KEPT, ['appendfsync', 'no']]);
    expect(await inspect(`unix://${path}`)).toEqual([expect.stringContaining('appendfsync is no')]);
  });

  it('one that evicts keys is refused, or warned of while it has no limit of memory', async () => {
    const policy = ['maxmemory-policy', 'allkeys-lru'] as const;
    const unlimited = await startRedisServer(directory('lru'), [...KEPT, policy]);
    expect(await inspect(`unix://${unlimited}`)).toEqual([
      expect.stringMatching(/maxmemory-policy is allkeys-lru.*set noeviction/),
    ]);
    const limited = await startRedisServer(directory('lru-limited'), [
      ...KEPT,
      policy,
      ['maxmemory', '64mb'],
    ]);
    expect(await refusal(`unix://${limited}`)).toMatch(/maxmemory-policy is allkeys-lru.*set noeviction/);
  });

  it('one in cluster mode is refused', async () => {
    const path = await startRedisServer(directory('cluster'), [...KEPT, ['cluster-enabled', 'yes']]);
    expect(await refusal(`unix://${path}`)).toContain('cluster mode');
  });

  it('a replica is refused', async () => {
    const path = await startRedisServer(directory('replica'), [...KEPT, ['replicaof', '127.0.0.1 1']]);
    expect(await refusal(`unix://${path}`)).toContain('it is a replica');
  });

  it('one that lacks rights is refused with each of them, all at once', async () => {
    const path = await startRedisServer(directory('rights'), [
      ...KEPT,
      ['user', 'service on >secret ~* &* +@all -bzpopmin -evalsha -publish'],
    ]);
    const message = await refusal(`unix://service:secret@${path}`);
    for (const command of ['BZPOPMIN', 'EVALSHA', 'PUBLISH'])
      expect(message).toContain(`lacks a right: ${command}`);
    expect(message.match(/lacks a right/g)).toHaveLength(3);
    expect(message).not.toContain('secret');
  });

  it('one where the user may touch other keys only is refused', async () => {
    const path = await startRedisServer(directory('keys'), [
      ...KEPT,
      ['user', 'service on >secret ~other:* &* +@all'],
    ]);
    expect(await refusal(`unix://service:secret@${path}`)).toMatch(/lacks a right: SET: .*keys/);
  });

  it('one that forbids what would tell is taken, with one warning of what is not known', async () => {
    const path = await startRedisServer(directory('managed'), [
      ...KEPT,
      ['user', 'service on >secret ~* &* +@all -info -config'],
    ]);
    expect(await inspect(`unix://service:secret@${path}`)).toEqual([
      'it does not let its maxmemory-policy, appendonly be read',
    ]);
  });

  it('one that takes the connection and never answers is given up in the time that is given', async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      silent.close();
    });
    await once(silent, 'listening');
    const { port } = silent.address() as { port: number };
    expect(await refusal(`redis://127.0.0.1:${port}`, 1_000)).toMatch(
      /not ready within 1 s|no answer within 1 s/,
    );
  });

  it('one that wants another password says so', async () => {
    const path = await startRedisServer(directory('password'), [
      ...KEPT,
      ['user', 'service on >secret ~* &* +@all'],
    ]);
    expect(await refusal(`unix://service:wrong@${path}`)).toMatch(/does not let this user in: WRONGPASS/);
  });
});

it.each(['api', 'worker'])('a process that starts before its Redis waits for it: %s', async (command) => {
  const started = startProcess(command, {
    REDIS_URL: `unix://${directory(`late-${command}`)}/redis.sock`,
    SMOOTHCERT_PORT: '0',
    SMOOTHCERT_LANES: '1',
    SMOOTHCERT_MODELS: 'mnist-cnn',
  });
  await started.logged('redis_connection_failed');
  await startRedisServer(directory(`late-${command}`), KEPT);
  await started.logged(command === 'api' ? 'api_listening' : 'worker_ready');
});

it('a service runs jobs to their end where Redis forbids INFO and CONFIG, as managed servers do', async () => {
  const path = await startRedisServer(directory('service'), [
    ...KEPT,
    ['user', 'service on >secret ~smoothcert:* &smoothcert:* +@all -@dangerous -@admin'],
  ]);
  const service = startProcess('serve', {
    REDIS_URL: `unix://service:secret@${path}`,
    SMOOTHCERT_PORT: '0',
    SMOOTHCERT_LANES: '1',
    SMOOTHCERT_MODELS: 'mnist-cnn',
  });
  const client = createTestClient(String((await service.logged('api_listening'))['url']));
  const parameters = { sigma: 0.5, n0: 100, n: 1_000 };
  const { id } = await client.submit({ model: 'mnist-cnn', parameters, inputs: exampleInputs('mnist', 1) });
  expect((await client.ended(id)).status).toBe('succeeded');
  expect(service.log.filter(({ event }) => event === 'redis_server_unfit')).toHaveLength(1);
});
