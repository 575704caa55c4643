import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createJobEvents, type JobEvents } from '../../src/jobs/events.ts';
import type { JobRequest } from '../../src/jobs/job-record.ts';
import { DEFAULT_OWNER, type JobRef } from '../../src/jobs/job-ref.ts';
import { createJobStore, type JobStore } from '../../src/jobs/job-store.ts';
import { createKeys, type Keys } from '../../src/jobs/keys.ts';
import { createResultStore } from '../../src/jobs/result-store.ts';
import { createSamplingStore } from '../../src/jobs/sampling-store.ts';
import type { JobEvent } from '../../src/jobs/stored/event.ts';
import { createJob, ref } from '../support/create-job.ts';
import { planRound } from '../support/plan-round.ts';
import { connectTestRedis, startTestRedis, type TestRedis } from '../support/redis.ts';
import {
  createTestClient,
  exampleInputs,
  hostPid,
  type ServiceProcess,
  startProcess,
} from '../support/service.ts';
import { until } from '../support/until.ts';
import { ENGINE, NOISE } from '../support/worker-status.ts';

const RETENTION = 600;
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
const FAILED = { kind: 'failed', error: { code: 'input_undecodable', detail: 'no image' } } as const;

let server: TestRedis;
let redis: Redis;
let keys: Keys;
let jobs: JobStore;
let events: JobEvents;
let ended: AbortController;

beforeAll(async () => {
  server = await startTestRedis();
  redis = await connectTestRedis(server);
});
beforeEach(() => {
  keys = createKeys(`test-${randomBytes(4).toString('hex')}`);
  jobs = createJobStore(redis, keys, RETENTION, Date.now);
  events = createJobEvents(redis, keys);
  ended = new AbortController();
});
afterEach(() => {
  ended.abort();
  events.close();
});
afterAll(async () => {
  redis?.disconnect();
  await server?.close();
});

const entries = [0, 1].map((index) => ({
  id: `${index}`,
  kind: 'tensor' as const,
  digest: DIGEST,
  label: null,
}));
const create = (id: string, owner = DEFAULT_OWNER): Promise<JobRef> => {
  const inputs = { entries, bytes: new Map([[DIGEST, Buffer.from('bytes')]]) };
  return createJob(jobs, { owner, id }, REQUEST, inputs, 200);
};

/** What is told of a filter from an id on, as far as it has been told. */
function gather(
  owner: string,
  job?: string,
  after: string | null = '0',
): { readonly told: JobEvent[]; count(atLeast: number): Promise<JobEvent[]> } {
  const told: JobEvent[] = [];
  const filter = job === undefined ? { owner } : { owner, job };
  const reading = (async () => {
    for await (const event of events.follow(filter, after, ended.signal)) told.push(event);
  })();
  reading.catch(() => undefined);
  return {
    told,
    count: (atLeast) =>
      until(() => (told.length >= atLeast ? [...told] : null), { what: `${atLeast} events` }),
  };
}

const short = (event: JobEvent): string => {
  switch (event.type) {
    case 'status':
      return event.status;
    case 'bound':
      return `bound ${event.binding}`;
    case 'round':
      return `round ${event.binding}:${event.round}`;
    case 'input':
      return `input ${event.input} ${event.outcome}`;
    default:
      return event.type;
  }
};

/** A life of a job in which everything happens that can, twice where that must change nothing. */
async function liveThrough(id: string): Promise<JobRef> {
  const job = await create(id);
  const sampling = createSamplingStore(redis, keys);
  const results = createResultStore(redis, keys);
  const round = planRound([{ input: 0, draws: [{ purpose: 'prediction', firstSample: 0, count: 100 }] }], 50);
  for (let time = 0; time < 2; time += 1) {
    await jobs.transition(job, ['queued'], 'running');
    await jobs.bind(job, ENGINE);
    await sampling.storeRound({ ...job, binding: 0 }, 0, round);
    await results.store(job, 1, FAILED, null);
  }
  for (let time = 0; time < 2; time += 1) {
    await jobs.rebind({ ...job, binding: 0 }, { ...ENGINE, version: '2' }, 0);
    await sampling.storeRound({ ...job, binding: 0 }, 1, round);
    await sampling.storeRound({ ...job, binding: 1 }, 0, round);
    await results.store(job, 0, FAILED, null);
  }
  for (let time = 0; time < 2; time += 1) {
    await jobs.end(job, 'failed', { code: 'sampling_failed', detail: 'x' });
    await results.store(job, 0, FAILED, null);
    await jobs.transition(job, ['queued', 'running'], 'cancelling');
  }
  return job;
}
const LIFE = [
  'queued',
  'running',
  'bound 0',
  'round 0:0',
  'input 1 failed',
  'bound 1',
  'round 1:0',
  'input 0 failed',
  'failed',
];

describe('events', () => {
  test('are told of every change, once, in order, and of nothing that changed nothing', async () => {
    const job = await liveThrough('job');
    const told = await gather(DEFAULT_OWNER).count(LIFE.length);
    expect(told.map(short)).toEqual(LIFE);
    expect(await redis.xlen(keys.events(DEFAULT_OWNER))).toBe(LIFE.length);
    expect(told.every((event) => event.job.id === job.id && event.job.owner === job.owner)).toBe(true);
    expect(told.at(-1)).toMatchObject({
      type: 'status',
      counts: { decided: 0, failed: 2, affirmed: 0, abstained: 0, reproduced: 0, correct: 0 },
    });
    expect(told[2]).toMatchObject({ type: 'bound', engine: ENGINE });
    expect(told[5]).toMatchObject({ type: 'bound', engine: { version: '2' } });
  });

  test('are told of a cancellation, and of a job that was withdrawn', async () => {
    const cancelled = await create('cancelled');
    await jobs.transition(cancelled, ['queued'], 'cancelling');
    await jobs.end(cancelled, 'succeeded', null);
    const withdrawn = await create('withdrawn');
    for (let time = 0; time < 2; time += 1) await jobs.forget(withdrawn, 'prediction');
    const told = await gather(DEFAULT_OWNER).count(5);
    expect(told.map(short)).toEqual(['queued', 'cancelling', 'cancelled', 'queued', 'withdrawn']);
  });

  test('are told from any of their ids on', async () => {
    await liveThrough('job');
    const all = await gather(DEFAULT_OWNER).count(LIFE.length);
    for (const [index, { id }] of all.slice(0, -1).entries())
      expect(await gather(DEFAULT_OWNER, undefined, id).count(LIFE.length - index - 1)).toEqual(
        all.slice(index + 1),
      );
  });

  test('are told as they happen, to each who follows, by owner or by job', async () => {
    const [mine, one, from] = [gather('mine'), gather('mine', 'one'), gather('mine', undefined, null)];
    const other = gather('other');
    await create('one', 'mine');
    await create('two', 'mine');
    await create('one', 'other');
    await jobs.transition({ owner: 'mine', id: 'one' }, ['queued'], 'running');
    await Promise.all([mine.count(3), one.count(2), from.count(3), other.count(1)]);
    expect(mine.told.map((event) => `${event.job.id} ${short(event)}`)).toEqual([
      'one queued',
      'two queued',
      'one running',
    ]);
    expect(one.told.map(short)).toEqual(['queued', 'running']);
    expect(other.told.map((event) => event.job)).toEqual([{ owner: 'other', id: 'one' }]);
  });

  test('are missed by nobody who is slow, however many come meanwhile', async () => {
    const slow = events.follow({ owner: DEFAULT_OWNER }, '0', ended.signal);
    await create('job');
    const first = await slow.next();
    expect(short(first.value as JobEvent)).toBe('queued');
    const fast = gather(DEFAULT_OWNER);
    const stream = keys.events(DEFAULT_OWNER);
    // More than are held, at once.
    const pipeline = redis.pipeline();
    for (let input = 0; input < 3_000; input += 1)
      pipeline.xadd(
        stream,
        '*',
        'v',
        '1',
        'job',
        'job',
        'type',
        'input',
        'input',
        input,
        'outcome',
        'failed',
      );
    await pipeline.exec();
    await redis.publish(keys.eventChannel, DEFAULT_OWNER);
    await fast.count(3_001);
    const seen: number[] = [];
    while (seen.length < 3_000) {
      const { value } = await slow.next();
      if (value?.type === 'input') seen.push(value.input);
    }
    expect(seen).toEqual(Array.from({ length: 3_000 }, (_, input) => input));
    expect(fast.told.slice(1).map((event) => (event.type === 'input' ? event.input : null))).toEqual(seen);
  });

  test('older than the retention go, and the stream with the last of them', async () => {
    const stream = keys.events(DEFAULT_OWNER);
    const old = Date.now() - RETENTION * 1000 - 60_000;
    const pipeline = redis.pipeline();
    for (let input = 0; input < 1_000; input += 1)
      pipeline.xadd(
        stream,
        `${old}-${input}`,
        'v',
        '1',
        'job',
        'old',
        'type',
        'input',
        'input',
        input,
        'outcome',
        'failed',
      );
    await pipeline.exec();
    await create('job');
    // Redis trims whole nodes of a hundred.
    expect(await redis.xlen(stream)).toBeLessThanOrEqual(100);
    const lifetime = await redis.ttl(stream);
    expect(lifetime).toBeGreaterThan(RETENTION - 10);
    expect(lifetime).toBeLessThanOrEqual(RETENTION);
    // Whoever stood at one that is gone is told what there is.
    const told = gather(DEFAULT_OWNER, 'job', `${old}-0`);
    expect((await told.count(1)).map(short)).toEqual(['queued']);
  });

  test('of a newer release are passed over, since nobody here could tell what they say', async () => {
    await create('job');
    await redis.xadd(
      keys.events(DEFAULT_OWNER),
      '*',
      'v',
      '2',
      'job',
      'job',
      'type',
      'status',
      'status',
      'paused',
    );
    await jobs.transition(ref('job'), ['queued'], 'running');
    expect((await gather(DEFAULT_OWNER).count(2)).map(short)).toEqual(['queued', 'running']);
  });

  test.each(['', 'x', '1-', '-1', '1-1-1', '9'.repeat(16)])('have no id %j', async (id) => {
    const following = events.follow({ owner: DEFAULT_OWNER }, id, ended.signal);
    await expect(following.next()).rejects.toThrow('is no id of an event');
  });

  test('are told on after redis-server was killed, and none is missed', async () => {
    const following = gather(DEFAULT_OWNER);
    await create('before');
    await following.count(1);
    process.kill(server.pid()!, 'SIGKILL');
    await create('after');
    await jobs.transition(ref('after'), ['queued'], 'running');
    await following.count(3);
    expect(following.told.map((event) => `${event.job.id} ${short(event)}`)).toEqual([
      'before queued',
      'after queued',
      'after running',
    ]);
  });
});

describe('whatever process is killed in mid-job', () => {
  const request = {
    model: 'mnist-cnn',
    parameters: { sigma: 0.5, n0: 100, n: 24_000 },
    inputs: exampleInputs('mnist', 4),
  };
  const start = (command: 'api' | 'worker'): ServiceProcess =>
    startProcess(command, {
      REDIS_URL: server.url,
      SMOOTHCERT_PORT: '0',
      SMOOTHCERT_LANES: '1',
      SMOOTHCERT_MODELS: 'mnist-cnn',
    });

  test('every status and every result has its event, once and in order', async () => {
    keys = createKeys('smoothcert');
    events = createJobEvents(redis, keys);
    const following = gather(DEFAULT_OWNER);
    const api = start('api');
    const client = createTestClient(String((await api.logged('api_listening'))['url']));
    const victim = start('worker');
    await victim.logged('worker_ready');
    const disturbances = [
      async () => void process.kill(hostPid(victim), 'SIGKILL'),
      async () => void process.kill(server.pid()!, 'SIGKILL'),
      async () => victim.end('SIGKILL'),
      async () => api.end('SIGKILL'),
    ];
    const ids: string[] = [];
    let heir: ServiceProcess | null = null;
    for (const disturb of disturbances) {
      const { id } = await until(() => client.submit(request).catch(() => null), { what: 'a submission' });
      ids.push(id);
      const inputs = () =>
        following.told.filter((event) => event.job.id === id && event.type === 'input').length;
      await until(() => inputs() >= 1, { what: `the first result of ${id}` });
      await disturb();
      heir ??= victim.child.signalCode === null ? null : start('worker');
      await until(() => following.told.some((event) => event.job.id === id && short(event) === 'succeeded'), {
        what: `the end of ${id}`,
      });
    }
    for (const id of ids) {
      const own = following.told.filter((event) => event.job.id === id).map(short);
      const decided = own.filter((each) => each.startsWith('input'));
      expect(decided.toSorted()).toEqual([0, 1, 2, 3].map((input) => `input ${input} certified`));
      expect(own).toEqual(['queued', 'running', 'bound 0', 'round 0:0', ...decided, 'succeeded']);
      expect(await redis.hlen(keys.results(ref(id)))).toBe(4);
    }
    await heir?.end();
  });
});
