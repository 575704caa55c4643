import type { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import type { JobResource, ResultResource } from '../../src/contract/resources.ts';
import { createKeys } from '../../src/jobs/keys.ts';
import { connectWorker, waitUntilReady } from '../../src/redis/connections.ts';
import { QUIET } from '../support/api.ts';
import { ref } from '../support/create-job.ts';
import { WAIT_LIMIT_MS } from '../support/limits.ts';
import { withOwnService } from '../support/own-service.ts';
import { exampleInputs, type ServiceProcess, type TestClient } from '../support/service.ts';
import { until } from '../support/until.ts';

// An engine is upgraded while a job runs: the pool that drew its first votes is never there again.

const keys = createKeys('smoothcert');
const REQUEST = {
  model: 'mnist-cnn',
  parameters: { sigma: 0.5, n0: 100, n: 30_000 },
  inputs: exampleInputs('mnist', 4),
  reproductionSeed: '5eed'.repeat(16),
};
const PLANNED = 4 * 30_100;
/** A worker that does not have the job's model. */
const OTHERS = { SMOOTHCERT_MODELS: 'fashion-mnist-cnn' };
const OLD = 'onnxruntime-node 0.29.0 on cpu (fp32)';

interface PoolTest {
  readonly redis: Redis;
  readonly client: TestClient;
  /** Starts a worker that waits so many minutes for a pool that is gone; resolves when it is ready. */
  startTestWorker(minutes: number, variables?: Record<string, string>): Promise<ServiceProcess>;
}

const withPool = (test: (pool: PoolTest) => Promise<void>): Promise<void> =>
  withOwnService(async ({ redis: server, client, startWorker }) => {
    const redis = connectWorker(server.url, QUIET);
    try {
      await waitUntilReady(redis, WAIT_LIMIT_MS);
      await test({
        redis,
        client,
        async startTestWorker(minutes, variables = {}) {
          const worker = startWorker({
            SMOOTHCERT_MODELS: 'mnist-cnn',
            SMOOTHCERT_POOL_GONE_MINUTES: String(minutes),
            ...variables,
          });
          await worker.logged('worker_ready');
          return worker;
        },
      });
    } finally {
      redis.disconnect();
    }
  });

/**
 * Starts a job, kills its worker between two inputs, and makes everything that is stored say that the worker had an older
 * version of the engine: what a worker of another release finds after an upgrade.
 */
async function interrupted({ redis, client, startTestWorker }: PoolTest): Promise<JobResource> {
  const first = await startTestWorker(10);
  const job = await client.submit(REQUEST);
  await until(async () => (await client.job(job.id)).progress.inputsDecided >= 1, {
    what: 'a decided input',

    everyMs: 20,
  });
  await first.end('SIGKILL');
  const stopped = await client.job(job.id);
  expect(stopped.finishedAt).toBeNull();
  const { version } = stopped.engine!;
  const older = (text: string): string => text.replaceAll(`"version":"${version}"`, '"version":"0.29.0"');
  for (const name of [keys.job, keys.votes, keys.results].map((key) => key(ref(job.id)))) {
    for (const [field, text] of Object.entries(await redis.hgetall(name))) {
      if (older(text) !== text) await redis.hset(name, field, older(text));
    }
  }
  for (const name of await redis.keys(`${keys.queuePrefix}:sampling-*${version}*`)) {
    await redis.rename(name, name.replace(version, '0.29.0'));
  }
  await redis.del(keys.workers);
  return client.job(job.id);
}

/** What was counted for each input, and by whom; with a client's seed it is no certificate. */
const counted = (results: readonly ResultResource[]) =>
  results.map((result) => {
    if (!('certificate' in result) || result.reproduction === null) throw new Error(JSON.stringify(result));
    return result.reproduction;
  });

// Each has a service of its own, and mostly waits for it.
describe.concurrent('where the pool of a job is gone', () => {
  it('a job says what it waits for, shows no speed and no end, and can be cancelled', () =>
    withPool(async (pool) => {
      const { client, startTestWorker } = pool;
      const { id } = await interrupted(pool);
      expect(await client.job(id)).toMatchObject({
        status: 'running',
        waitingFor: 'a worker: none is there',
      });
      const { log } = await startTestWorker(10);
      const waiting = await client.job(id);
      expect(waiting).toMatchObject({
        status: 'running',
        waitingFor: `mnist-cnn in ${OLD}, which no worker has`,
        progress: { samplesPerSecond: null, secondsLeft: null },
      });
      expect(waiting.progress.samplesDrawn).toBeGreaterThan(0);
      // A job of the pool that is there is not held up by it.
      const other = await client.submit({ ...REQUEST, parameters: { sigma: 0.5, n: 1_000 } });
      expect((await client.ended(other.id)).status).toBe('succeeded');
      expect(await client.cancel(id)).toMatchObject({ status: 'cancelled', waitingFor: null });
      expect(log.some(({ event, job }) => event === 'chunk_drawn' && job === id)).toBe(false);
    }));

  it('a job is bound anew after the stated time: no input mixes votes, none is decided twice, and they are those of the seed', () =>
    withPool(async (pool) => {
      const { client, startTestWorker } = pool;
      const before = await interrupted(pool);
      const kept = (await client.results(before.id)).filter(({ status }) => status === 'decided');
      expect(kept.length).toBeGreaterThanOrEqual(1);
      expect(kept.length).toBeLessThan(4);
      const { log } = await startTestWorker(0);
      const ended = await client.ended(before.id);
      expect(ended).toMatchObject({ status: 'succeeded', waitingFor: null });
      expect(ended.progress.samplesDrawn).toBe(PLANNED);
      expect(log.filter(({ event }) => event === 'job_rebound')).toMatchObject([{ from: OLD }]);
      const results = await client.results(before.id);
      for (const each of kept) expect(results[each.index]).toEqual(each);
      const made = counted(results);
      for (const [index, { engine, devices }] of made.entries()) {
        const old = kept.some((each) => each.index === index);
        expect(engine.version === '0.29.0').toBe(old);
        expect(devices.reduce((sum, { samples }) => sum + samples, 0)).toBe(30_100);
      }
      // The same request, undisturbed.
      const again = await client.submit(REQUEST);
      await client.ended(again.id);
      const votes = ({ selectionVotes, estimationVotes }: (typeof made)[number]) => [
        selectionVotes,
        estimationVotes,
      ];
      expect(counted(await client.results(again.id)).map(votes)).toEqual(made.map(votes));
    }));

  it('a job fails with the reason where no other pool has its model; what was decided stays', () =>
    withPool(async (pool) => {
      const { redis, client, startTestWorker } = pool;
      const { id } = await interrupted(pool);
      // What the dead worker held can be taken away when its locks have run out, as they have after a minute.
      await until(async () => (await redis.keys(`${keys.queuePrefix}:*:lock`)).length === 0, {
        what: 'the locks of the dead worker to run out',
      });
      await startTestWorker(0, OTHERS);
      const ended = await client.ended(id);
      expect(ended.status).toBe('partially_succeeded');
      const results = await client.results(id);
      expect(results.filter(({ status }) => status === 'decided').length).toBeGreaterThanOrEqual(1);
      for (const { error } of results.filter(({ status }) => status !== 'decided')) {
        expect(error!.code).toBe('model_unavailable');
        expect(error!.detail).toMatch(
          /^waited \d+ s for mnist-cnn in onnxruntime-node 0\.29\.0 .*no pool in service/,
        );
      }
      expect(await redis.keys(`${keys.queuePrefix}:*${id}*`)).toEqual([]);
    }));

  it('a job whose model no worker has waits and says so, and fails with all its inputs after the stated time', () =>
    withPool(async (pool) => {
      const { client, startTestWorker } = pool;
      const request = { ...REQUEST, parameters: { sigma: 0.5, n: 500 } };
      const { id } = await client.submit(request);
      const patient = await startTestWorker(10, OTHERS);
      await until(async () => (await client.job(id)).status === 'running', {
        what: 'the job to be taken up',
      });
      expect(await client.job(id)).toMatchObject({
        engine: null,
        waitingFor: 'mnist-cnn, which no worker has',
      });
      // Found by a worker that has the model, it is drawn at once.
      const owner = await startTestWorker(10);
      expect((await client.ended(id)).status).toBe('succeeded');
      await Promise.all([patient.end(), owner.end()]);

      const { id: second } = await client.submit(request);
      await startTestWorker(0, OTHERS);
      const { status, error, summary } = await client.ended(second);
      expect(status).toBe('failed');
      expect(error!.code).toBe('model_unavailable');
      expect(error!.detail).toMatch(/^waited \d+ s for mnist-cnn, which no worker has; no pool in service/);
      expect(summary.failed).toBe(4);
      for (const result of await client.results(second))
        expect(result).toMatchObject({ status: 'failed', error });
    }));

  it('a worker that lacks a job’s model leaves it to the one that has it, and does not fail it', () =>
    withPool(async (pool) => {
      const { client, startTestWorker } = pool;
      const other = await startTestWorker(10, OTHERS);
      const owner = await startTestWorker(10);
      const jobs = await Promise.all(
        Array.from({ length: 12 }, () => client.submit({ ...REQUEST, parameters: { sigma: 0.5, n: 500 } })),
      );
      for (const { id } of jobs) expect((await client.ended(id)).status).toBe('succeeded');
      const drew = (process: ServiceProcess): boolean =>
        process.log.some(({ event }) => event === 'chunk_drawn');
      expect([drew(other), drew(owner)]).toEqual([false, true]);
      await other.end();
    }));
});
