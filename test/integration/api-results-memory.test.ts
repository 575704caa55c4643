import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createJobService, type JobService } from '../../src/jobs/job-service.ts';
import type { Submission } from '../../src/jobs/submit.ts';
import { createJobStore } from '../../src/jobs/job-store.ts';
import { createKeys } from '../../src/jobs/keys.ts';
import { createResultStore } from '../../src/jobs/result-store.ts';
import { openModelStore } from '../../src/models/store.ts';
import { connectApi, waitUntilReady } from '../../src/redis/connections.ts';
import { KINDS } from '../../src/contract/kinds.ts';
import { MODELS, QUIET } from '../support/api.ts';
import { certified } from '../support/certified-result.ts';
import { ref } from '../support/create-job.ts';
import { WAIT_LIMIT_MS } from '../support/limits.ts';
import { memoryOf, peakOf, PROBED } from '../support/memory-probe.ts';
import { openGet } from '../support/raw-get.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';
import { startProcess } from '../support/service.ts';

const MEBIBYTE = 1024 * 1024;
const INPUTS = 100_000;
/** Results stored at once. */
const TOGETHER = 1_000;

let server: TestRedis;
let redis: ReturnType<typeof connectApi>;
let service: JobService;

beforeAll(async () => {
  server = await startTestRedis();
  redis = connectApi(server.url, QUIET);
  await waitUntilReady(redis, WAIT_LIMIT_MS);
});
afterAll(async () => {
  await service?.close();
  redis?.disconnect();
  await server?.close();
});

test('the results of 100,000 inputs are streamed to a slow reader in a bounded process, whole and with their digest', async () => {
  const prefix = 'whole';
  const keys = createKeys(prefix);
  service = createJobService(redis, keys, 600);
  const jobs = createJobStore(redis, keys, 600, Date.now);
  const results = createResultStore(redis, keys);
  const model = (await openModelStore(MODELS)).find('mnist-cnn')!;
  const bytes = Buffer.alloc(784);
  const parameters = KINDS.certification.procedure.parameters({ sigma: 0.5 });
  const inputs = Array.from({ length: INPUTS }, (_, index) => {
    return { id: `input-${index}`, kind: 'tensor', bytes, label: 3 } as const;
  });
  const submission: Submission<'certification'> = {
    kind: 'certification',
    model,
    parameters,
    inputs,
    reproduction: null,
  };
  const { job: submitted } = await service.submit(submission, null, async () => undefined);
  const { id } = submitted;
  await jobs.transition(ref(id), ['queued'], 'running');
  // The last one is pending.
  for (let from = 0; from < INPUTS - 1; from += TOGETHER) {
    const some = Array.from({ length: Math.min(TOGETHER, INPUTS - 1 - from) }, (_, offset) => from + offset);
    await Promise.all(some.map((index) => results.store(ref(id), index, certified(3, 0.28742), 3)));
  }

  const api = startProcess('api', {
    REDIS_URL: server.url,
    SMOOTHCERT_PORT: '0',
    SMOOTHCERT_PREFIX: prefix,
    SMOOTHCERT_MODELS_DIR: MODELS,
    NODE_OPTIONS: PROBED,
  });
  try {
    const url = String((await api.logged('api_listening'))['url']);
    for (const [format, lines] of [
      ['ndjson', INPUTS],
      ['csv', INPUTS + 1],
      ['tsv', INPUTS + 1],
    ] as const) {
      const answer = await openGet(`${url}/v1/certifications/${id}/results?format=${format}`);
      const hash = createHash('sha256');
      let seen = 0;
      let ends = 0;
      let last = '';
      let looked = false;
      for await (const part of answer as AsyncIterable<Buffer>) {
        hash.update(part);
        for (const byte of part) if (byte === 10) ends += 1;
        last = (last + part.toString()).slice(-4_000);
        seen += part.length;
        if (looked || seen < MEBIBYTE / 2) continue;
        // Nothing is read while the process is looked at.
        looked = true;
        const { heapUsed, external } = await memoryOf(api);
        expect(heapUsed, format).toBeLessThan(64 * MEBIBYTE);
        expect(external, format).toBeLessThan(32 * MEBIBYTE);
      }
      expect(looked, format).toBe(true);
      expect(ends, format).toBe(lines);
      expect(last.trimEnd().split('\n').at(-1), format).toContain('pending');
      expect(answer.trailers['repr-digest'], format).toBe(`sha-256=:${hash.digest('base64')}:`);
    }
    // A reader that goes away leaves nothing either.
    const left = await openGet(`${url}/v1/certifications/${id}/results?format=ndjson`);
    left.destroy();
    expect((await memoryOf(api)).heapUsed).toBeLessThan(64 * MEBIBYTE);
    // The whole as NDJSON is above 100 MiB.
    expect(peakOf(api)).toBeLessThan(400 * MEBIBYTE);

    // What ends on the way ends the connection: it cannot be taken for the whole.
    const cut = await openGet(`${url}/v1/certifications/${id}/results?format=ndjson`);
    await redis.hdel(keys.entries(ref(id)), String(INPUTS - 1));
    await expect(
      (async () => {
        for await (const _ of cut);
      })(),
    ).rejects.toThrow(/aborted/);
  } finally {
    await api.end();
    await jobs.end(ref(id), 'failed', null);
  }
});
