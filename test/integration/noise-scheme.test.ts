import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { JobResource } from '../../src/contract/resources.ts';
import { createKeys } from '../../src/jobs/keys.ts';
import { createPresence } from '../../src/jobs/presence.ts';
import {
  type CoordinatorData,
  coordinatorQueue,
  enqueueCoordination,
  type SamplingQueues,
  samplingQueues,
} from '../../src/jobs/queues.ts';
import { createSamplingStore } from '../../src/jobs/sampling-store.ts';
import { chunkFormat } from '../../src/jobs/stored/queue-data.ts';
import { requestFormat } from '../../src/jobs/stored/record.ts';
import { ref } from '../support/create-job.ts';
import { planRound } from '../support/plan-round.ts';
import { connectTestRedis, startTestRedis, type TestRedis } from '../support/redis.ts';
import {
  createTestClient,
  exampleInputs,
  type ServiceProcess,
  startProcess,
  type TestClient,
} from '../support/service.ts';
import { until } from '../support/until.ts';
import { hostStatus, loadedModel, NOISE, workerStatus } from '../support/worker-status.ts';

// Two releases share a queue, and the newer one's noise is of another version of the scheme: the same seed gives other noise.

const keys = createKeys('smoothcert');
const REQUEST = {
  model: 'mnist-cnn',
  parameters: { sigma: 0.5, n0: 100, n: 1_000 },
  inputs: exampleInputs('mnist', 1),
};
const LATER = { scheme: NOISE.scheme, version: NOISE.version + 1 };
const WAITS = `mnist-cnn with noise by ${LATER.scheme} ${LATER.version}, which no worker has`;

let server: TestRedis;
let redis: Redis;
let queues: SamplingQueues;
let coordinators: Queue<CoordinatorData>;
let api: ServiceProcess;
let client: TestClient;
let worker: ServiceProcess | null = null;

async function startTestWorker(minutes: number): Promise<ServiceProcess> {
  worker = startProcess('worker', {
    REDIS_URL: server.url,
    SMOOTHCERT_LANES: '1',
    SMOOTHCERT_MODELS: 'mnist-cnn',
    SMOOTHCERT_POOL_GONE_MINUTES: String(minutes),
  });
  await worker.logged('worker_ready');
  return worker;
}

beforeAll(async () => {
  server = await startTestRedis();
  redis = await connectTestRedis(server);
  queues = samplingQueues(redis, keys);
  coordinators = coordinatorQueue(redis, keys);
  api = startProcess('api', { REDIS_URL: server.url, SMOOTHCERT_PORT: '0' });
  client = createTestClient(String((await api.logged('api_listening'))['url']));
});
afterEach(async () => {
  await worker?.end();
  worker = null;
  await redis.del(keys.workers);
});
afterAll(async () => {
  await api?.end();
  await queues?.close();
  await coordinators?.close();
  redis?.disconnect();
  await server?.close();
});

/** Submits a job while nobody works, and makes its record say what the API of the newer release would have said. */
async function submitLater(): Promise<JobResource> {
  const { id } = await client.submit(REQUEST);
  const request = requestFormat.read((await redis.hget(keys.job(ref(id)), 'request'))!);
  expect(request.noise).toEqual(NOISE);
  await redis.hset(
    keys.job(ref(id)),
    'request',
    requestFormat.write({ ...request, noise: { ...NOISE, ...LATER } }),
  );
  return client.job(id);
}

const chunksOf = ({ log }: ServiceProcess, id: string, event: string) =>
  log.filter((entry) => entry.event === event && entry['job'] === id);

it('a job of a scheme that no worker here draws is drawn by none; it waits, says for what, and shows its own scheme', async () => {
  const later = await submitLater();
  expect(later.parameters.noise).toEqual(LATER);
  const here = await startTestWorker(10);
  await until(async () => (await client.job(later.id)).status === 'running', {
    what: 'the job to be taken up',
  });
  // Others are drawn meanwhile.
  const own = await client.submit(REQUEST);
  expect(own.parameters.noise).toEqual({ scheme: NOISE.scheme, version: NOISE.version });
  expect((await client.ended(own.id)).status).toBe('succeeded');
  const [result] = await client.results(own.id);
  expect(result).toMatchObject({ certificate: { noise: { scheme: NOISE.scheme, version: NOISE.version } } });
  const waiting = await client.job(later.id);
  expect(waiting).toMatchObject({
    status: 'running',
    engine: null,
    waitingFor: WAITS,
    parameters: { noise: LATER },
    progress: { samplesDrawn: 0, secondsLeft: null },
  });
  expect(chunksOf(here, later.id, 'chunk_drawn')).toEqual([]);
  expect(await client.cancel(later.id)).toMatchObject({ status: 'cancelled', parameters: { noise: LATER } });
});

it('such a job fails after the stated time, and the reason names the scheme', async () => {
  const later = await submitLater();
  await startTestWorker(0);
  const ended = await client.ended(later.id);
  expect(ended).toMatchObject({ status: 'failed', error: { code: 'noise_unavailable' } });
  expect(ended.error!.detail).toMatch(
    /^waited \d+ s for mnist-cnn with noise by rounded-gaussian 2, which no worker has/,
  );
});

it('such a job is left to the worker that draws it, and refused where its chunks come to another all the same', async () => {
  const later = await submitLater();
  const here = await startTestWorker(10);
  const own = await client.submit(REQUEST);
  const { engine, model } = await client.ended(own.id);
  const description = engine as ReturnType<typeof loadedModel>['engine'];
  // The newer release's worker, as far as others know of it.
  const presence = createPresence(redis, keys);
  const models = [loadedModel({ digest: model.digest, engine: description })];
  const newer = { ...workerStatus('newer', [hostStatus({ models })]), noise: [LATER] };
  const announcing = setInterval(() => void presence.announce(newer), 1_000);
  try {
    await presence.announce(newer);
    // Every job is looked at now and then; this one at once.
    await enqueueCoordination(coordinators, ref(later.id), 'newer-worker');
    await until(async () => (await client.job(later.id)).engine !== null, {
      what: 'the job to get its pool',
    });
    expect(await client.job(later.id)).toMatchObject({
      engine,
      waitingFor: null,
      progress: { samplesDrawn: 0 },
    });
    // Nobody but the newer worker may plan its round; this stands for it.
    const job = { ...ref(later.id), binding: 0 };
    const sampling = createSamplingStore(redis, keys);
    const draws = [{ purpose: 'selection' as const, firstSample: 0, count: 100 }];
    expect(await sampling.plan(job)).toMatchObject({ chunks: 0 });
    await sampling.storeRound(job, 0, planRound([{ input: 0, draws }], 100));
    await sampling.markQueued(job, 1);
    await queues.of(description, NOISE).add('sample', chunkFormat.wrap({ ...job, chunk: 0 }));
    await until(() => chunksOf(here, later.id, 'chunk_not_drawn').length > 0, {
      what: 'the refusal of the chunk',
    });
    expect(chunksOf(here, later.id, 'chunk_not_drawn')).toMatchObject([{ code: 'noise_unavailable' }]);
    expect(chunksOf(here, later.id, 'chunk_drawn')).toEqual([]);
    expect(await sampling.votes(job, [0])).toEqual([null]);
    expect(await client.cancel(later.id)).toMatchObject({
      status: 'cancelled',
      progress: { samplesDrawn: 0 },
    });
  } finally {
    clearInterval(announcing);
    await presence.leave('newer');
  }
});
