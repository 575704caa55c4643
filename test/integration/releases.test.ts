import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refuseOlderJobs } from '../../src/jobs/refuse-older-jobs.ts';
import { connectWorker, waitUntilReady } from '../../src/redis/connections.ts';
import { QUIET } from '../support/api.ts';
import { runCommand } from '../support/command-line.ts';
import { WAIT_LIMIT_MS } from '../support/limits.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';
import { readStoredJobs, restore } from '../support/stored-jobs.ts';

// What two releases make of one Redis. The stored jobs are real ones: test/fixtures/stored-jobs/write.mjs.

let server: TestRedis;
let redis: Redis;

beforeAll(async () => {
  server = await startTestRedis();
  redis = connectWorker(server.url, QUIET);
  await waitUntilReady(redis, WAIT_LIMIT_MS);
});
afterAll(async () => {
  redis?.disconnect();
  await server?.close();
});

describe('a job that a release before jobs had owners has not ended', () => {
  const older = readStoredJobs('without-owner');

  it.each(['api', 'worker'])(
    'keeps this release’s %s from starting, with what to do, and stays as it is',
    async (command) => {
      await redis.flushall();
      await restore(redis, older);
      const before = await contents();
      const { status, stderr } = await runCommand([command], {
        REDIS_URL: server.url,
        SMOOTHCERT_PORT: '0',
        SMOOTHCERT_MODELS: 'mnist-cnn',
      });
      expect(status).toBe(3);
      expect(stderr).toContain(
        `1 unfinished job of an earlier release, which this one does not read: ${older.running}`,
      );
      expect(stderr).toContain('Run that release again until they have ended, or cancel them there');
      expect(await contents()).toEqual(before);
    },
  );

  it('is no obstacle any more once it has ended', async () => {
    await redis.flushall();
    await restore(redis, older);
    await expect(refuseOlderJobs(redis, 'smoothcert')).rejects.toMatchObject({ code: 'release_mismatch' });
    await expect(refuseOlderJobs(redis, randomBytes(4).toString('hex'))).resolves.toBeUndefined();
    await redis.hset(`smoothcert:job:${older.running}`, 'status', 'cancelled');
    await expect(refuseOlderJobs(redis, 'smoothcert')).resolves.toBeUndefined();
  });

  it('is one of many: some are named, the others counted', async () => {
    await redis.flushall();
    for (let index = 1; index <= 7; index += 1) {
      await redis.sadd('smoothcert:active', `cert_${index}`);
      await redis.hset(`smoothcert:job:cert_${index}`, 'status', 'queued');
    }
    await expect(refuseOlderJobs(redis, 'smoothcert')).rejects.toThrow(
      'Redis holds 7 unfinished jobs of an earlier release, which this one does not read: cert_1, cert_2, cert_3, cert_4, cert_5 and 2 more.',
    );
  });
});

/** Every key with its contents, as Redis serializes them. */
async function contents(): Promise<Record<string, string>> {
  const keys = (await redis.keys('*')).toSorted();
  const dumps = await Promise.all(keys.map((key) => redis.dumpBuffer(key)));
  return Object.fromEntries(keys.map((key, index) => [key, dumps[index]!.toString('base64')]));
}
