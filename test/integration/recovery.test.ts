import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isAlive } from '../support/processes.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';
import { reproducedVotes } from '../support/reproduced-votes.ts';
import {
  createTestClient,
  exampleInputs,
  hostPid,
  type ServiceProcess,
  startProcess,
  type TestClient,
} from '../support/service.ts';
import { until } from '../support/until.ts';

// One reproduction seed, so every run below must give the very same votes, whatever is killed on the way.
const REQUEST = {
  model: 'mnist-cnn',
  parameters: { sigma: 0.5, n0: 100, n: 24_000 },
  inputs: exampleInputs('mnist', 3),
  reproductionSeed: '5eed'.repeat(16),
};
const PLANNED = 3 * 24_100;
/** The promise: work goes on within this time of a kill, on a machine that has a core for it. */
const RECOVERY_MS = 15_000;
/** On a busy one: in no more than so many times what a worker takes there to start. */
const RECOVERY_STARTS = 5;

let redis: TestRedis;
let api: ServiceProcess;
let client: TestClient;
let expected: unknown;
/** How long the first worker has taken to start, in milliseconds. */
let startMs: number;
const workers = new Set<ServiceProcess>();

async function startTestWorker(lanes: number): Promise<ServiceProcess> {
  const worker = startProcess('worker', {
    REDIS_URL: redis.url,
    SMOOTHCERT_LANES: String(lanes),
    SMOOTHCERT_MODELS: REQUEST.model,
  });
  workers.add(worker);
  await worker.logged('worker_ready');
  return worker;
}

async function endWorkers(): Promise<void> {
  await Promise.all([...workers].map((worker) => worker.end()));
  workers.clear();
}

/** Submits the request, lets `disturb` do its worst in mid-job, and returns the votes and how long work stood still. */
async function runDisturbed(disturb: () => Promise<void>): Promise<{ votes: unknown; standstill: number }> {
  const { id } = await client.submit(REQUEST);
  await client.drawn(id, PLANNED / 20);
  const disturbedAt = performance.now();
  await disturb();
  const before = await until(async () => (await client.job(id)).progress, { what: 'an answer' });
  await until(
    async () => {
      const { progress, finishedAt } = await client.job(id);
      return finishedAt !== null || progress.samplesDrawn > before.samplesDrawn;
    },
    { what: 'progress after the kill', everyMs: 50 },
  );
  const standstill = performance.now() - disturbedAt;
  const ended = await client.ended(id);
  expect(ended.status).toBe('succeeded');
  expect(ended.progress.samplesDrawn).toBe(PLANNED);
  return { votes: reproducedVotes(await client.results(id)), standstill };
}

const recoveryLimit = (): number => Math.max(RECOVERY_MS, RECOVERY_STARTS * startMs);

beforeAll(async () => {
  redis = await startTestRedis();
  api = startProcess('api', { REDIS_URL: redis.url, SMOOTHCERT_PORT: '0' });
  client = createTestClient(String((await api.logged('api_listening'))['url']));
  const started = performance.now();
  await startTestWorker(2);
  startMs = performance.now() - started;
  const { id } = await client.submit(REQUEST);
  await client.ended(id);
  expected = reproducedVotes(await client.results(id));
  await endWorkers();
});

afterAll(async () => {
  await endWorkers();
  await api?.end();
  await redis?.close();
});

describe('the same request with the same seed gives the same votes, bit for bit', () => {
  it('with one lane as with two', async () => {
    await startTestWorker(1);
    const { id } = await client.submit(REQUEST);
    await client.ended(id);
    expect(reproducedVotes(await client.results(id))).toEqual(expected);
    await endWorkers();
  });

  it('with two workers that share the job', async () => {
    const both = await Promise.all([startTestWorker(1), startTestWorker(1)]);
    const { id } = await client.submit(REQUEST);
    await client.ended(id);
    expect(reproducedVotes(await client.results(id))).toEqual(expected);
    for (const worker of both) expect(worker.log.some(({ event }) => event === 'chunk_drawn')).toBe(true);
    await endWorkers();
  });

  it('after kill -9 of the device host in mid-job', async () => {
    const worker = await startTestWorker(2);
    const killed = hostPid(worker);
    const { votes, standstill } = await runDisturbed(async () => void process.kill(killed, 'SIGKILL'));
    expect(votes).toEqual(expected);
    expect(standstill).toBeLessThan(recoveryLimit());
    expect(hostPid(worker)).not.toBe(killed);
    expect(worker.log.some(({ event }) => event === 'device_host_crashed')).toBe(true);
    await endWorkers();
  });

  it('after one of two devices has failed for good: its draws go to the other', async () => {
    const [broken, sound] = await Promise.all([startTestWorker(1), startTestWorker(1)]);
    // Without end, so that the sound device never leaves the broken one without a draw.
    const { id: endless } = await client.submit({ ...REQUEST, parameters: { sigma: 0.5, n: 10_000_000 } });
    const { id } = await client.submit(REQUEST);
    const killed = new Set<number>();
    // Its host dies whenever it is started, as on a card that has fallen off the bus.
    await until(
      () => {
        const host = hostPid(broken);
        if (!killed.has(host) && isAlive(host)) {
          process.kill(host, 'SIGSEGV');
          killed.add(host);
        }
        return broken.log.some(
          ({ event, to, engine }) =>
            event === 'device_host_state_changed' && to === 'out' && engine === 'onnx',
        );
      },
      { what: 'the device that is taken out', everyMs: 5 },
    );
    const { samplesDrawn } = (await client.job(endless)).progress;
    await client.drawn(endless, samplesDrawn + 1);
    await client.cancel(endless);
    const ended = await client.ended(id);
    expect(ended.status).toBe('succeeded');
    const results = await client.results(id);
    expect(reproducedVotes(results)).toEqual(expected);
    expect(sound.log.filter(({ event }) => event === 'chunk_drawn').length).toBeGreaterThan(0);
    await endWorkers();
  });

  it('after kill -9 of the worker in mid-job, another one taking over; its host is gone with it', async () => {
    const victim = await startTestWorker(1);
    const heir = await startTestWorker(1);
    let killedAt = 0;
    const { votes } = await runDisturbed(async () => {
      const host = hostPid(victim);
      killedAt = Date.now();
      await victim.end('SIGKILL');
      await until(() => !isAlive(host), { what: 'the end of the orphaned host' });
    });
    expect(votes).toEqual(expected);
    const takenOver = await heir.logged('job_taken_over');
    expect(Number(takenOver['time']) - killedAt).toBeLessThan(recoveryLimit());
    await endWorkers();
  });

  it('after kill -9 of redis-server in mid-job', async () => {
    await startTestWorker(2);
    const { votes, standstill } = await runDisturbed(async () => void process.kill(redis.pid()!, 'SIGKILL'));
    expect(votes).toEqual(expected);
    expect(standstill).toBeLessThan(recoveryLimit());
    await endWorkers();
  });

  it('after the worker was asked to stop in mid-job and another one was started', async () => {
    const first = await startTestWorker(2);
    const { votes } = await runDisturbed(async () => {
      await first.end('SIGTERM');
      await startTestWorker(2);
    });
    expect(votes).toEqual(expected);
    await endWorkers();
  });
});

describe('cancelling', () => {
  it('reaches a running draw at once, and keeps what was decided', async () => {
    const worker = await startTestWorker(2);
    const inputs = exampleInputs('mnist', 12);
    const { id } = await client.submit({ ...REQUEST, inputs, parameters: { sigma: 0.5, n: 100_000 } });
    await client.drawn(id, 5_000);
    expect((await client.cancel(id)).status).toMatch(/^cancell(ing|ed)$/);
    const ended = await client.ended(id);
    expect(ended.status).toBe('cancelled');
    await until(() => worker.log.some(({ event, job }) => event === 'chunk_abandoned' && job === id), {
      what: 'the end of its draw in the middle of a chunk',
    });
    expect(ended.progress.samplesDrawn).toBeLessThan(ended.progress.samplesPlanned / 2);
    const results = await client.results(id);
    expect(results).toHaveLength(12);
    for (const { status } of results) expect(['decided', 'cancelled']).toContain(status);
    // The worker is free again: a small job is done well before the cancelled one could have been.
    const next = await client.submit({ ...REQUEST, parameters: { sigma: 0.5, n: 1_000 } });
    expect((await client.ended(next.id)).status).toBe('succeeded');
    expect(isAlive(hostPid(worker))).toBe(true);
    await endWorkers();
  });
});
