import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { JobResource } from '../../src/contract/resources.ts';
import { CHUNKS_PER_HOST, chunkWindow } from '../../src/jobs/chunk-size.ts';
import { queueId } from '../../src/jobs/job-ref.ts';
import { createKeys } from '../../src/jobs/keys.ts';
import { coordinatorQueue, type SamplingQueues, samplingQueues } from '../../src/jobs/queues.ts';
import { ref } from '../support/create-job.ts';
import { connectTestRedis, startTestRedis, type TestRedis } from '../support/redis.ts';
import {
  createTestClient,
  exampleInputs,
  type ServiceProcess,
  startProcess,
  type TestClient,
} from '../support/service.ts';
import { SHARED_CACHE } from '../support/shared-cache.ts';
import { useTemporaryDirectory } from '../support/temporary-directory.ts';
import { until } from '../support/until.ts';
import { NOISE } from '../support/worker-status.ts';

// What jobs do to one another that share a pool of one device.

const at = useTemporaryDirectory();
const keys = createKeys('smoothcert');
const WINDOW = chunkWindow(1);

let server: TestRedis;
let redis: Redis;
let queues: SamplingQueues;
let api: ServiceProcess;
let worker: ServiceProcess;
let client: TestClient;
/** Where the worker remembers how fast it is. */
let cache = SHARED_CACHE;
const submitted: string[] = [];

beforeAll(async () => {
  server = await startTestRedis();
  redis = await connectTestRedis(server);
  queues = samplingQueues(redis, keys);
  api = startProcess('api', { REDIS_URL: server.url, SMOOTHCERT_PORT: '0' });
  client = createTestClient(String((await api.logged('api_listening'))['url']));
  await startWorker();
});
afterEach(async () => {
  for (const id of submitted.splice(0))
    if ((await client.job(id)).finishedAt === null) await client.cancel(id);
});
afterAll(async () => {
  await worker?.end();
  await api?.end();
  await queues?.close();
  redis?.disconnect();
  await server?.close();
});

async function startWorker(): Promise<void> {
  worker = startProcess('worker', {
    REDIS_URL: server.url,
    SMOOTHCERT_LANES: '1',
    SMOOTHCERT_MODELS: 'mnist-cnn',
    SMOOTHCERT_CACHE_DIR: cache,
  });
  await worker.logged('worker_ready');
}

/** Lets the worker remember itself as eight times as slow: a chunk is a second of the speed that it remembers. */
async function shortenChunks(): Promise<void> {
  await worker.end();
  cache = at('cache');
  await mkdir(cache);
  const remembered = JSON.parse(await readFile(join(SHARED_CACHE, 'batch-sizes.json'), 'utf8')) as {
    samplesPerSecond: number;
  }[];
  const slower = remembered.map((each) => ({ ...each, samplesPerSecond: each.samplesPerSecond / 8 }));
  await writeFile(join(cache, 'batch-sizes.json'), JSON.stringify(slower));
  await startWorker();
}

/** Submits copies of an example image, `n` estimation samples each. */
async function submit(copies: number, n: number): Promise<JobResource> {
  const [example] = exampleInputs('mnist', 1);
  const inputs = Array.from({ length: copies }, (_, index) => ({ ...example!, id: `copy ${index}` }));
  const job = await client.submit({ model: 'mnist-cnn', parameters: { sigma: 0.5, n }, inputs });
  submitted.push(job.id);
  return job;
}

/** 500 million samples: hours of work. */
const submitHuge = (): Promise<JobResource> => submit(50, 10_000_000);

const drawnChunks = () => worker.log.filter(({ event }) => event === 'chunk_drawn');
const drawnOf = (id: string): number => drawnChunks().filter(({ job }) => job === id).length;
const underWay = (id: string, chunks = 1): Promise<unknown> =>
  until(() => drawnOf(id) >= chunks, { what: `${chunks} chunks of ${id}` });

/** Every chunk in the pool's queue, in whatever state. */
async function chunksInQueue(job: JobResource): Promise<string[]> {
  const queue = queues.of((await client.job(job.id)).engine as never, NOISE);
  const jobs = await queue.getJobs(['active', 'waiting', 'prioritized', 'delayed', 'failed', 'completed']);
  return jobs.flatMap((each) => (each?.id === undefined ? [] : [each.id]));
}

describe('a new job gets the device within two chunk times', () => {
  /** Chunks of other jobs that end between the answer to a small job's submission and the end of its first chunk. */
  async function chunksBefore(): Promise<number> {
    const before = drawnChunks().length;
    const small = await submit(1, 10_000);
    await client.ended(small.id);
    const since = drawnChunks().slice(before);
    return since.findIndex(({ job }) => job === small.id);
  }

  // The device holds two chunks; a third may end while the new job is taken up.
  it('behind a job of 500 million samples', async () => {
    await underWay((await submitHuge()).id, 3);
    for (let time = 0; time < 2; time += 1) expect(await chunksBefore()).toBeLessThanOrEqual(3);
  });

  it('behind that and ten jobs of 2 million', async () => {
    await underWay((await submitHuge()).id, 2);
    const ten = await Promise.all(Array.from({ length: 10 }, () => submit(20, 100_000)));
    for (const { id } of ten) await underWay(id);
    for (let time = 0; time < 2; time += 1) expect(await chunksBefore()).toBeLessThanOrEqual(3);
  });
});

describe('jobs that have both been under way for long', () => {
  // What follows is counted in chunks, so that they need not be long.
  beforeAll(shortenChunks);

  it('take turns', async () => {
    const first = await submitHuge();
    await underWay(first.id, WINDOW);
    const second = await submitHuge();
    await underWay(second.id, WINDOW + 1);
    const [a, b] = [drawnOf(first.id), drawnOf(second.id)];
    await until(() => drawnOf(first.id) + drawnOf(second.id) >= a + b + 8, {
      what: '8 chunks',
    });
    // Four each, but for what the device held and the queue had in hand.
    expect(drawnOf(first.id) - a).toBeGreaterThanOrEqual(2);
    expect(drawnOf(second.id) - b).toBeGreaterThanOrEqual(2);
  });
});

describe('a job of 500 million samples', () => {
  it('has a window of chunks in the queue, and a few KiB in Redis besides its inputs', async () => {
    const job = await submitHuge();
    for (let chunks = 1; chunks <= 4; chunks += 1) {
      await underWay(job.id, chunks);
      // Those that the device holds queue the next ones before they leave.
      expect((await chunksInQueue(job)).length).toBeLessThanOrEqual(WINDOW + CHUNKS_PER_HOST);
    }
    const { samplesPlanned } = (await client.job(job.id)).progress;
    expect(samplesPlanned).toBe(500_005_000);
    const names = await redis.keys(`${keys.queuePrefix}:*`);
    const ofSampling = [keys.plan, keys.ended, keys.drawn, keys.votes].map((key) => key(ref(job.id)));
    const sizes = await Promise.all(
      [...names.filter((name) => name.includes(job.id)), ...ofSampling].map((name) =>
        redis.memory('USAGE', name),
      ),
    );
    expect(sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0)).toBeLessThan(16 * 1024);
  });
});

describe('cancelling', () => {
  it('ends a job in its answer, whatever else runs, and leaves no chunk of it in the queue', async () => {
    const others = [await submitHuge(), await submitHuge()];
    const job = await submitHuge();
    await underWay(job.id);
    expect(await client.cancel(job.id)).toMatchObject({ status: 'cancelled', waitingFor: null });
    await until(async () => !(await chunksInQueue(job)).some((id) => id.startsWith(queueId(ref(job.id)))), {
      what: 'the chunks in the hands of the device to go',
    });
    const coordinators = coordinatorQueue(redis, keys);
    expect(await coordinators.getJobState(queueId(ref(job.id)))).toBe('unknown');
    await coordinators.close();
    expect(await redis.keys(`${keys.job(ref(job.id))}:*`)).toEqual([keys.entries(ref(job.id))]);
    // The others go on.
    const counts = others.map(({ id }) => drawnOf(id));
    for (const [index, { id }] of others.entries()) await underWay(id, counts[index]! + 1);
  });

  it('ends a job that was queued and never taken up', async () => {
    await worker.end();
    const job = await submitHuge();
    expect(job.status).toBe('queued');
    await until(async () => (await client.job(job.id)).waitingFor === 'a worker: none is there', {
      what: 'the job to say what it waits for',
    });
    expect(await client.cancel(job.id)).toMatchObject({ status: 'cancelled', waitingFor: null });
  });

  it('ends a job where no worker is there, and the worker that comes later draws nothing for it', async () => {
    await startWorker();
    const job = await submitHuge();
    await underWay(job.id);
    await worker.end('SIGKILL');
    expect((await client.cancel(job.id)).status).toBe('cancelled');
    expect((await client.cancel(job.id)).status).toBe('cancelled');
    await startWorker();
    await until(async () => (await chunksInQueue(job)).length === 0, {
      what: 'an empty queue',
    });
    expect(drawnOf(job.id)).toBe(0);
  });
});
