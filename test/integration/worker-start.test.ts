import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { parseRedisUrl } from '../../src/redis/redis-url.ts';
import { endWithTest } from '../support/end-with-test.ts';
import { withOwnService } from '../support/own-service.ts';
import { isAlive } from '../support/processes.ts';
import { reproducedVotes } from '../support/reproduced-votes.ts';
import { exampleInputs, hostPid, type ServiceProcess, startProcess } from '../support/service.ts';
import { until } from '../support/until.ts';

// Each has a service of its own, and mostly waits for it.

const REQUEST = {
  model: 'mnist-cnn',
  parameters: { sigma: 0.5, n0: 100, n: 20_000 },
  inputs: exampleInputs('mnist', 2),
};

/** What the health check of a worker's container ends with, and says. */
async function healthCheck(redisUrl: string): Promise<{ status: number | null; said: string }> {
  const env = { ...process.env, REDIS_URL: redisUrl };
  const child = endWithTest(spawn(process.execPath, ['dist/main/worker-health.js'], { env, stdio: 'pipe' }));
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text: Buffer) => (said += text.toString()));
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, said };
}

/** A host of each engine. */
const MODELS = { SMOOTHCERT_MODELS: 'mnist-cnn,fashion-mnist-tensorflow' };

describe.concurrent('a worker that can become healthy keeps trying', () => {
  it('after its hosts were killed while they loaded, ten times in a row: it says so, and then does its jobs', () =>
    withOwnService(async ({ redis, client, startWorker }) => {
      const worker = startWorker(MODELS);
      const job = await client.submit(REQUEST);
      const killed = new Set<number>();
      // Whichever host starts, until the worker has been looked at.
      const killer = setInterval(() => {
        for (const { event, hostPid: each } of worker.log) {
          const host = Number(each);
          if (event !== 'device_host_started' || killed.has(host) || !isAlive(host)) continue;
          process.kill(host, 'SIGKILL');
          killed.add(host);
        }
      }, 5);
      try {
        await until(() => killed.size >= 10, { what: 'ten kills' });
        expect(worker.log.some(({ event }) => event === 'no_device_in_service')).toBe(true);
        expect((await fetch(`${client.url}/health/ready`)).status).toBe(503);
        expect(await healthCheck(redis.url)).toEqual({
          status: 1,
          said: expect.stringMatching(/^0 of \d devices at work/),
        });
      } finally {
        clearInterval(killer);
      }
      await until(async () => (await fetch(`${client.url}/health/ready`)).status === 200, {
        what: 'readiness',
        everyMs: 200,
      });
      expect(await healthCheck(redis.url)).toEqual({ status: 0, said: '1 of 1 devices at work\n' });
      expect((await client.ended(job.id)).status).toBe('succeeded');
      expect(worker.child.exitCode).toBeNull();
      await worker.end();
    }));

  it('after a segmentation fault of its device host, twenty times in one job of four images: the votes are the same', () =>
    withOwnService(async ({ client, startWorker }) => {
      const worker = startWorker({ SMOOTHCERT_LANES: '2', SMOOTHCERT_MODELS: REQUEST.model });
      await worker.logged('worker_ready');
      const parameters = { ...REQUEST.parameters, n: 60_000 };
      const inputs = exampleInputs('mnist', 4);
      const request = { ...REQUEST, parameters, inputs, reproductionSeed: '5eed'.repeat(16) };
      const { id: undisturbed } = await client.submit(request);
      await client.ended(undisturbed);
      const { id } = await client.submit(request);
      const killed = new Set<number>();
      const died = (): number =>
        worker.log.filter(
          ({ event, reason }) => event === 'device_host_crashed' && reason === 'died of SIGSEGV',
        ).length;
      // After every fifth fault the device is out for a while; it is not hit while it is tried again.
      const out = (): boolean =>
        worker.log.findLast(
          ({ event, engine }) => event === 'device_host_state_changed' && engine === 'onnx',
        )?.['to'] === 'out';
      while (killed.size < 20) {
        // Each process is hit at another moment of its life: starting, loading the model, sampling.
        const computed = 0.06 * (killed.size % 10);
        const pid = await until(
          async () => {
            const { finishedAt } = await client.job(id);
            if (finishedAt !== null) throw new Error(`the job ended after ${killed.size} faults`);
            const host = hostPid(worker);
            return !out() && !killed.has(host) && isAlive(host) && processorSeconds(host) >= computed && host;
          },
          { what: `a host at work after ${killed.size} faults`, everyMs: 5 },
        );
        killed.add(pid);
        process.kill(pid, 'SIGSEGV');
      }
      const ended = await client.ended(id);
      expect(ended.status).toBe('succeeded');
      expect(reproducedVotes(await client.results(id))).toEqual(
        reproducedVotes(await client.results(undisturbed)),
      );
      expect(died()).toBe(20);
      await worker.end();
      for (const pid of killed) expect(isAlive(pid)).toBe(false);
    }));

  it('while Redis is at its limit of memory: it says so, and goes on when there is room', () =>
    withOwnService(async ({ redis, client, startWorker }) => {
      const setMemory = async (limit: string): Promise<void> => {
        const admin = new Redis(parseRedisUrl(redis.url));
        await admin.call('CONFIG', 'SET', 'maxmemory', limit).finally(() => admin.disconnect());
      };
      await setMemory('1');
      const worker = startWorker(MODELS);
      const refused = await worker.logged('redis_refuses');
      expect(refused['reason']).toMatch(/limit of memory.*OOM/);
      const ready = await fetch(`${client.url}/health/ready`);
      expect(ready.status).toBe(503);
      expect(await ready.text()).toContain('limit of memory');
      expect(await healthCheck(redis.url)).toMatchObject({ status: 1 });
      expect(worker.child.exitCode).toBeNull();
      await setMemory('0');
      await worker.logged('worker_ready');
      const { id } = await client.submit(REQUEST);
      expect((await client.ended(id)).status).toBe('succeeded');
      await worker.end();
    }));
});

describe.concurrent('hosts that hang', () => {
  it('all of them, in mid-job: found by their heartbeat, replaced, and the job ends', () =>
    withOwnService(async ({ client, startWorker }) => {
      const worker = startWorker(MODELS);
      await worker.logged('worker_ready');
      const { id } = await client.submit({ ...REQUEST, parameters: { sigma: 0.5, n: 200_000 } });
      await client.drawn(id, 1_000);
      const hung = ['onnx', 'tensorflow']
        .map((engine) => hostPid(worker, engine))
        .filter((pid) => isAlive(pid));
      expect(hung.length).toBeGreaterThan(0);
      for (const pid of hung) process.kill(pid, 'SIGSTOP');
      for (const pid of hung) {
        const found = await until(
          () => worker.log.find(({ event, hostPid: each }) => event === 'device_host_hung' && each === pid),
          { what: `host ${pid} to be found hung` },
        );
        expect(found['silence']).toBe('gave no sign of life for 10 s');
      }
      expect((await client.ended(id)).status).toBe('succeeded');
      await worker.end();
    }));
});

describe.runIf(process.platform === 'linux').concurrent('an API that is killed', () => {
  it('answers again after less than 2 s of processor time: on a machine that has a core for it, in less than 2 s', () =>
    withOwnService(async ({ redis }) => {
      const start = (): ServiceProcess => startProcess('api', { REDIS_URL: redis.url, SMOOTHCERT_PORT: '0' });
      const first = start();
      await first.logged('api_listening');
      await first.end('SIGKILL');
      const second = start();
      const url = String((await second.logged('api_listening'))['url']);
      const seconds = processorSeconds(second.child.pid!);
      expect((await fetch(`${url}/v1/certifications`)).status).toBe(200);
      expect(seconds).toBeLessThan(2);
      await second.end();
    }));
});

/** What a process has computed, in user and kernel (proc(5), utime and stime, in hundredths of a second). */
function processorSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
