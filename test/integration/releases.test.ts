import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EngineDescription } from '../../src/engines/engine.ts';
import { queueId } from '../../src/jobs/job-ref.ts';
import { createKeys } from '../../src/jobs/keys.ts';
import { samplingQueues } from '../../src/jobs/queues.ts';
import { refuseOlderJobs } from '../../src/jobs/refuse-older-jobs.ts';
import { runCommand } from '../support/command-line.ts';
import { ref } from '../support/create-job.ts';
import { connectTestRedis, startTestRedis, type TestRedis } from '../support/redis.ts';
import { createTestClient, exampleInputs, type ServiceProcess, startProcess } from '../support/service.ts';
import { readStoredJobs, restore } from '../support/stored-jobs.ts';
import { until } from '../support/until.ts';
import { NOISE } from '../support/worker-status.ts';

// What two releases make of one Redis. The stored jobs are real ones: test/fixtures/stored-jobs/write.mjs.

let server: TestRedis;
let redis: Redis;

beforeAll(async () => {
  server = await startTestRedis();
  redis = await connectTestRedis(server);
});
afterAll(async () => {
  redis?.disconnect();
  await server?.close();
});

describe('a job that a release before jobs had owners has not ended', () => {
  const older = readStoredJobs('without-owner');

  it.each(['api', 'worker'])(
    'keeps this release’s %s from starting, with what to do, and stays as it is',
    async (command) => {
      await redis.flushall();
      await restore(redis, older);
      const before = await contents();
      const { status, stderr } = await runCommand([command], {
        REDIS_URL: server.url,
        SMOOTHCERT_PORT: '0',
        SMOOTHCERT_MODELS: 'mnist-cnn',
      });
      expect(status).toBe(3);
      expect(stderr).toContain(
        `1 unfinished job of an earlier release, which this one does not read: ${older.running}`,
      );
      expect(stderr).toContain('Run that release again until they have ended, or cancel them there');
      expect(await contents()).toEqual(before);
    },
  );

  it('is no obstacle any more once it has ended', async () => {
    await redis.flushall();
    await restore(redis, older);
    await expect(refuseOlderJobs(redis, 'smoothcert')).rejects.toMatchObject({ code: 'release_mismatch' });
    await expect(refuseOlderJobs(redis, randomBytes(4).toString('hex'))).resolves.toBeUndefined();
    await redis.hset(`smoothcert:job:${older.running}`, 'status', 'cancelled');
    await expect(refuseOlderJobs(redis, 'smoothcert')).resolves.toBeUndefined();
  });

  it('is one of many: some are named, the others counted', async () => {
    await redis.flushall();
    for (let index = 1; index <= 7; index += 1) {
      await redis.sadd('smoothcert:active', `cert_${index}`);
      await redis.hset(`smoothcert:job:cert_${index}`, 'status', 'queued');
    }
    await expect(refuseOlderJobs(redis, 'smoothcert')).rejects.toThrow(
      'Redis holds 7 unfinished jobs of an earlier release, which this one does not read: cert_1, cert_2, cert_3, cert_4, cert_5 and 2 more.',
    );
  });
});

describe('a job that an earlier release has stored and begun', () => {
  it('goes on in this one to the votes that it would have had, with the result that was there', async () => {
    await redis.flushall();
    const stored = readStoredJobs('version-1');
    await restore(redis, stored);
    const { client } = await startBoth();
    const ended = await client.ended(stored.running);
    expect(ended.status).toBe('succeeded');
    const votes = (await client.results(stored.running)).map((result) => {
      if (!('certificate' in result) || result.reproduction === null) throw new Error(JSON.stringify(result));
      return [result.reproduction.selectionVotes, result.reproduction.estimationVotes];
    });
    expect(votes).toEqual(stored.votes);
    expect(ended.progress.samplesDrawn).toBe(ended.progress.samplesPlanned);
  });
});

describe('what a newer release has stored', () => {
  const request = {
    model: 'mnist-cnn',
    parameters: { sigma: 0.5, n0: 100, n: 1_000 },
    inputs: exampleInputs('mnist', 1),
  };

  it('is shown by none but that, and named among the others; nothing of it is touched until a release reads it', async () => {
    await redis.flushall();
    const keys = createKeys('smoothcert');
    const { client, startWorker } = await startApi();
    const [newer, own] = [await client.submit(request), await client.submit(request)];
    await redis.hset(keys.job(ref(newer.id)), 'version', 2);
    const before = await redis.dumpBuffer(keys.job(ref(newer.id)));
    for (const [method, path] of [
      ['GET', ''],
      ['GET', '/results'],
      ['POST', '/cancel'],
    ] as const) {
      const answer = await fetch(`${client.url}/v1/certifications/${newer.id}${path}`, { method });
      expect(answer.status).toBe(503);
      expect(await answer.json()).toMatchObject({
        code: 'release_mismatch',
        detail: `the record of job ${newer.id} is of version 2, of a newer release; this one knows up to 1 and leaves it alone`,
      });
    }
    for (const limit of [1, 50]) {
      const list = await fetch(`${client.url}/v1/certifications?limit=${limit}`);
      const { data, newer: named } = (await list.json()) as { data: { id: string }[]; newer?: string[] };
      expect(data.map(({ id }) => id)).toEqual([own.id]);
      expect(named).toEqual(limit === 1 ? undefined : [newer.id]);
    }
    const { log } = await startWorker();
    expect((await client.ended(own.id)).status).toBe('succeeded');
    const left = () =>
      log.filter(({ event, work }) => event === 'left_to_newer_release' && work === queueId(ref(newer.id)));
    await until(() => left().length > 0, { what: 'the job to be left alone' });
    expect((await redis.dumpBuffer(keys.job(ref(newer.id)))).equals(before)).toBe(true);
    expect(await redis.keys(`${keys.job(ref(newer.id))}:tensors`)).toEqual([]);
    await redis.hset(keys.job(ref(newer.id)), 'version', 1);
    expect((await client.ended(newer.id)).status).toBe('succeeded');
  });

  it('of votes is not counted, and of work in the queue not done: it stays there', async () => {
    await redis.flushall();
    const keys = createKeys('smoothcert');
    const { client, worker } = await startBoth();
    const done = await client.submit(request);
    const { engine } = await client.ended(done.id);
    const queues = samplingQueues(redis, keys);
    try {
      const queue = queues.of(engine as EngineDescription, NOISE);
      const data = { v: 2, value: { ...ref(done.id), binding: 0, chunk: 0 } };
      await queue.add('sample', data, { jobId: 'of-a-newer-release' });
      await until(
        () =>
          worker.log.some(
            ({ event, work }) => event === 'left_to_newer_release' && work === 'of-a-newer-release',
          ),
        {
          what: 'the chunk to be left alone',
        },
      );
      await until(async () => (await queue.getJobState('of-a-newer-release')) === 'delayed', {
        what: 'the chunk to be given back',
      });
      expect((await queue.getJob('of-a-newer-release'))!.data).toEqual(data);
    } finally {
      await queues.close();
    }
  });
});

/** An API, and a way to start a worker beside it. */
async function startApi() {
  const api = startProcess('api', { REDIS_URL: server.url, SMOOTHCERT_PORT: '0' });
  const client = createTestClient(String((await api.logged('api_listening'))['url']));
  const startWorker = async (): Promise<ServiceProcess> => {
    const worker = startProcess('worker', {
      REDIS_URL: server.url,
      SMOOTHCERT_LANES: '1',
      SMOOTHCERT_MODELS: 'mnist-cnn',
    });
    await worker.logged('worker_ready');
    return worker;
  };
  return { client, startWorker };
}

async function startBoth() {
  const { client, startWorker } = await startApi();
  return { client, worker: await startWorker() };
}

/** Every key with its contents, as Redis serializes them. */
async function contents(): Promise<Record<string, string>> {
  const keys = (await redis.keys('*')).toSorted();
  const dumps = await Promise.all(keys.map((key) => redis.dumpBuffer(key)));
  return Object.fromEntries(keys.map((key, index) => [key, dumps[index]!.toString('base64')]));
}
