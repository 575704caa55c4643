import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createJobStore } from '../../src/jobs/job-store.ts';
import { createKeys } from '../../src/jobs/keys.ts';
import { createLargeInputs } from '../../src/jobs/large-inputs.ts';
import { coordinatorQueue, enqueueCoordination } from '../../src/jobs/queues.ts';
import { gaussianLaw } from '../../src/random/noise-law.ts';
import { ref } from '../support/create-job.ts';
import { imageInput, writeLinearModel } from '../support/model-folder.ts';
import { connectTestRedis, startTestRedis, type TestRedis } from '../support/redis.ts';
import { createTestClient, startProcess } from '../support/service.ts';
import { useTemporaryDirectory } from '../support/temporary-directory.ts';

// A job of many inputs that are drawn in no time, by processes whose heaps have no room for all of them at once: a process that
// held them, or drew for all of them in one chunk, would end with "heap out of memory".

const INPUTS = 20_000;
const STAGED = 5_000;
/** MiB that each process may keep: what one without any job needs, and little more. */
const HEAP = 64;
const directory = useTemporaryDirectory();
const keys = createKeys('smoothcert');

let server: TestRedis;
let redis: Redis;

beforeAll(async () => {
  server = await startTestRedis();
  redis = await connectTestRedis(server);
});
afterAll(async () => {
  redis?.disconnect();
  await server?.close();
});

it('a job of 20,000 small inputs is stored, taken up, decided, listed, polled and read in a bounded heap', async () => {
  const input = imageInput(1, 1);
  const models = directory('models');
  const model = await writeLinearModel(`${models}/tiny`, { input, weights: [[1], [-1]], biases: [0, 1] });
  const variables = {
    REDIS_URL: server.url,
    SMOOTHCERT_MODELS_DIR: models,
    SMOOTHCERT_LANES: '1',
    SMOOTHCERT_PORT: '0',
    NODE_OPTIONS: `--max-old-space-size=${HEAP}`,
    LOG_LEVEL: 'info',
  };
  const api = startProcess('api', variables);
  const client = createTestClient(String((await api.logged('api_listening'))['url']));
  const job = ref('pred_many');
  const digests = ['0'.repeat(64), 'f'.repeat(64)];
  const { signal } = new AbortController();
  const staging = createLargeInputs(redis, keys);
  for (let from = 0; from < INPUTS; from += STAGED) {
    const entries = Array.from({ length: STAGED }, (_, offset) => ({
      id: `input ${from + offset}`,
      kind: 'tensor' as const,
      digest: digests[(from + offset) % 2]!,
      label: 0,
    }));
    const bytes = new Map(digests.map((digest, index) => [digest, Uint8Array.of(255 * index)]));
    await staging.store(job, { entries, bytes: from === 0 ? bytes : new Map() }, signal, from);
  }
  staging.close();
  const jobs = createJobStore(redis, keys, 600, Date.now);
  const { name, version } = model.manifest;
  await jobs.create(
    job,
    {
      kind: 'prediction',
      model: { name, version, digest: model.digest },
      parameters: { sigma: 0.1, n: 4, alpha: 0.25 },
      noise: gaussianLaw(0.1),
      seed: '5eed'.repeat(16),
      seedSource: 'server',
      firstIndex: 0,
    },
    { inputs: INPUTS, labelled: INPUTS, contents: 2, samplesPlanned: 4 * INPUTS },
    null,
  );
  const queue = coordinatorQueue(redis, keys);
  await enqueueCoordination(queue, job);
  await queue.close();
  const worker = startProcess('worker', variables);
  const ended = await client.ended(job.id);
  expect(ended).toMatchObject({
    status: 'succeeded',
    progress: { inputsDecided: INPUTS, inputsTotal: INPUTS, samplesDrawn: 4 * INPUTS },
    // Black is class 1 by far, white class 0.
    summary: { predicted: INPUTS, correct: INPUTS / 2 },
  });
  const list = await fetch(`${client.url}/v1/predictions`);
  expect(await list.json()).toMatchObject({ data: [{ id: job.id }], next: null });
  for (const first of [0, 10_000, 19_500]) {
    const page = await fetch(`${client.url}/v1/predictions/${job.id}/results?limit=500&cursor=${first}`);
    const { data, next } = (await page.json()) as {
      data: { inputId: string; index: number }[];
      next: string;
    };
    expect(data).toHaveLength(500);
    expect(data[499]).toMatchObject({ inputId: `input ${first + 499}`, status: 'decided' });
    expect(next).toBe(first === 19_500 ? null : String(first + 500));
  }
  await worker.end();
  await api.end();
});
