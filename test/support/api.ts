import { randomBytes } from 'node:crypto';
import type { Server } from 'node:http';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance } from 'fastify';
import type { Redis } from 'ioredis';
import { pino } from 'pino';
import sharp from 'sharp';
import supertest from 'supertest';
import { afterAll, beforeAll } from 'vitest';
import { createApp } from '../../src/api/app.ts';
import { type ModelStore, openModelStore } from '../../src/models/store.ts';
import { connectApi } from '../../src/redis/connections.ts';
import { waitUntilReady } from '../../src/redis/connections.ts';
import { createJobService, type JobService } from '../../src/jobs/job-service.ts';
import { createKeys, type Keys } from '../../src/jobs/keys.ts';
import { SOFTWARE } from '../../src/version.ts';
import { WAIT_LIMIT_MS } from './limits.ts';
import { startTestRedis, type TestRedis } from './redis.ts';

export const MODELS = fileURLToPath(new URL('../../models', import.meta.url));
export const QUIET = pino({ level: 'silent' });

export interface TestApi {
  readonly app: FastifyInstance;
  readonly server: Server;
  readonly http: ReturnType<typeof supertest.agent>;
  readonly redis: Redis;
  readonly keys: Keys;
  readonly jobs: JobService;
  readonly models: ModelStore;
  close(): Promise<void>;
}

export interface TestApiOptions {
  readonly maxInputs?: number;
  readonly maxBodyBytes?: number;
  readonly retentionSeconds?: number;
  readonly modelsDirectory?: string;
}

/** The HTTP API on a real Redis server, under a key prefix of its own, listening on a free port; without any worker. */
export async function startTestApi(redisUrl: string, options: TestApiOptions = {}): Promise<TestApi> {
  const { maxInputs = 20, maxBodyBytes = 256 * 1024, retentionSeconds = 3600 } = options;
  const models = await openModelStore(options.modelsDirectory ?? MODELS);
  const redis = connectApi(redisUrl, QUIET);
  await waitUntilReady(redis, WAIT_LIMIT_MS);
  const keys = createKeys(`test-${randomBytes(4).toString('hex')}`);
  const jobs = createJobService(redis, keys, retentionSeconds);
  const app = await createApp({ jobs, models, logger: QUIET, software: SOFTWARE, maxInputs, maxBodyBytes });
  await app.listen({ host: '127.0.0.1', port: 0 });
  return {
    app,
    server: app.server,
    http: supertest.agent(app.server),
    redis,
    keys,
    jobs,
    models,
    async close() {
      await app.close();
      await jobs.close();
      redis.disconnect();
    },
  };
}

/**
 * Gives the enclosing suite an API with a Redis server of its own, which `testRedis` is. Both are there while its tests run.
 */
export function useTestApi(options: TestApiOptions = {}): TestApi & { readonly testRedis: TestRedis } {
  let testRedis: TestRedis | undefined;
  let api: TestApi | undefined;
  beforeAll(async () => {
    testRedis = await startTestRedis();
    api = await startTestApi(testRedis.url, options);
  });
  afterAll(async () => {
    await api?.close();
    await testRedis?.close();
  });
  return new Proxy({} as TestApi & { readonly testRedis: TestRedis }, {
    get(_, name) {
      if (api === undefined) throw new Error('the API exists only while the tests run');
      return Reflect.get({ ...api, testRedis }, name) as unknown;
    },
  });
}

/** A 28 x 28 grey image as a PNG file, with one value everywhere. */
export async function greyPng(value = 0, size = 28): Promise<Buffer> {
  const pixels = Buffer.alloc(size * size, value);
  return sharp(pixels, { raw: { width: size, height: size, channels: 1 } })
    .toColourspace('b-w')
    .png()
    .toBuffer();
}

/** A tensor of the MNIST models as a JSON request takes it. */
export function tensor(value = 0): { dtype: string; shape: number[]; data: string } {
  return { dtype: 'uint8', shape: [1, 28, 28], data: Buffer.alloc(784, value).toString('base64') };
}

/** A request that is accepted. */
export function certification(inputs: object[] = [{ tensor: tensor() }]): Record<string, unknown> {
  return { model: 'mnist-cnn', parameters: { sigma: 0.5 }, inputs };
}
