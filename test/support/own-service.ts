import { startTestRedis, type TestRedis } from './redis.ts';
import { createTestClient, type ServiceProcess, startProcess, type TestClient } from './service.ts';

export interface OwnService {
  readonly redis: TestRedis;
  readonly client: TestClient;
  /** Starts a worker of one lane on the CPU, with these variables besides. */
  startWorker(variables?: Readonly<Record<string, string>>): ServiceProcess;
}

/** Gives a test a Redis server and an API of its own, so that it can run beside others, and ends them. */
export async function withOwnService(test: (service: OwnService) => Promise<void>): Promise<void> {
  const redis = await startTestRedis();
  const processes: ServiceProcess[] = [];
  const start = (command: string, variables: Readonly<Record<string, string>>): ServiceProcess => {
    const started = startProcess(command, { REDIS_URL: redis.url, ...variables });
    processes.push(started);
    return started;
  };
  try {
    const api = start('api', { SMOOTHCERT_PORT: '0' });
    const client = createTestClient(String((await api.logged('api_listening'))['url']));
    await test({
      redis,
      client,
      startWorker: (variables = {}) =>
        start('worker', { SMOOTHCERT_LANES: '1', SMOOTHCERT_DEVICES: 'cpu', ...variables }),
    });
    await Promise.all(processes.map((each) => each.end()));
  } catch (error) {
    await Promise.all(processes.map((each) => each.end('SIGKILL')));
    await redis.close().catch(() => undefined);
    throw error;
  }
  await redis.close();
}
