import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync, rmSync, statSync, writeSync, closeSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endWithTest } from '../support/end-with-test.ts';
import { SHARED_CACHE } from '../support/shared-cache.ts';
import { createTestClient, exampleInputs } from '../support/service.ts';
import { useTemporaryDirectory } from '../support/temporary-directory.ts';
import { until } from '../support/until.ts';

// A disk of its own that can be filled: only root may mount one.
const CLI = fileURLToPath(new URL('../../dist/main/cli.js', import.meta.url));
const MAY_MOUNT = process.platform === 'linux' && process.getuid?.() === 0;
const REQUEST = {
  model: 'mnist-cnn',
  parameters: { sigma: 0.5, n0: 100, n: 20_000 },
  inputs: exampleInputs('mnist', 2),
};

const directory = useTemporaryDirectory();

describe.runIf(MAY_MOUNT).concurrent('smoothcert serve, its data and its log on a disk that is full', () => {
  const disk = (...parts: string[]): string => directory('disk', ...parts);
  beforeAll(async () => {
    await mkdir(disk());
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=32m', 'tmpfs', disk()]);
  });
  afterAll(() => execFileSync('umount', ['--lazy', disk()]));

  /** Takes every byte that is left. */
  function fill(): void {
    const file = openSync(disk('ballast'), 'w');
    for (let size = 1 << 20; size >= 1; size = Math.floor(size / 2)) {
      try {
        for (;;) writeSync(file, Buffer.alloc(size, 1));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      }
    }
    closeSync(file);
  }

  it('stays up, answers 503 with the reason, says once what is full, and goes on when there is room', async () => {
    const log = disk('log');
    const file = openSync(log, 'a');
    const child = endWithTest(
      spawn(process.execPath, [CLI, 'serve', '--port', '0', '--lanes', '1', '--data', disk('data')], {
        env: { ...process.env, REDIS_URL: '', SMOOTHCERT_CACHE_DIR: SHARED_CACHE },
        stdio: ['ignore', 'ignore', file],
      }),
    );
    closeSync(file);
    const lines = (): Record<string, unknown>[] =>
      readFileSync(log, 'utf8')
        .split('\n')
        .filter((line) => line.startsWith('{') && line.endsWith('}'))
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    const listening = await until(() => lines().find(({ event }) => event === 'api_listening'), {
      what: 'the API',
    });
    await until(() => lines().some(({ event }) => event === 'worker_ready'), { what: 'the worker' });
    const url = String(listening['url']);
    const client = createTestClient(url);
    const before = await client.submit(REQUEST);
    expect((await client.ended(before.id)).status).toBe('succeeded');

    const underWay = await client.submit({ ...REQUEST, parameters: { sigma: 0.5, n0: 100, n: 200_000 } });
    fill();
    const submit = async (): Promise<{ status: number; detail: string }> => {
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(`${url}/v1/certifications`, {
        method: 'POST',
        headers,
        body: JSON.stringify(REQUEST),
      });
      const { detail } = (await answer.json()) as { detail: string };
      return { status: answer.status, detail };
    };
    const refused = await until(
      async () => {
        const answer = await submit();
        return answer.status === 503 && answer.detail.includes('no space is left') ? answer : null;
      },
      { what: '503 with the reason', everyMs: 200 },
    );
    expect(refused.detail).toContain(disk('data', 'redis'));
    const ready = await fetch(`${url}/health/ready`);
    expect(ready.status).toBe(503);
    expect(await ready.text()).toContain('no space is left');
    // More than one look at the disk, and more than one heartbeat, find it full.
    await delay(8_000);
    expect(child.exitCode).toBeNull();
    expect((await fetch(`${url}/health/live`)).status).toBe(200);

    rmSync(disk('ballast'));
    const after = await until(async () => (await submit()).status === 202, {
      what: 'a submission',
      everyMs: 200,
    });
    expect(after).toBe(true);
    // What was acknowledged before is there, and ends.
    expect((await client.job(before.id)).status).toBe('succeeded');
    expect((await client.ended(underWay.id)).status).toBe('succeeded');
    const told = lines().filter(({ event }) => event === 'embedded_redis_unwritable');
    expect(told).toHaveLength(1);
    expect(statSync(log).size).toBeLessThan(1024 * 1024);
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
  });
});

it.runIf(process.platform === 'linux').concurrent(
  'output that cannot be written is an error of the command, and told',
  async () => {
    const full = openSync('/dev/full', 'w');
    const child = endWithTest(
      spawn(
        process.execPath,
        [CLI, 'radius', '--votes', '990', '--of', '1000', '--alpha', '0.001', '--sigma', '0.5'],
        {
          stdio: ['ignore', full, 'pipe'],
        },
      ),
    );
    closeSync(full);
    let said = '';
    child.stderr!.on('data', (chunk: Buffer) => (said += chunk.toString()));
    expect(await once(child, 'close')).toEqual([1, null]);
    expect(said).toMatch(/^smoothcert: the output cannot be written: ENOSPC/);
  },
);

it.runIf(process.platform === 'linux').concurrent('a log that cannot be written stops nothing', async () => {
  const full = openSync('/dev/full', 'w');
  const child = endWithTest(
    spawn(process.execPath, [CLI, 'serve', '--port', '0', '--lanes', '1', '--data', join(directory(), 'd')], {
      env: { ...process.env, REDIS_URL: '', LOG_LEVEL: 'trace', SMOOTHCERT_CACHE_DIR: SHARED_CACHE },
      stdio: ['ignore', 'pipe', full],
    }),
  );
  closeSync(full);
  let said = '';
  child.stdout!.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const url = await until(() => /listens on (\S+)/.exec(said)?.[1], { what: 'the service' });
  const client = createTestClient(url);
  const { id } = await client.submit(REQUEST);
  expect((await client.ended(id)).status).toBe('succeeded');
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
});
