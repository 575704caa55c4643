import { randomBytes } from 'node:crypto';
import { UnrecoverableError, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ARROWS, hasEnded, STORED_STATUSES, type StoredStatus } from '../../src/contract/status.ts';
import { connectWorker, waitUntilReady } from '../../src/redis/connections.ts';
import type { JobRequest } from '../../src/jobs/job-record.ts';
import { createJobStore, type JobPage, type JobStore } from '../../src/jobs/job-store.ts';
import { createKeys, type Keys } from '../../src/jobs/keys.ts';
import { planRound, type Round } from '../../src/jobs/plan.ts';
import { createPresence, PRESENCE_MILLISECONDS, type WorkerStatus } from '../../src/jobs/presence.ts';
import {
  COORDINATOR_QUEUE,
  coordinatorQueue,
  enqueueCoordination,
  workerOptions,
} from '../../src/jobs/queues.ts';
import { reconcile } from '../../src/jobs/reconcile.ts';
import type { ResultRecord } from '../../src/jobs/result-record.ts';
import { createResultStore, type ResultStore } from '../../src/jobs/result-store.ts';
import {
  type BoundJob,
  type ChunkVotes,
  createSamplingStore,
  type SamplingStore,
} from '../../src/jobs/sampling-store.ts';
import { ENGINE, NOISE, workerStatus } from '../support/worker-status.ts';
import { QUIET } from '../support/api.ts';
import { WAIT_LIMIT_MS } from '../support/limits.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';
import { until } from '../support/until.ts';

const RETENTION = 600;
/** A record outlives its results by this, so that a late client reads "expired" and not "not found". */
const WEEK = 7 * 24 * 3600;
const RACERS = 40;

let server: TestRedis;
let redis: Redis;
let keys: Keys;
let jobs: JobStore;
let results: ResultStore;
let sampling: SamplingStore;
let clock: number;

beforeAll(async () => {
  server = await startTestRedis();
  redis = connectWorker(server.url, QUIET);
  await waitUntilReady(redis, WAIT_LIMIT_MS);
});
beforeEach(() => {
  keys = createKeys(`test-${randomBytes(4).toString('hex')}`);
  clock = 1_700_000_000_000;
  jobs = createJobStore(redis, keys, RETENTION, () => clock);
  results = createResultStore(redis, keys);
  sampling = createSamplingStore(redis, keys);
});
afterAll(async () => {
  redis?.disconnect();
  await server?.close();
});

const DIGEST = 'd'.repeat(64);
const REQUEST: JobRequest = {
  kind: 'prediction',
  model: { name: 'mnist-cnn', version: '1.0.0', digest: DIGEST },
  parameters: { sigma: 0.5, n: 100, alpha: 0.001 },
  noise: NOISE,
  inputs: [
    { id: 'a', kind: 'tensor', digest: DIGEST, label: 3 },
    { id: 'b', kind: 'tensor', digest: DIGEST, label: null },
  ],
  seed: '0'.repeat(64),
  seedSource: 'server',
  firstIndex: 0,
};

async function create(id = 'job', kind: JobRequest['kind'] = 'prediction'): Promise<string> {
  await jobs.create(id, { ...REQUEST, kind } as JobRequest, 200, new Map([[DIGEST, Buffer.from('bytes')]]));
  return id;
}

async function createRunning(id = 'job'): Promise<string> {
  await create(id);
  await jobs.transition(id, ['queued'], 'running');
  return id;
}

async function createBound(): Promise<BoundJob> {
  return { id: await createRunning(), binding: 0 };
}

/** Puts a job into a status by the way that leads there. */
async function createIn(status: StoredStatus): Promise<string> {
  const id = await create();
  if (status === 'queued') return id;
  if (status === 'cancelling' || status === 'cancelled') await jobs.transition(id, ['queued'], 'cancelling');
  else await jobs.transition(id, ['queued'], 'running');
  if (hasEnded(status)) await jobs.end(id, status, null);
  return id;
}

const statusOf = async (id: string): Promise<string | undefined> => (await jobs.get(id))?.status;
const together = <Value>(action: (index: number) => Promise<Value>): Promise<Value[]> =>
  Promise.all(Array.from({ length: RACERS }, (_, index) => action(index)));

const ORIGIN = {
  model: { name: 'mnist-cnn', version: '1.0.0', digest: DIGEST, files: [] },
  input: { digest: DIGEST, shape: [1, 28, 28], layout: 'NCHW', index: 0 },
  noise: { scheme: 's', version: 1, totalVariation: 0, seed: '0', seedSource: 'server' },
  engine: { name: 'onnx', version: '1', provider: 'cpu', precision: 'fp32' },
  devices: [],
  software: { name: 'smoothcert', version: '0' },
} as const;
const prediction = (cls: number | null): ResultRecord => ({
  kind: 'prediction',
  outcome: cls === null ? 'abstained' : 'predicted',
  class: cls,
  topCount: 90,
  votes: { '3': 90 },
  warnings: [],
  pValue: 0.01,
  provenance: ORIGIN,
});
const REPRODUCTION: ResultRecord = {
  kind: 'reproduction',
  topCount: 90,
  votes: { '3': 90 },
  warnings: [],
  reproduction: {
    format: 'smoothcert/reproduction/1',
    procedure: 'predict',
    sigma: 0.5,
    n: 100,
    alpha: 0.001,
    topClass: 3,
    votes: { '3': 90 },
    implied: { verdict: 'predicted', pValue: 0.01 },
    ...ORIGIN,
    noise: { ...ORIGIN.noise, seedSource: 'client' },
  },
};
const FAILED: ResultRecord = { kind: 'failed', error: { code: 'input_undecodable', detail: 'no image' } };

/** A hundred samples for each of two inputs, in chunks of a size. */
const round = (chunkSamples: number): Round =>
  planRound(
    [0, 1].map((input) => ({ input, draws: [{ purpose: 'prediction', firstSample: 0, count: 100 }] })),
    chunkSamples,
  );
const votes = (count: number): ChunkVotes => ({
  segments: [{ 3: count }],
  classes: 10,
  engine: { name: 'onnx', version: '1', provider: 'cpu', precision: 'fp32' },
  noise: NOISE,
  device: { name: 'CPU', batchSize: 64 },
});

/** Every key of a job, and its seconds to live (-1 for ever). */
async function lifetimes(id: string): Promise<Record<string, number>> {
  const names = (await redis.keys(`${keys.job(id)}*`)).sort();
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await redis.ttl(name)] as const)),
  );
}

describe('a job', () => {
  test('is bound to one pool while it runs, whoever asks first', async () => {
    const id = await create();
    const cuda = { ...ENGINE, provider: 'cuda' };
    expect(await jobs.bind(id, ENGINE)).toBeNull();
    expect((await jobs.get(id))!.engine).toBeNull();
    await jobs.transition(id, ['queued'], 'running');
    expect(await Promise.all([jobs.bind(id, cuda), jobs.bind(id, ENGINE)])).toEqual([cuda, cuda]);
    expect((await jobs.get(id))!.engine).toEqual(cuda);
    await jobs.end(id, 'failed', null);
    expect(await jobs.bind(id, ENGINE)).toBeNull();
    expect(await jobs.bind('no-such-job', ENGINE)).toBeNull();
  });

  test('is created whole: record, inputs, list and the set of active ones', async () => {
    const id = await create();
    expect(await jobs.get(id)).toEqual({
      engine: null,
      binding: 0,
      id,
      request: REQUEST,
      status: 'queued',
      createdAt: clock,
      startedAt: null,
      finishedAt: null,
      expiresAt: null,
      error: null,
      counts: { decided: 0, failed: 0, affirmed: 0, abstained: 0, reproduced: 0, correct: 0, labelled: 1 },
      samplesDrawn: 0,
      samplesPlanned: 200,
    });
    expect(Buffer.from((await sampling.inputBytes(id, DIGEST))!).toString()).toBe('bytes');
    expect(await jobs.activeIds()).toEqual([id]);
    expect((await jobs.list('prediction', 10, null))!.jobs.map((job) => job.id)).toEqual([id]);
    expect((await jobs.list('certification', 10, null))!.jobs).toEqual([]);
  });

  test('that is forgotten leaves nothing at all', async () => {
    await jobs.forget(await create(), 'prediction');
    expect(await redis.keys(`${keys.job('job')}*`)).toEqual([]);
    expect(await redis.exists(keys.active, keys.list('prediction'))).toBe(0);
    expect(await jobs.get('job')).toBeNull();
  });

  test('whose record is spoilt is reported, not guessed', async () => {
    const id = await create();
    await redis.hset(keys.job(id), 'status', 'sleeping');
    await expect(jobs.get(id)).rejects.toThrow('job job has no valid record');
  });
});

describe('a status', () => {
  const every = STORED_STATUSES.flatMap((from) => STORED_STATUSES.map((to) => [from, to] as const));

  test.each(every)('%s -> %s happens only along an arrow', async (from, to) => {
    const id = await createIn(from);
    expect(await statusOf(id)).toBe(from);
    const reached = await jobs.transition(id, STORED_STATUSES, to);
    const expected = ARROWS[from].includes(to) ? to : from;
    expect(reached).toBe(expected);
    expect(await statusOf(id)).toBe(expected);
    // The product ends a job by `end` alone, which lets its record expire.
    await jobs.forget(id, 'prediction');
  });

  const ends = STORED_STATUSES.filter((status) => hasEnded(status));
  const endings = STORED_STATUSES.flatMap((from) => ends.map((to) => [from, to] as const));
  test.each(endings)('%s, ended as %s, follows the arrows; a cancellation wins', async (from, to) => {
    const id = await createIn(from);
    await jobs.end(id, to, { code: 'internal_error', detail: 'a fault' });
    const expected = from === 'cancelling' ? 'cancelled' : ARROWS[from].includes(to) ? to : from;
    const record = (await jobs.get(id))!;
    expect(record.status).toBe(expected);
    expect(record.finishedAt === null).toBe(!hasEnded(expected));
    expect(await redis.sismember(keys.active, id)).toBe(hasEnded(expected) ? 0 : 1);
  });

  test('of a job that is not there is null, and asking brings nothing about', async () => {
    expect(await jobs.transition('gone', ['queued'], 'running')).toBeNull();
    await jobs.end('gone', 'failed', null);
    expect(await redis.keys(`${keys.job('gone')}*`)).toEqual([]);
  });

  test('is moved by exactly one of many that race, and the start time is that of the first', async () => {
    const id = await create();
    const stores = Array.from({ length: RACERS }, (_, index) =>
      createJobStore(redis, keys, RETENTION, () => clock + index),
    );
    await together((index) => stores[index]!.transition(id, ['queued'], 'running'));
    expect(await jobs.get(id)).toMatchObject({ status: 'running', startedAt: clock });
  });

  test('reaches one end under racing ends and cancellations, and keeps it', async () => {
    for (let round = 0; round < 10; round += 1) {
      const id = await createRunning(`job-${round}`);
      const seen = new Set<string>();
      await together(async (index) => {
        if (index % 4 === 0) await jobs.end(id, 'succeeded', null);
        else if (index % 4 === 1) await jobs.transition(id, ['queued', 'running'], 'cancelling');
        else if (index % 4 === 2) await jobs.end(id, 'failed', { code: 'sampling_failed', detail: 'x' });
        const status = await statusOf(id);
        if (status !== undefined && hasEnded(status as StoredStatus)) seen.add(status);
      });
      expect(seen.size).toBe(1);
      const record = (await jobs.get(id))!;
      expect(seen).toContain(record.status);
      expect(record.error === null).toBe(record.status !== 'failed');
    }
  });
});

describe('a result', () => {
  test('is stored once and counted once, however many race', async () => {
    const id = await createRunning();
    await together(async (index) =>
      results.store(id, 0, index % 2 === 0 ? prediction(3) : prediction(null), 3),
    );
    const { counts } = (await jobs.get(id))!;
    const [stored] = await results.read(id, 0, 1);
    expect(counts.decided).toBe(1);
    expect(counts.affirmed + counts.abstained).toBe(1);
    expect(counts.correct).toBe(counts.affirmed);
    expect(stored).toEqual(counts.affirmed === 1 ? prediction(3) : prediction(null));
  });

  test.each<[string, ResultRecord, number | null, object]>([
    ['a right prediction', prediction(3), 3, { decided: 1, affirmed: 1, correct: 1 }],
    ['a wrong prediction', prediction(4), 3, { decided: 1, affirmed: 1, correct: 0 }],
    ['a prediction without a label', prediction(3), null, { decided: 1, affirmed: 1, correct: 0 }],
    ['an abstention, which is never correct', prediction(null), 3, { decided: 1, abstained: 1, correct: 0 }],
    ['a reproduction, never as correct', REPRODUCTION, 3, { decided: 1, reproduced: 1 }],
    ['a failure', FAILED, 3, { decided: 0, failed: 1, correct: 0 }],
  ])('counts %s for what it is', async (_, result, label, counts) => {
    const id = await createRunning();
    await results.store(id, 0, result, label);
    const none = { decided: 0, failed: 0, affirmed: 0, abstained: 0, reproduced: 0, correct: 0, labelled: 1 };
    expect((await jobs.get(id))!.counts).toEqual({ ...none, ...counts });
  });

  test('is read in order, null where there is none', async () => {
    const id = await createRunning();
    await results.store(id, 1, FAILED, null);
    expect(await results.read(id, 0, 3)).toEqual([null, FAILED, null]);
    expect(await results.read(id, 1, 1)).toEqual([FAILED]);
    expect(await results.read(id, 0, 0)).toEqual([]);
    expect(await results.read(id, 5, -1)).toEqual([]);
  });

  test('that arrives while the job is being cancelled is kept', async () => {
    const id = await createRunning();
    await jobs.transition(id, ['running'], 'cancelling');
    await results.store(id, 0, prediction(3), 3);
    await jobs.end(id, 'cancelled', null);
    expect(await results.read(id, 0, 1)).toEqual([prediction(3)]);
  });
});

describe('a chunk', () => {
  test('counts once: its first votes are those that count, and repeating it adds nothing', async () => {
    const job = await createBound();
    const drawn = async (): Promise<number> => (await jobs.get(job.id))!.samplesDrawn;
    await sampling.record(job, 0, 20, null);
    await sampling.record(job, 0, 35, null);
    await sampling.record(job, 1, 5, null);
    expect(await drawn()).toBe(40);
    // The chunk is repeated from the start after a crash: progress waits for it, and never goes back.
    await sampling.record(job, 0, 10, null);
    expect(await drawn()).toBe(40);
    await sampling.record(job, 0, 45, null);
    expect(await drawn()).toBe(50);
    await sampling.record(job, 0, 50, votes(50));
    await sampling.record(job, 0, 50, { ...votes(50), device: { name: 'another', batchSize: 1 } });
    expect(await drawn()).toBe(55);
    expect(await sampling.votes(job, [0, 1])).toEqual([votes(50), null]);
    expect([await sampling.hasEnded(job.id, 0), await sampling.hasEnded(job.id, 1)]).toEqual([true, false]);
  });

  test('that is complete is not undone by the progress of a slower repetition', async () => {
    const job = await createBound();
    await sampling.record(job, 0, 50, votes(50));
    await sampling.record(job, 0, 10, null);
    expect((await jobs.get(job.id))!.samplesDrawn).toBe(50);
  });

  test('counts right when many report on many chunks at once', async () => {
    const job = await createBound();
    await together(async (index) => {
      const number = index % 8;
      for (const part of [10, 20, 30]) await sampling.record(job, number, part, null);
      await sampling.record(job, number, 50, votes(50));
    });
    expect((await jobs.get(job.id))!.samplesDrawn).toBe(8 * 50);
    expect((await sampling.progress(job)).ended).toBe(8);
  });

  test('learns from recording that its job is being cancelled, and counts no more', async () => {
    const job = await createBound();
    expect(await sampling.record(job, 0, 10, null)).toBe('running');
    await jobs.transition(job.id, ['running'], 'cancelling');
    expect(await sampling.record(job, 0, 20, null)).toBe('cancelling');
    expect((await jobs.get(job.id))!.samplesDrawn).toBe(10);
    expect(await sampling.record({ id: 'gone', binding: 0 }, 0, 10, null)).toBeNull();
  });

  test('keeps the reason of its last failure', async () => {
    const job = await createBound();
    expect(await sampling.errorOf(job, 0)).toBeNull();
    await sampling.recordError(job, 0, { code: 'sampling_failed', detail: 'first' });
    await sampling.recordError(job, 0, { code: 'model_output_invalid', detail: 'second' });
    expect(await sampling.errorOf(job, 0)).toEqual({ code: 'model_output_invalid', detail: 'second' });
  });

  test('is under way from the time that it is queued until it has votes or is given up', async () => {
    const job = await createBound();
    expect(await sampling.underWay(job)).toEqual([]);
    expect(await sampling.markQueued(job, 20)).toBe('running');
    expect(await sampling.markQueued(job, 12)).toBe('running');
    for (const number of [0, 1, 2, 7, 8, 9, 19]) await sampling.record(job, number, 1, votes(1));
    await sampling.giveUp(job, 15);
    expect(await sampling.underWay(job)).toEqual([3, 4, 5, 6, 10, 11, 12, 13, 14, 16, 17, 18]);
    expect(await sampling.progress(job)).toMatchObject({ queued: 20, ended: 8 });
  });
});

describe('a plan', () => {
  test('is stored once when coordinators race, and all go by the same one', async () => {
    const job = await createBound();
    const plans = await together(async (index) => {
      await sampling.storeRound(job, 0, round(1 + (index % 5)));
      return sampling.plan(job);
    });
    expect(new Set(plans.map((plan) => plan.chunks)).size).toBe(1);
    expect(plans[0]!.rounds).toBe(1);
  });

  test('grows by rounds, and may have none', async () => {
    const job = await createBound();
    expect(await sampling.plan(job)).toMatchObject({ rounds: 0, chunks: 0 });
    await sampling.storeRound(job, 0, round(50));
    await sampling.storeRound(job, 1, round(100));
    const plan = await sampling.plan(job);
    expect(plan).toMatchObject({ rounds: 2, chunks: 6 });
    expect(plan.chunksOf(1)).toEqual([2, 3, 5]);
  });
});

describe('a job that is bound anew', () => {
  const other = { ...ENGINE, version: '1.31.0' };

  /** A job with a decided and an undecided input, and votes of both. */
  async function createHalfDone(): Promise<BoundJob> {
    const job = await createBound();
    await jobs.bind(job.id, ENGINE);
    await sampling.storeRound(job, 0, round(50));
    await sampling.markQueued(job, 4);
    for (const number of [0, 1, 2]) await sampling.record(job, number, 50, votes(50));
    await results.store(job.id, 0, prediction(3), 3);
    return job;
  }

  test('keeps its results and loses every vote, its plan and its progress beyond the results, in one step', async () => {
    const job = await createHalfDone();
    expect(await jobs.rebind(job, other, 100)).toBe(true);
    const record = (await jobs.get(job.id))!;
    expect(record).toMatchObject({ engine: other, binding: 1, samplesDrawn: 100, status: 'running' });
    expect(await results.read(job.id, 0, 2)).toEqual([prediction(3), null]);
    for (const each of [job, record]) {
      expect(await sampling.votes(each, [0, 1, 2, 3])).toEqual([null, null, null, null]);
      expect(await sampling.progress(each)).toMatchObject({ queued: 0, ended: 0, plan: { chunks: 0 } });
    }
  });

  test('takes nothing that is late from whoever drew for the old pool', async () => {
    const job = await createHalfDone();
    await jobs.rebind(job, other, 100);
    const record = (await jobs.get(job.id))!;
    expect(await sampling.record(job, 3, 50, votes(50))).toBe('rebound');
    expect(await sampling.giveUp(job, 3)).toBe('rebound');
    expect(await sampling.markQueued(job, 4)).toBe('rebound');
    await sampling.storeRound(job, 0, round(10));
    await sampling.dropVotes(job, [0, 1, 2, 3]);
    expect((await jobs.get(job.id))!.samplesDrawn).toBe(100);
    expect(await sampling.progress(record)).toMatchObject({ queued: 0, ended: 0, plan: { chunks: 0 } });
    expect(await sampling.votes(record, [3])).toEqual([null]);
  });

  test('is bound once, however many coordinators find its pool gone', async () => {
    const job = await createHalfDone();
    const bound = await together(() => jobs.rebind(job, other, 100));
    expect(bound.filter(Boolean)).toHaveLength(1);
    expect((await jobs.get(job.id))!.binding).toBe(1);
  });

  test('is one that runs: no other can be', async () => {
    const job = await createHalfDone();
    await jobs.end(job.id, 'failed', null);
    expect(await jobs.rebind(job, other, 0)).toBe(false);
    expect(await jobs.rebind({ id: 'gone', binding: 0 }, other, 0)).toBe(false);
    expect(await redis.exists(keys.job('gone'))).toBe(0);
  });

  test('was without its pool since the first that found it gone, until one finds it back', async () => {
    const job = await createBound();
    const [first, again] = [await jobs.poolGone(job.id), await jobs.poolGone(job.id)];
    expect(first).toBe(0);
    await redis.hincrby(keys.job(job.id), 'poolGoneSince', -100);
    expect(await jobs.poolGone(job.id)).toBeGreaterThanOrEqual(again! + 100);
    await jobs.poolIsBack(job.id);
    expect(await jobs.poolGone(job.id)).toBe(0);
    expect(await jobs.poolGone('gone')).toBeNull();
    expect(await redis.exists(keys.job('gone'))).toBe(0);
  });
});

test('a tensor is kept byte for byte beside its digest', async () => {
  const id = await createRunning();
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, value) => value));
  await sampling.storeTensor(id, 1, { bytes, digest: DIGEST });
  const [missing, stored] = await sampling.tensors(id, [0, 1]);
  expect(missing).toBeNull();
  expect(Buffer.from(stored!.bytes).equals(bytes)).toBe(true);
  expect(stored!.digest).toBe(DIGEST);
  expect(await sampling.tensorDigests(id, [0, 1])).toEqual([null, DIGEST]);
  expect(await sampling.tensors(id, [])).toEqual([]);
});

/** Everything that a worker writes for a job, as one that was slow would write it. */
async function writeEverything(id: string): Promise<void> {
  await sampling.storeTensor(id, 0, { bytes: Buffer.from('x'), digest: DIGEST });
  const job = { id, binding: 0 };
  await sampling.storeRound(job, 0, round(50));
  await sampling.record(job, 0, 20, null);
  await sampling.record(job, 1, 50, votes(50));
  await sampling.recordError(job, 0, { code: 'sampling_failed', detail: 'late' });
  await results.store(id, 0, prediction(3), 3);
}

describe('retention', () => {
  test('before the end no key of a job expires', async () => {
    const id = await createRunning();
    await writeEverything(id);
    const lifetime = await lifetimes(id);
    expect(Object.keys(lifetime)).toHaveLength(9);
    expect(new Set(Object.values(lifetime))).toEqual(new Set([-1]));
  });

  test.each(['succeeded', 'partially_succeeded', 'failed', 'cancelled'] as const)(
    'after the end as %s only record and results are left, and both expire',
    async (status) => {
      const id = await createRunning();
      await writeEverything(id);
      if (status === 'cancelled') await jobs.transition(id, ['running'], 'cancelling');
      await jobs.end(id, status, null);
      const lifetime = await lifetimes(id);
      expect(Object.keys(lifetime)).toEqual([keys.job(id), keys.results(id)]);
      expect(lifetime[keys.results(id)]).toBeGreaterThan(RETENTION - 10);
      expect(lifetime[keys.results(id)]).toBeLessThanOrEqual(RETENTION);
      expect(lifetime[keys.job(id)]).toBeGreaterThan(RETENTION + WEEK - 10);
      expect(lifetime[keys.job(id)]).toBeLessThanOrEqual(RETENTION + WEEK);
      expect(await jobs.activeIds()).toEqual([]);
    },
  );

  test('no late writer brings back a key of a job that has ended, or changes what it shows', async () => {
    const id = await createRunning();
    await results.store(id, 1, FAILED, null);
    await jobs.end(id, 'succeeded', null);
    const [record, left] = [await jobs.get(id), Object.keys(await lifetimes(id))];
    await writeEverything(id);
    await jobs.end(id, 'failed', { code: 'internal_error', detail: 'late' });
    expect(await jobs.get(id)).toEqual(record);
    expect(Object.keys(await lifetimes(id))).toEqual(left);
    expect(await results.read(id, 0, 2)).toEqual([null, FAILED]);
  });

  test('no late writer brings back a job that is gone', async () => {
    const id = await createRunning();
    await jobs.forget(id, 'prediction');
    await writeEverything(id);
    await jobs.end(id, 'succeeded', null);
    expect(await redis.keys(`${keys.job(id)}*`)).toEqual([]);
  });

  test('a second end does not lengthen the life of the first', async () => {
    const id = await createRunning();
    await jobs.end(id, 'succeeded', null);
    await redis.expire(keys.job(id), 60);
    clock += 1_000;
    await jobs.end(id, 'succeeded', null);
    expect(await redis.ttl(keys.job(id))).toBeLessThanOrEqual(60);
    expect((await jobs.get(id))!.finishedAt).toBe(clock - 1_000);
  });

  test('a job reads expired from the moment that its results are due to go', async () => {
    const id = await createRunning();
    await jobs.end(id, 'succeeded', null);
    const { expiresAt } = (await jobs.get(id))!;
    expect(expiresAt).toBe(clock + RETENTION * 1000);
    clock = expiresAt! - 1;
    expect(await statusOf(id)).toBe('succeeded');
    clock = expiresAt!;
    expect(await statusOf(id)).toBe('expired');
  });
});

describe('the list', () => {
  async function fill(count: number): Promise<string[]> {
    const ids: string[] = [];
    for (let index = 0; index < count; index += 1) {
      clock += 1;
      ids.unshift(await create(`job-${index}`));
    }
    return ids;
  }
  async function readAll(limit: number): Promise<string[]> {
    const found: string[] = [];
    for (let cursor: string | null = null; ;) {
      const page: JobPage = (await jobs.list('prediction', limit, cursor))!;
      found.push(...page.jobs.map((job) => job.id));
      if (page.next === null) return found;
      cursor = page.next;
    }
  }

  test('drops ids whose record has expired, and forgets them for good', async () => {
    const ids = await fill(5);
    await redis.del(keys.job(ids[1]!), keys.job(ids[4]!));
    expect(await readAll(50)).toEqual([ids[0], ids[2], ids[3]]);
    expect(await redis.zcard(keys.list('prediction'))).toBe(3);
  });

  test.each([1, 2, 3])(
    'is read to its end in pages of %i although whole pages have expired',
    async (limit) => {
      const ids = await fill(9);
      const gone = [ids[0]!, ids[2]!, ids[3]!, ids[4]!, ids[5]!, ids[8]!];
      await redis.del(...gone.map((id) => keys.job(id)));
      expect(await readAll(limit)).toEqual([ids[1], ids[6], ids[7]]);
    },
  );

  test('has no page after a cursor that it does not know', async () => {
    await fill(1);
    expect(await jobs.list('prediction', 10, 'nonsense')).toBeNull();
  });
});

describe('presence', () => {
  const status = (id: string): WorkerStatus => workerStatus(id);

  test('is announced under a key that expires, and told to everybody', async () => {
    const presence = createPresence(redis, keys);
    await presence.announce(status('a'));
    await presence.announce(status('b'));
    const found = await presence.livingWorkers();
    expect(found.map(({ id }) => id).sort()).toEqual(['a', 'b']);
    const lifetime = await redis.pttl(keys.worker('a'));
    expect(lifetime).toBeGreaterThan(0);
    expect(lifetime).toBeLessThanOrEqual(PRESENCE_MILLISECONDS);
  });

  test('of a release that says nothing of its noise is that of a worker that draws none of ours', async () => {
    const { noise: _, ...earlier } = status('earlier');
    const presence = createPresence(redis, keys);
    await presence.announce(status('a'));
    await redis.sadd(keys.workers, 'earlier');
    await redis.set(keys.worker('earlier'), JSON.stringify(earlier), 'EX', 60);
    const found = await presence.livingWorkers();
    expect(found.find(({ id }) => id === 'earlier')).toEqual({ ...earlier, noise: [] });
    expect(found.find(({ id }) => id === 'a')).toEqual(status('a'));
  });

  test('is lengthened by every announcement', async () => {
    const presence = createPresence(redis, keys);
    await presence.announce(status('a'));
    await redis.pexpire(keys.worker('a'), 1_000);
    await presence.announce(status('a'));
    expect(await redis.pttl(keys.worker('a'))).toBeGreaterThan(1_000);
  });

  test('ends with silence, and the worker is forgotten', async () => {
    const presence = createPresence(redis, keys);
    await presence.announce(status('a'));
    await redis.pexpire(keys.worker('a'), 20);
    await until(async () => (await presence.livingWorkers()).length === 0, {
      what: 'the worker to fall silent',
    });
    expect(await redis.exists(keys.workers)).toBe(0);
  });

  test('ends at once when the worker leaves', async () => {
    const presence = createPresence(redis, keys);
    await presence.announce(status('a'));
    await presence.leave('a');
    expect(await presence.livingWorkers()).toEqual([]);
  });
});

describe('reconciling records and queue', () => {
  async function withQueue(
    action: (queue: ReturnType<typeof coordinatorQueue>) => Promise<void>,
  ): Promise<void> {
    const queue = coordinatorQueue(redis, keys);
    try {
      await action(queue);
    } finally {
      await queue.close();
    }
  }

  test('enqueues an active job that the queue does not know, once', async () => {
    await withQueue(async (queue) => {
      const ids = [await create('queued-job'), await createRunning('running-job')];
      const third = await create('cancelling-job');
      await jobs.transition(third, ['queued'], 'cancelling');
      await Promise.all([reconcile(jobs, queue), reconcile(jobs, queue)]);
      await reconcile(jobs, queue);
      for (const id of [...ids, third]) expect(await queue.getJobState(id)).toBe('waiting');
      expect(await queue.getWaitingCount()).toBe(3);
    });
  });

  test('leaves alone what is queued, has ended or was forgotten', async () => {
    await withQueue(async (queue) => {
      await enqueueCoordination(queue, await create('known'));
      const ended = await createRunning('ended');
      await jobs.end(ended, 'succeeded', null);
      await jobs.forget(await create('forgotten'), 'prediction');
      await redis.sadd(keys.active, 'id without a job');
      await reconcile(jobs, queue);
      expect(await queue.getWaitingCount()).toBe(1);
      expect(await jobs.activeIds()).toEqual(['known']);
      expect(await statusOf('known')).toBe('queued');
      expect(await statusOf('ended')).toBe('succeeded');
    });
  });

  test('ends a job whose coordinator failed for good, with the reason', async () => {
    await withQueue(async (queue) => {
      const id = await createRunning();
      await enqueueCoordination(queue, id);
      const failing = async (): Promise<never> => {
        throw new UnrecoverableError('nothing to be done');
      };
      const worker = new Worker(COORDINATOR_QUEUE, failing, workerOptions(redis, keys, 1));
      try {
        await until(async () => (await queue.getJobState(id)) === 'failed', {
          what: 'the coordinator to fail',
        });
      } finally {
        await worker.close();
      }
      await reconcile(jobs, queue);
      expect(await jobs.get(id)).toMatchObject({
        status: 'failed',
        error: { code: 'internal_error', detail: 'nothing to be done' },
      });
      await reconcile(jobs, queue);
      expect(await jobs.activeIds()).toEqual([]);
    });
  });
});

test('two deployments on one server do not see each other', async () => {
  await create();
  const other = createJobStore(redis, createKeys('other'), RETENTION, () => clock);
  expect(await other.get('job')).toBeNull();
  expect((await other.list('prediction', 10, null))!.jobs).toEqual([]);
  const names = Object.values(keys).map((key) => (typeof key === 'function' ? key('prediction') : key));
  expect(new Set(names).size).toBe(names.length);
});
