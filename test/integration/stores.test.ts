import { randomBytes } from 'node:crypto';
import { UnrecoverableError, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ARROWS, hasEnded, STORED_STATUSES, type StoredStatus } from '../../src/contract/status.ts';
import type { JobRequest, JobEntry, ResultRecord } from '../../src/jobs/job-record.ts';
import { createJobStore, type JobPage, type JobStore } from '../../src/jobs/job-store.ts';
import { createEntryStore, type EntryStore } from '../../src/jobs/entries.ts';
import { DEFAULT_OWNER, isJobRef, type JobRef, parseRef, queueId, refText } from '../../src/jobs/job-ref.ts';
import { createKeys, type Keys } from '../../src/jobs/keys.ts';
import { createLargeInputs } from '../../src/jobs/large-inputs.ts';
import type { Round } from '../../src/jobs/plan.ts';
import { createPresence, PRESENCE_MILLISECONDS } from '../../src/jobs/presence.ts';
import type { WorkerStatus } from '../../src/jobs/stored/worker-status.ts';
import {
  COORDINATOR_QUEUE,
  coordinatorQueue,
  enqueueCoordination,
  workerOptions,
} from '../../src/jobs/queues.ts';
import { reconcile } from '../../src/jobs/reconcile.ts';
import { createResultStore, type ResultStore } from '../../src/jobs/result-store.ts';
import { type BoundJob, createSamplingStore, type SamplingStore } from '../../src/jobs/sampling-store.ts';
import type { ChunkVotes } from '../../src/smoothing/evidence.ts';
import { ENGINE, NOISE, workerStatus } from '../support/worker-status.ts';
import { createJob, ref } from '../support/create-job.ts';
import { planRound } from '../support/plan-round.ts';
import { connectTestRedis, startTestRedis, type TestRedis } from '../support/redis.ts';
import { until } from '../support/until.ts';

const RETENTION = 600;
/** A record outlives its results by this, so that a late client reads "expired" and not "not found". */
const WEEK = 7 * 24 * 3600;
const RACERS = 40;

let server: TestRedis;
let redis: Redis;
let keys: Keys;
let jobs: JobStore;
let entries: EntryStore;
let results: ResultStore;
let sampling: SamplingStore;
let clock: number;

beforeAll(async () => {
  server = await startTestRedis();
  redis = await connectTestRedis(server);
});
beforeEach(() => {
  keys = createKeys(`test-${randomBytes(4).toString('hex')}`);
  clock = 1_700_000_000_000;
  jobs = createJobStore(redis, keys, RETENTION, () => clock);
  entries = createEntryStore(redis, keys);
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
  seed: '0'.repeat(64),
  seedSource: 'server',
  firstIndex: 0,
};
const ENTRIES: readonly JobEntry[] = [
  { id: 'a', kind: 'tensor', digest: DIGEST, label: 3 },
  { id: 'b', kind: 'tensor', digest: DIGEST, label: null },
];

function create(id = 'job', kind: JobRequest['kind'] = 'prediction'): Promise<JobRef> {
  const inputs = { entries: ENTRIES, bytes: new Map([[DIGEST, Buffer.from('bytes')]]) };
  return createJob(jobs, ref(id), { ...REQUEST, kind } as JobRequest, inputs, 200);
}

async function createRunning(id = 'job'): Promise<JobRef> {
  const job = await create(id);
  await jobs.transition(job, ['queued'], 'running');
  return job;
}

async function createBound(): Promise<BoundJob> {
  return { ...(await createRunning()), binding: 0 };
}

/** Puts a job into a status by the way that leads there. */
async function createIn(status: StoredStatus): Promise<JobRef> {
  const job = await create();
  if (status === 'queued') return job;
  if (status === 'cancelling' || status === 'cancelled') await jobs.transition(job, ['queued'], 'cancelling');
  else await jobs.transition(job, ['queued'], 'running');
  if (hasEnded(status)) await jobs.end(job, status, null);
  return job;
}

const statusOf = async (job: JobRef): Promise<string | undefined> => (await jobs.get(job))?.status;
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
async function lifetimes(job: JobRef): Promise<Record<string, number>> {
  const names = (await redis.keys(`${keys.job(job)}*`)).sort();
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await redis.ttl(name)] as const)),
  );
}

describe('a job', () => {
  test('is bound to one pool while it runs, whoever asks first', async () => {
    const job = await create();
    const cuda = { ...ENGINE, provider: 'cuda' };
    expect(await jobs.bind(job, ENGINE)).toBeNull();
    expect((await jobs.get(job))!.engine).toBeNull();
    await jobs.transition(job, ['queued'], 'running');
    expect(await Promise.all([jobs.bind(job, cuda), jobs.bind(job, ENGINE)])).toEqual([cuda, cuda]);
    expect((await jobs.get(job))!.engine).toEqual(cuda);
    await jobs.end(job, 'failed', null);
    expect(await jobs.bind(job, ENGINE)).toBeNull();
    expect(await jobs.bind(ref('no-such-job'), ENGINE)).toBeNull();
  });

  test('is created whole: record, inputs, list and the set of active ones', async () => {
    const job = await create();
    expect(await jobs.get(job)).toEqual({
      engine: null,
      binding: 0,
      owner: 'default',
      id: 'job',
      request: REQUEST,
      inputsTotal: 2,
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
    const [bytes, missing] = await sampling.inputBytes(job, [DIGEST, 'e'.repeat(64)], 100);
    expect([Buffer.from(bytes!).toString(), missing]).toEqual(['bytes', null]);
    expect(await jobs.active()).toEqual([job]);
    expect((await jobs.list(DEFAULT_OWNER, 'prediction', 10, null))!.jobs.map((job) => job.id)).toEqual([
      job.id,
    ]);
    expect((await jobs.list(DEFAULT_OWNER, 'certification', 10, null))!.jobs).toEqual([]);
    expect(await entries.read(job, 0, 3)).toEqual([...ENTRIES, null]);
  });

  test('is not created where some of its inputs, stored before, are gone: nothing is', async () => {
    const large = createLargeInputs(redis, keys);
    const { signal } = new AbortController();
    const job = ref('staged');
    const bytes = new Map([[DIGEST, Buffer.from('bytes')]]);
    const size = { inputs: 2, labelled: 1, contents: 1, samplesPlanned: 200 };
    const createStaged = (): Promise<unknown> => jobs.create(job, REQUEST, size, null);
    await expect(createStaged()).rejects.toThrow('the inputs stored before are gone');
    await large.store(job, { entries: ENTRIES.slice(0, 1), bytes }, signal);
    await expect(createStaged()).rejects.toThrow('the inputs stored before are gone');
    expect(await jobs.get(job)).toBeNull();
    expect(await redis.exists(keys.active, keys.list(DEFAULT_OWNER, 'prediction'))).toBe(0);
    expect(await redis.ttl(keys.entries(job))).toBeGreaterThan(0);
    await large.store(job, { entries: ENTRIES.slice(1), bytes: new Map() }, signal, 1);
    await createStaged();
    expect(await entries.read(job, 0, 2)).toEqual(ENTRIES);
    expect(new Set(Object.values(await lifetimes(job)))).toEqual(new Set([-1]));
    large.close();
  });

  test('of any number of inputs has a record of less than 2 KB', async () => {
    const engine = { ...ENGINE, rows: 'proved', output: 'logits before LogSoftmax', batch: 128 } as const;
    const kind = 'certification';
    const parameters = { sigma: 0.123456789, n0: 10_000_000, n: 10_000_000, alpha: 0.001, bound: 'pA-pB' };
    const long = 'm'.repeat(64);
    const model = { name: long, version: long, digest: DIGEST };
    const many = Array.from({ length: 1_000 }, (_, index) => ({ ...ENTRIES[0]!, id: `${index}` }));
    const inputs = { entries: many, bytes: new Map([[DIGEST, Buffer.from('bytes')]]) };
    const request = { ...REQUEST, kind, model, parameters } as JobRequest;
    const job = await createJob(jobs, ref('job'), request, inputs, 2 ** 48);
    await jobs.transition(job, ['queued'], 'running');
    await jobs.bind(job, engine);
    const fields = Object.entries(await redis.hgetall(keys.job(job)));
    expect(fields.flat().join('').length).toBeLessThan(2_000);
    expect((await jobs.get(job))!.inputsTotal).toBe(1_000);
  });

  test.each(['', 'a:b', 'a/b', 'a.b', '-a', 'é', 'x'.repeat(64)])('is never named %j', (id) => {
    expect(isJobRef(ref(id))).toBe(false);
    expect(isJobRef({ owner: id, id: 'job' })).toBe(false);
    expect(parseRef(refText(ref(id)))).toBeNull();
  });

  test('is named by its owner and its id', () => {
    expect(parseRef(refText({ owner: 'a-lab_1', id: 'cert_0f' }))).toEqual({
      owner: 'a-lab_1',
      id: 'cert_0f',
    });
  });

  test('that is forgotten leaves nothing at all', async () => {
    await jobs.forget(await create(), 'prediction');
    expect(await redis.keys(`${keys.job(ref('job'))}*`)).toEqual([]);
    expect(await redis.exists(keys.active, keys.list(DEFAULT_OWNER, 'prediction'))).toBe(0);
    expect(await jobs.get(ref('job'))).toBeNull();
  });

  test('whose record is spoilt is reported, not guessed', async () => {
    const job = await create();
    await redis.hset(keys.job(job), 'status', 'sleeping');
    await expect(jobs.get(job)).rejects.toThrow('job job has no valid record');
  });
});

describe('a status', () => {
  const every = STORED_STATUSES.flatMap((from) => STORED_STATUSES.map((to) => [from, to] as const));

  test.each(every)('%s -> %s happens only along an arrow', async (from, to) => {
    const job = await createIn(from);
    expect(await statusOf(job)).toBe(from);
    const reached = await jobs.transition(job, STORED_STATUSES, to);
    const expected = ARROWS[from].includes(to) ? to : from;
    expect(reached).toBe(expected);
    expect(await statusOf(job)).toBe(expected);
    // The product ends a job by `end` alone, which lets its record expire.
    await jobs.forget(job, 'prediction');
  });

  const ends = STORED_STATUSES.filter((status) => hasEnded(status));
  const endings = STORED_STATUSES.flatMap((from) => ends.map((to) => [from, to] as const));
  test.each(endings)('%s, ended as %s, follows the arrows; a cancellation wins', async (from, to) => {
    const job = await createIn(from);
    await jobs.end(job, to, { code: 'internal_error', detail: 'a fault' });
    const expected = from === 'cancelling' ? 'cancelled' : ARROWS[from].includes(to) ? to : from;
    const record = (await jobs.get(job))!;
    expect(record.status).toBe(expected);
    expect(record.finishedAt === null).toBe(!hasEnded(expected));
    expect(await redis.sismember(keys.active, refText(job))).toBe(hasEnded(expected) ? 0 : 1);
  });

  test('of a job that is not there is null, and asking brings nothing about', async () => {
    expect(await jobs.transition(ref('gone'), ['queued'], 'running')).toBeNull();
    await jobs.end(ref('gone'), 'failed', null);
    expect(await redis.keys(`${keys.job(ref('gone'))}*`)).toEqual([]);
  });

  test('is moved by exactly one of many that race, and the start time is that of the first', async () => {
    const job = await create();
    const stores = Array.from({ length: RACERS }, (_, index) =>
      createJobStore(redis, keys, RETENTION, () => clock + index),
    );
    await together((index) => stores[index]!.transition(job, ['queued'], 'running'));
    expect(await jobs.get(job)).toMatchObject({ status: 'running', startedAt: clock });
  });

  test('reaches one end under racing ends and cancellations, and keeps it', async () => {
    for (let round = 0; round < 10; round += 1) {
      const job = await createRunning(`job-${round}`);
      const seen = new Set<string>();
      await together(async (index) => {
        if (index % 4 === 0) await jobs.end(job, 'succeeded', null);
        else if (index % 4 === 1) await jobs.transition(job, ['queued', 'running'], 'cancelling');
        else if (index % 4 === 2) await jobs.end(job, 'failed', { code: 'sampling_failed', detail: 'x' });
        const status = await statusOf(job);
        if (status !== undefined && hasEnded(status as StoredStatus)) seen.add(status);
      });
      expect(seen.size).toBe(1);
      const record = (await jobs.get(job))!;
      expect(seen).toContain(record.status);
      expect(record.error === null).toBe(record.status !== 'failed');
    }
  });
});

describe('a result', () => {
  test('is stored once and counted once, however many race', async () => {
    const job = await createRunning();
    await together(async (index) =>
      results.store(job, 0, index % 2 === 0 ? prediction(3) : prediction(null), 3),
    );
    const { counts } = (await jobs.get(job))!;
    const [stored] = await results.read(job, 0, 1);
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
    const job = await createRunning();
    await results.store(job, 0, result, label);
    const none = { decided: 0, failed: 0, affirmed: 0, abstained: 0, reproduced: 0, correct: 0, labelled: 1 };
    expect((await jobs.get(job))!.counts).toEqual({ ...none, ...counts });
  });

  test('is read in order, null where there is none', async () => {
    const job = await createRunning();
    await results.store(job, 1, FAILED, null);
    expect(await results.read(job, 0, 3)).toEqual([null, FAILED, null]);
    expect(await results.read(job, 1, 1)).toEqual([FAILED]);
    expect(await results.read(job, 0, 0)).toEqual([]);
    expect(await results.read(job, 5, -1)).toEqual([]);
  });

  test('that arrives while the job is being cancelled is kept', async () => {
    const job = await createRunning();
    await jobs.transition(job, ['running'], 'cancelling');
    await results.store(job, 0, prediction(3), 3);
    await jobs.end(job, 'cancelled', null);
    expect(await results.read(job, 0, 1)).toEqual([prediction(3)]);
  });
});

describe('a chunk', () => {
  test('counts once: its first votes are those that count, and repeating it adds nothing', async () => {
    const job = await createBound();
    const drawn = async (): Promise<number> => (await jobs.get(job))!.samplesDrawn;
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
    expect([await sampling.hasEnded(job, 0), await sampling.hasEnded(job, 1)]).toEqual([true, false]);
  });

  test('that is complete is not undone by the progress of a slower repetition', async () => {
    const job = await createBound();
    await sampling.record(job, 0, 50, votes(50));
    await sampling.record(job, 0, 10, null);
    expect((await jobs.get(job))!.samplesDrawn).toBe(50);
  });

  test('counts right when many report on many chunks at once', async () => {
    const job = await createBound();
    await together(async (index) => {
      const number = index % 8;
      for (const part of [10, 20, 30]) await sampling.record(job, number, part, null);
      await sampling.record(job, number, 50, votes(50));
    });
    expect((await jobs.get(job))!.samplesDrawn).toBe(8 * 50);
    expect((await sampling.progress(job)).ended).toBe(8);
  });

  test('learns from recording that its job is being cancelled, and counts no more', async () => {
    const job = await createBound();
    expect(await sampling.record(job, 0, 10, null)).toBe('running');
    await jobs.transition(job, ['running'], 'cancelling');
    expect(await sampling.record(job, 0, 20, null)).toBe('cancelling');
    expect((await jobs.get(job))!.samplesDrawn).toBe(10);
    expect(await sampling.record({ ...ref('gone'), binding: 0 }, 0, 10, null)).toBeNull();
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
    await jobs.bind(job, ENGINE);
    await sampling.storeRound(job, 0, round(50));
    await sampling.markQueued(job, 4);
    for (const number of [0, 1, 2]) await sampling.record(job, number, 50, votes(50));
    await results.store(job, 0, prediction(3), 3);
    return job;
  }

  test('keeps its results and loses every vote, its plan and its progress beyond the results, in one step', async () => {
    const job = await createHalfDone();
    expect(await jobs.rebind(job, other, 100)).toBe(true);
    const record = (await jobs.get(job))!;
    expect(record).toMatchObject({ engine: other, binding: 1, samplesDrawn: 100, status: 'running' });
    expect(await results.read(job, 0, 2)).toEqual([prediction(3), null]);
    for (const each of [job, record]) {
      expect(await sampling.votes(each, [0, 1, 2, 3])).toEqual([null, null, null, null]);
      expect(await sampling.progress(each)).toMatchObject({ queued: 0, ended: 0, plan: { chunks: 0 } });
    }
  });

  test('takes nothing that is late from whoever drew for the old pool', async () => {
    const job = await createHalfDone();
    await jobs.rebind(job, other, 100);
    const record = (await jobs.get(job))!;
    expect(await sampling.record(job, 3, 50, votes(50))).toBe('rebound');
    expect(await sampling.giveUp(job, 3)).toBe('rebound');
    expect(await sampling.markQueued(job, 4)).toBe('rebound');
    await sampling.storeRound(job, 0, round(10));
    await sampling.dropVotes(job, [0, 1, 2, 3]);
    expect((await jobs.get(job))!.samplesDrawn).toBe(100);
    expect(await sampling.progress(record)).toMatchObject({ queued: 0, ended: 0, plan: { chunks: 0 } });
    expect(await sampling.votes(record, [3])).toEqual([null]);
  });

  test('is bound once, however many coordinators find its pool gone', async () => {
    const job = await createHalfDone();
    const bound = await together(() => jobs.rebind(job, other, 100));
    expect(bound.filter(Boolean)).toHaveLength(1);
    expect((await jobs.get(job))!.binding).toBe(1);
  });

  test('is one that runs: no other can be', async () => {
    const job = await createHalfDone();
    await jobs.end(job, 'failed', null);
    expect(await jobs.rebind(job, other, 0)).toBe(false);
    expect(await jobs.rebind({ ...ref('gone'), binding: 0 }, other, 0)).toBe(false);
    expect(await redis.exists(keys.job(ref('gone')))).toBe(0);
  });

  test('was without its pool since the first that found it gone, until one finds it back', async () => {
    const job = await createBound();
    const [first, again] = [await jobs.poolGone(job), await jobs.poolGone(job)];
    expect(first).toBe(0);
    await redis.hincrby(keys.job(job), 'poolGoneSince', -100);
    expect(await jobs.poolGone(job)).toBeGreaterThanOrEqual(again! + 100);
    await jobs.poolIsBack(job);
    expect(await jobs.poolGone(job)).toBe(0);
    expect(await jobs.poolGone(ref('gone'))).toBeNull();
    expect(await redis.exists(keys.job(ref('gone')))).toBe(0);
  });
});

test('inputs are read as far as they come to some bytes, and one at least', async () => {
  const contents = ['aaaa', 'bbb', 'cccc', 'd'].map(
    (text, index) => [`${index}`.repeat(64), Buffer.from(text)] as const,
  );
  const all = contents.map(([digest], index) => ({ ...ENTRIES[0]!, id: `${index}`, digest }));
  const job = await createJob(jobs, ref('job'), REQUEST, { entries: all, bytes: new Map(contents) }, 200);
  const digests = contents.map(([digest]) => digest);
  const read = async (most: number, from = 0) =>
    (await sampling.inputBytes(job, digests.slice(from), most)).map((bytes) =>
      Buffer.from(bytes!).toString(),
    );
  expect(await read(100)).toEqual(['aaaa', 'bbb', 'cccc', 'd']);
  expect(await read(8)).toEqual(['aaaa', 'bbb']);
  expect(await read(7)).toEqual(['aaaa', 'bbb']);
  expect(await read(1)).toEqual(['aaaa']);
  expect(await read(8, 2)).toEqual(['cccc', 'd']);
});

test('a tensor is kept byte for byte beside its digest', async () => {
  const job = await createRunning();
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, value) => value));
  await sampling.storeTensors(job, new Map([[1, { bytes, digest: DIGEST }]]));
  const [missing, stored] = await sampling.tensors(job, [0, 1]);
  expect(missing).toBeNull();
  expect(Buffer.from(stored!.bytes).equals(bytes)).toBe(true);
  expect(stored!.digest).toBe(DIGEST);
  expect(await sampling.tensorDigests(job, [0, 1])).toEqual([null, DIGEST]);
  expect(await sampling.tensors(job, [])).toEqual([]);
});

/** Everything that a worker writes for a job, as one that was slow would write it. */
async function writeEverything(ref: JobRef): Promise<void> {
  const job = { ...ref, binding: 0 };
  await sampling.storeTensors(job, new Map([[0, { bytes: Buffer.from('x'), digest: DIGEST }]]));
  await sampling.storeRound(job, 0, round(50));
  await sampling.record(job, 0, 20, null);
  await sampling.record(job, 1, 50, votes(50));
  await sampling.recordError(job, 0, { code: 'sampling_failed', detail: 'late' });
  await results.store(job, 0, prediction(3), 3);
}

describe('retention', () => {
  test('before the end no key of a job expires', async () => {
    const job = await createRunning();
    await writeEverything(job);
    const lifetime = await lifetimes(job);
    expect(Object.keys(lifetime)).toHaveLength(10);
    expect(new Set(Object.values(lifetime))).toEqual(new Set([-1]));
  });

  test.each(['succeeded', 'partially_succeeded', 'failed', 'cancelled'] as const)(
    'after the end as %s only record, entries and results are left, and all expire',
    async (status) => {
      const job = await createRunning();
      await writeEverything(job);
      if (status === 'cancelled') await jobs.transition(job, ['running'], 'cancelling');
      await jobs.end(job, status, null);
      const lifetime = await lifetimes(job);
      expect(Object.keys(lifetime)).toEqual([keys.job(job), keys.entries(job), keys.results(job)]);
      expect(lifetime[keys.entries(job)]).toBe(lifetime[keys.results(job)]);
      expect(lifetime[keys.results(job)]).toBeGreaterThan(RETENTION - 10);
      expect(lifetime[keys.results(job)]).toBeLessThanOrEqual(RETENTION);
      expect(lifetime[keys.job(job)]).toBeGreaterThan(RETENTION + WEEK - 10);
      expect(lifetime[keys.job(job)]).toBeLessThanOrEqual(RETENTION + WEEK);
      expect(await jobs.active()).toEqual([]);
    },
  );

  test('no late writer brings back a key of a job that has ended, or changes what it shows', async () => {
    const job = await createRunning();
    await results.store(job, 1, FAILED, null);
    await jobs.end(job, 'succeeded', null);
    const [record, left] = [await jobs.get(job), Object.keys(await lifetimes(job))];
    await writeEverything(job);
    await jobs.end(job, 'failed', { code: 'internal_error', detail: 'late' });
    expect(await jobs.get(job)).toEqual(record);
    expect(Object.keys(await lifetimes(job))).toEqual(left);
    expect(await results.read(job, 0, 2)).toEqual([null, FAILED]);
  });

  test('no late writer brings back a job that is gone', async () => {
    const job = await createRunning();
    await jobs.forget(job, 'prediction');
    await writeEverything(job);
    await jobs.end(job, 'succeeded', null);
    expect(await redis.keys(`${keys.job(job)}*`)).toEqual([]);
  });

  test('a second end does not lengthen the life of the first', async () => {
    const job = await createRunning();
    await jobs.end(job, 'succeeded', null);
    await redis.expire(keys.job(job), 60);
    clock += 1_000;
    await jobs.end(job, 'succeeded', null);
    expect(await redis.ttl(keys.job(job))).toBeLessThanOrEqual(60);
    expect((await jobs.get(job))!.finishedAt).toBe(clock - 1_000);
  });

  test('a job reads expired from the moment that its results are due to go', async () => {
    const job = await createRunning();
    await jobs.end(job, 'succeeded', null);
    const { expiresAt } = (await jobs.get(job))!;
    expect(expiresAt).toBe(clock + RETENTION * 1000);
    clock = expiresAt! - 1;
    expect(await statusOf(job)).toBe('succeeded');
    clock = expiresAt!;
    expect(await statusOf(job)).toBe('expired');
  });
});

describe('the list', () => {
  async function fill(count: number): Promise<JobRef[]> {
    const all: JobRef[] = [];
    for (let index = 0; index < count; index += 1) {
      clock += 1;
      all.unshift(await create(`job-${index}`));
    }
    return all;
  }
  async function readAll(limit: number): Promise<string[]> {
    const found: string[] = [];
    for (let cursor: string | null = null; ;) {
      const page: JobPage = (await jobs.list(DEFAULT_OWNER, 'prediction', limit, cursor))!;
      found.push(...page.jobs.map((job) => job.id));
      if (page.next === null) return found;
      cursor = page.next;
    }
  }

  test('drops ids whose record has expired, and forgets them for good', async () => {
    const all = await fill(5);
    await redis.del(keys.job(all[1]!), keys.job(all[4]!));
    expect(await readAll(50)).toEqual([all[0]!.id, all[2]!.id, all[3]!.id]);
    expect(await redis.zcard(keys.list(DEFAULT_OWNER, 'prediction'))).toBe(3);
  });

  test.each([1, 2, 3])(
    'is read to its end in pages of %i although whole pages have expired',
    async (limit) => {
      const all = await fill(9);
      const gone = [0, 2, 3, 4, 5, 8].map((index) => all[index]!);
      await redis.del(...gone.map((job) => keys.job(job)));
      expect(await readAll(limit)).toEqual([1, 6, 7].map((index) => all[index]!.id));
    },
  );

  test('has no page after a cursor that it does not know', async () => {
    await fill(1);
    expect(await jobs.list(DEFAULT_OWNER, 'prediction', 10, 'nonsense')).toBeNull();
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

  test('of a worker that is not understood is none, and is told', async () => {
    const told: string[] = [];
    const presence = createPresence(redis, keys, (reason) => told.push(reason));
    await presence.announce(status('a'));
    for (const [id, text] of [
      ['newer', '{"v":2,"value":{}}'],
      ['earlier', JSON.stringify(status('earlier'))],
    ] as const) {
      await redis.sadd(keys.workers, id);
      await redis.set(keys.worker(id), text, 'EX', 60);
    }
    expect(await presence.livingWorkers()).toEqual([status('a')]);
    expect(told.toSorted()).toEqual([
      'the status of a worker cannot be read: it says no version',
      'the status of a worker is of version 2, of a newer release; this one knows up to 1 and leaves it alone',
    ]);
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
      const both = [await create('queued-job'), await createRunning('running-job')];
      const third = await create('cancelling-job');
      await jobs.transition(third, ['queued'], 'cancelling');
      await Promise.all([reconcile(jobs, queue), reconcile(jobs, queue)]);
      await reconcile(jobs, queue);
      for (const job of [...both, third]) expect(await queue.getJobState(queueId(job))).toBe('waiting');
      expect(await queue.getWaitingCount()).toBe(3);
    });
  });

  test('leaves alone what is queued, has ended or was forgotten', async () => {
    await withQueue(async (queue) => {
      await enqueueCoordination(queue, await create('known'));
      const ended = await createRunning('ended');
      await jobs.end(ended, 'succeeded', null);
      await jobs.forget(await create('forgotten'), 'prediction');
      await redis.sadd(keys.active, refText(ref('without-a-record')), 'what a newer release may write');
      await reconcile(jobs, queue);
      expect(await queue.getWaitingCount()).toBe(1);
      expect(await jobs.active()).toEqual([ref('known')]);
      expect(await statusOf(ref('known'))).toBe('queued');
      expect(await statusOf(ref('ended'))).toBe('succeeded');
    });
  });

  test('ends a job whose coordinator failed for good, with the reason', async () => {
    await withQueue(async (queue) => {
      const job = await createRunning();
      await enqueueCoordination(queue, job);
      const failing = async (): Promise<never> => {
        throw new UnrecoverableError('nothing to be done');
      };
      const worker = new Worker(COORDINATOR_QUEUE, failing, workerOptions(redis, keys, 1));
      try {
        await until(async () => (await queue.getJobState(queueId(job))) === 'failed', {
          what: 'the coordinator to fail',
        });
      } finally {
        await worker.close();
      }
      await reconcile(jobs, queue);
      expect(await jobs.get(job)).toMatchObject({
        status: 'failed',
        error: { code: 'internal_error', detail: 'nothing to be done' },
      });
      await reconcile(jobs, queue);
      expect(await jobs.active()).toEqual([]);
    });
  });
});

test('two deployments on one server do not see each other', async () => {
  await create();
  const other = createJobStore(redis, createKeys('other'), RETENTION, () => clock);
  expect(await other.get(ref('job'))).toBeNull();
  expect((await other.list(DEFAULT_OWNER, 'prediction', 10, null))!.jobs).toEqual([]);
  const { list, worker, events, idempotency, ...named } = keys;
  const job = ref('prediction');
  const names = Object.values(named).map((key) => (typeof key === 'function' ? key(job) : key));
  const ofOwner = [
    list(job.owner, 'prediction'),
    events(job.owner),
    idempotency(job.owner, 'prediction', 'k'),
  ];
  const all = [...names, ...ofOwner, worker('prediction')];
  expect(new Set(all).size).toBe(all.length);
});
