import { randomBytes } from 'node:crypto';
import type { Job, Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type ChunkFeed, createChunkFeed, type FedJob } from '../../src/jobs/chunk-feed.ts';
import { chunkWindow } from '../../src/jobs/chunk-size.ts';
import type { JobRequest } from '../../src/jobs/job-record.ts';
import { queueId } from '../../src/jobs/job-ref.ts';
import { createJobStore, type JobStore } from '../../src/jobs/job-store.ts';
import { createKeys } from '../../src/jobs/keys.ts';
import { createPresence } from '../../src/jobs/presence.ts';
import {
  type CoordinatorData,
  coordinatorQueue,
  enqueueCoordination,
  type SamplingData,
  type SamplingQueues,
  samplingQueues,
} from '../../src/jobs/queues.ts';
import { createSamplingStore, type SamplingStore } from '../../src/jobs/sampling-store.ts';
import { createJob as create, ref } from '../support/create-job.ts';
import { planRound } from '../support/plan-round.ts';
import { connectTestRedis, startTestRedis, type TestRedis } from '../support/redis.ts';
import { ENGINE, hostStatus, loadedModel, NOISE, workerStatus } from '../support/worker-status.ts';

const DIGEST = 'd'.repeat(64);
const WINDOW = chunkWindow(1);
const REQUEST: JobRequest = {
  kind: 'prediction',
  model: { name: 'mnist-cnn', version: '1.0.0', digest: DIGEST },
  parameters: { sigma: 0.5, n: 1_000, alpha: 0.001 },
  noise: NOISE,
  seed: '0'.repeat(64),
  seedSource: 'server',
  firstIndex: 0,
};

let server: TestRedis;
let redis: Redis;
let jobs: JobStore;
let sampling: SamplingStore;
let queues: SamplingQueues;
let coordinators: Queue<CoordinatorData>;
let feed: ChunkFeed;

beforeAll(async () => {
  server = await startTestRedis();
  redis = await connectTestRedis(server);
});
beforeEach(async () => {
  const keys = createKeys(`test-${randomBytes(4).toString('hex')}`);
  jobs = createJobStore(redis, keys, 600, Date.now);
  sampling = createSamplingStore(redis, keys);
  queues = samplingQueues(redis, keys);
  coordinators = coordinatorQueue(redis, keys);
  const presence = createPresence(redis, keys);
  await presence.announce(workerStatus('a', [hostStatus({ models: [loadedModel()] })]));
  feed = createChunkFeed({ sampling, presence, samplingQueues: queues, coordinatorQueue: coordinators });
});
afterEach(async () => {
  await Promise.all([queues.close(), coordinators.close()]);
});
afterAll(async () => {
  redis?.disconnect();
  await server?.close();
});

/** A running job with a round of `chunks` chunks. */
async function createJob(id: string, chunks: number): Promise<FedJob> {
  const entry = { id: 'a', kind: 'tensor', digest: DIGEST, label: null } as const;
  const inputs = { entries: [entry], bytes: new Map([[DIGEST, Buffer.from('bytes')]]) };
  await create(jobs, ref(id), REQUEST, inputs, 10 * chunks);
  await jobs.transition(ref(id), ['queued'], 'running');
  await jobs.bind(ref(id), ENGINE);
  const job = { ...ref(id), binding: 0, request: REQUEST, inputsTotal: 1, engine: ENGINE };
  const draws = [{ purpose: 'prediction' as const, firstSample: 0, count: 10 * chunks }];
  await sampling.storeRound(job, 0, planRound([{ input: 0, draws }], 10));
  return job;
}

const VOTES = {
  segments: [{ 3: 10 }],
  classes: 10,
  engine: ENGINE,
  noise: NOISE,
  device: { name: 'CPU', batchSize: 64 },
};

/** What waits in the queue, in the order in which hosts get it. */
async function waiting(): Promise<Job<SamplingData>[]> {
  return queues.of(ENGINE, NOISE).getJobs(['prioritized'], 0, -1, true);
}
const numbers = async (): Promise<number[]> => (await waiting()).map(({ data }) => data.value.chunk);

/** A host takes the chunk and ends it: votes, next chunks, off the queue. */
async function drawn(job: FedJob, chunk: number): Promise<void> {
  await sampling.record(job, chunk, 10, VOTES);
  await feed.fill(job);
  await queues.of(ENGINE, NOISE).remove(queueId(job, `0-${chunk}`));
}

describe('the window of a job', () => {
  test('is filled once, however often and by however many', async () => {
    const job = await createJob('job', 100);
    await Promise.all(Array.from({ length: 20 }, () => feed.fill(job)));
    expect(await numbers()).toEqual([0, 1, 2, 3]);
    expect(await sampling.underWay(job)).toHaveLength(WINDOW);
  });

  test('moves on by a chunk for every one that ends, in whatever order they end', async () => {
    const job = await createJob('job', 9);
    await feed.fill(job);
    const seen = new Set(await numbers());
    for (const chunk of [2, 0, 3, 1, 5, 4, 8, 7]) {
      await drawn(job, chunk);
      const now = await numbers();
      expect(now.length).toBeLessThanOrEqual(WINDOW);
      for (const each of now) seen.add(each);
    }
    expect(seen.size).toBe(9);
    expect(await numbers()).toEqual([6]);
    expect(await coordinators.getWaitingCount()).toBe(0);
  });

  test('that has been drawn calls the coordinator, although one is looking at the job just then', async () => {
    const job = await createJob('job', 2);
    await feed.fill(job);
    await enqueueCoordination(coordinators, job);
    for (const chunk of [0, 1]) await drawn(job, chunk);
    expect(await coordinators.getWaitingCount()).toBe(2);
  });

  test('goes on where a process died after it had recorded a chunk and before it had queued the next', async () => {
    const job = await createJob('job', 100);
    await feed.fill(job);
    await sampling.record(job, 0, 10, VOTES);
    // Died. The chunk is taken up by another, which finds the votes; fill is all that is left to do.
    await feed.fill(job);
    expect(await numbers()).toEqual([0, 1, 2, 3, 4]);
  });

  test('is restored where the queue has lost chunks', async () => {
    const job = await createJob('job', 100);
    await feed.fill(job);
    for (const chunk of [1, 3]) await queues.of(ENGINE, NOISE).remove(queueId(job, `0-${chunk}`));
    expect(await feed.lookAfter(job)).toEqual({ lost: [1, 3], failed: [] });
    await feed.restore(job, [1, 3]);
    expect((await numbers()).toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3]);
    expect(await feed.lookAfter(job)).toEqual({ lost: [], failed: [] });
  });

  test('is empty after the job was cancelled, although one was just filling it', async () => {
    const job = await createJob('job', 100);
    await feed.fill(job);
    await jobs.transition(job, ['running'], 'cancelling');
    await Promise.all([feed.withdraw(job), drawn(job, 0)]);
    await jobs.end(job, 'cancelled', null);
    await feed.fill(job);
    expect(await numbers()).toEqual([]);
  });
});

describe('the order in the queue', () => {
  test('puts the first chunk of a new job before all chunks of one under way', async () => {
    const long = await createJob('long', 1_000);
    await feed.fill(long);
    for (let chunk = 0; chunk < 10; chunk += 1) await drawn(long, chunk);
    const short = await createJob('short', 2);
    await feed.fill(short);
    const order = (await waiting()).map(({ data }) => data.value.id);
    expect(order.slice(0, 2)).toEqual(['short', 'short']);
  });

  test('lets jobs under way take turns, however long each has been', async () => {
    const ids = ['a', 'b', 'c'];
    const all: FedJob[] = [];
    for (const id of ids) {
      const job = await createJob(id, 1_000);
      all.push(job);
      await feed.fill(job);
      // The first is twenty chunks ahead of the second, and that of the third.
      for (let turn = 0; turn < 20; turn += 1) {
        const [next] = await waiting();
        await drawn(
          all.find((each) => each.id === next!.data.value.id)!,
          next!.data.value.chunk,
        );
      }
    }
    const counts = new Map(ids.map((id) => [id, 0]));
    for (let turn = 0; turn < 30; turn += 1) {
      const [next] = await waiting();
      const { id, chunk } = next!.data.value;
      counts.set(id, counts.get(id)! + 1);
      await drawn(
        all.find((each) => each.id === id)!,
        chunk,
      );
    }
    for (const count of counts.values()) expect(Math.abs(count - 10)).toBeLessThanOrEqual(2);
  });
});
