import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { startApi } from '../../src/main/api.ts';
import { startStandalone } from '../../src/main/standalone.ts';
import { startEmbeddedRedis } from '../../src/redis/embedded/embedded-redis.ts';
import { readConfig } from '../../src/config/env.ts';
import { connectApi, connectWorker, waitUntilReady } from '../../src/redis/connections.ts';
import { DomainError } from '../../src/errors.ts';
import { createJobStore } from '../../src/jobs/job-store.ts';
import { certification, MODELS, QUIET, startTestApi, useTestApi } from '../support/api.ts';
import { untilGone } from '../support/processes.ts';
import { SHARED_SERVER_CACHE, startTestRedis } from '../support/redis.ts';
import { withinServedTime } from '../support/served-time.ts';
import { until } from '../support/until.ts';

/** Milliseconds in which an answer must be there while Redis is away. */
const PROMISED = 2_000;

const api = useTestApi();

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly headers: Record<string, string>;
}

const timely = (request: PromiseLike<Answer>): Promise<Answer> => withinServedTime(request, PROMISED);

/** Every kind of call is answered with 503 in time, and live stays 200. */
async function expectOutage(id: string): Promise<void> {
  const calls = [
    api.http.post('/v1/certifications').send(certification()),
    api.http.get('/v1/certifications'),
    api.http.get(`/v1/certifications/${id}`),
    api.http.get(`/v1/certifications/${id}/results`),
    api.http.post(`/v1/certifications/${id}/cancel`),
  ];
  const answers = await Promise.all(calls.map((call) => timely(call)));
  for (const { status, body, headers } of answers) {
    expect(status).toBe(503);
    expect(body).toMatchObject({
      code: 'queue_unavailable',
      type: '/problems/queue_unavailable',
      errors: [],
    });
    expect(headers['retry-after']).toMatch(/^[1-9]\d*$/);
  }
  await timely(api.http.get('/health/live').expect(200));
  const ready = await timely(api.http.get('/health/ready').expect(503));
  expect(ready.body).toMatchObject({
    checks: { redis: { ok: false, detail: expect.stringContaining('cannot be reached') as string } },
  });
}

async function submit(): Promise<string> {
  const { body } = await api.http.post('/v1/certifications').send(certification()).expect(202);
  return (body as { id: string }).id;
}

async function untilBack(): Promise<void> {
  await until(async () => (await api.http.get('/v1/certifications')).status === 200, {
    what: 'the API to serve again',
  });
}

const listed = async (): Promise<string[]> => {
  const { body } = await api.http.get('/v1/certifications?limit=500').expect(200);
  return (body as { data: { id: string }[] }).data.map(({ id }) => id);
};

describe('while Redis hangs', () => {
  test('every call is 503 in two seconds, live is 200, and afterwards all goes on without a restart', async () => {
    const id = await submit();
    const before = await listed();
    const pid = api.testRedis.pid()!;
    process.kill(pid, 'SIGSTOP');
    try {
      await expectOutage(id);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await untilBack();
    // What was answered with 503 was not accepted, although Redis has read the commands in the meantime.
    const store = createJobStore(api.redis, api.keys, 60, Date.now);
    await until(async () => (await store.active()).length === 1, {
      what: 'the refused job to be withdrawn',
    });
    expect(await listed()).toEqual(before);
    await api.http.get(`/v1/certifications/${id}`).expect(200);
    await submit();
  });
});

describe('while Redis is dead', () => {
  test('for a moment, calls are answered in time, and all goes on with nothing acknowledged lost', async () => {
    const id = await submit();
    // The supervisor brings it back within a moment: the call right after may meet either.
    const killed = api.testRedis.pid()!;
    process.kill(killed, 'SIGKILL');
    await untilGone(killed);
    const answer = await timely(api.http.get(`/v1/certifications/${id}`));
    expect([200, 503]).toContain(answer.status);
    await untilBack();
    await api.http.get(`/v1/certifications/${id}`).expect(200);
    await submit();
  });

  test('again and again under load, every answer is timely, and every job that was accepted is there', async () => {
    const accepted: string[] = [];
    for (let round = 0; round < 4; round += 1) {
      const pid = await until(() => api.testRedis.pid(), { what: 'a Redis server' });
      const posts = Array.from({ length: 8 }, () =>
        timely(api.http.post('/v1/certifications').send(certification())),
      );
      process.kill(pid, 'SIGKILL');
      for (const { status, body } of await Promise.all(posts)) {
        expect([202, 503]).toContain(status);
        if (status === 202) accepted.push(String(body['id']));
      }
      await untilGone(pid);
      await untilBack();
    }
    const present = await listed();
    expect(accepted.filter((id) => !present.includes(id))).toEqual([]);
  });

  test('for good, every call stays 503 in time', async () => {
    const gone = await startTestRedis();
    const orphan = await startTestApi(gone.url);
    try {
      const { body } = await orphan.http.post('/v1/certifications').send(certification()).expect(202);
      await gone.close();
      const shown = await timely(orphan.http.get(`/v1/certifications/${(body as { id: string }).id}`));
      expect(shown.status).toBe(503);
      const posted = await timely(orphan.http.post('/v1/certifications').send(certification()));
      expect(posted.status).toBe(503);
      expect(posted.headers['retry-after']).toBeDefined();
      await orphan.http.get('/health/live').expect(200);
      await orphan.http.get('/health/ready').expect(503);
      // What needs no queue is served.
      await orphan.http.get('/v1/models').expect(200);
      await orphan.http.post('/v1/radius').send({ topCount: 9, n: 10, alpha: 0.1, sigma: 1 }).expect(200);
    } finally {
      await orphan.close();
      await gone.close();
    }
  });
});

describe('a start without Redis', () => {
  const NOWHERE = 'redis://user:secret@127.0.0.1:1/0';

  async function failure(promise: Promise<unknown>): Promise<DomainError> {
    const error = await promise.then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(DomainError);
    return error as DomainError;
  }

  test.each([
    ['the API', connectApi],
    ['the worker', connectWorker],
  ])(
    'of %s is refused with redis_unavailable: the address, the reason, what to set, no password',
    async (_, connect) => {
      const client = connect(NOWHERE, QUIET);
      const { code, message } = await failure(waitUntilReady(client, 300));
      client.disconnect();
      expect(code).toBe('redis_unavailable');
      const [what, remedy, ...rest] = message.split('\n');
      expect(what).toMatch(/^The Redis server at 127\.0\.0\.1:1 was not ready within 0\.3 s: .*ECONNREFUSED/);
      expect(remedy).toMatch(/^Set REDIS_URL to a server that can be reached/);
      expect(rest).toEqual([]);
      expect(message).not.toContain('secret');
      expect(client.listenerCount('ready')).toBeLessThanOrEqual(2);
    },
  );

  test('that hangs is refused as well', async () => {
    const hung = await startTestRedis();
    const pid = hung.pid()!;
    process.kill(pid, 'SIGSTOP');
    const client = connectApi(hung.url, QUIET);
    try {
      const { code, message } = await failure(waitUntilReady(client, 300));
      expect(code).toBe('redis_unavailable');
      expect(message).toContain(hung.socketPath);
    } finally {
      client.disconnect();
      process.kill(pid, 'SIGCONT');
      await hung.close();
    }
  });

  test('of everything in one is refused where its Redis cannot start, with its words and code', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'smoothcert-test-'));
    const searchPath = process.env['PATH'] ?? '';
    const dataDirectory = join(directory, 'redis');
    const first = await startEmbeddedRedis({
      dataDirectory,
      cacheDirectory: SHARED_SERVER_CACHE,
      searchPath,
      logger: QUIET,
    });
    try {
      const config = readConfig({ SMOOTHCERT_MODELS_DIR: MODELS, SMOOTHCERT_DATA_DIR: directory }, {});
      const { code, message, cause } = await failure(startStandalone({ ...config, searchPath }, QUIET));
      expect(code).toBe('redis_unavailable');
      expect(message).toContain(String(process.pid));
      expect(cause).toMatchObject({ name: 'EmbeddedRedisError', code: 'redis_data_in_use' });
    } finally {
      await first.close();
      await rm(directory, { recursive: true, force: true });
    }
  });

  test('with a URL that is none is refused with config_invalid, by the name of the variable', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'smoothcert-test-'));
    try {
      const config = readConfig({ SMOOTHCERT_MODELS_DIR: MODELS, SMOOTHCERT_DATA_DIR: directory }, {});
      const { code, faults, message } = await failure(startApi(config, 'http://user:secret@host', QUIET));
      expect(code).toBe('config_invalid');
      expect(faults).toMatchObject([{ pointer: 'REDIS_URL' }]);
      expect(message).not.toContain('secret');
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
});
