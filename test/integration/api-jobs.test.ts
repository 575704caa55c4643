import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createEntryStore } from '../../src/jobs/entries.ts';
import { queueId } from '../../src/jobs/job-ref.ts';
import { coordinatorQueue } from '../../src/jobs/queues.ts';
import { createJobStore } from '../../src/jobs/job-store.ts';
import { createPresence } from '../../src/jobs/presence.ts';
import { createResultStore } from '../../src/jobs/result-store.ts';
import { hostStatus, loadedModel, workerStatus } from '../support/worker-status.ts';
import { certification, greyPng, startTestApi, tensor, type TestApi, useTestApi } from '../support/api.ts';
import { ref } from '../support/create-job.ts';
import { until } from '../support/until.ts';

const api = useTestApi();

interface Job {
  readonly id: string;
  readonly status: string;
  readonly links: { readonly self: string; readonly results: string };
}

async function submit(body: object = certification(), path = '/v1/certifications'): Promise<Job> {
  return (await api.http.post(path).send(body).expect(202)).body as Job;
}

describe('a submitted certification', () => {
  test('is answered with 202, its address, when to look again, and a resource of fixed shape', async () => {
    const image = (await greyPng()).toString('base64');
    const response = await api.http
      .post('/v1/certifications')
      .send(certification([{ id: 'a', image, label: 3 }, { tensor: tensor(7) }]))
      .expect(202)
      .expect('Content-Type', /^application\/json/);
    const { id, createdAt } = response.body as { id: string; createdAt: string };
    expect(id).toMatch(/^cert_[0-9a-f]{24}$/);
    expect(response.headers['location']).toBe(`/v1/certifications/${id}`);
    expect(response.headers['retry-after']).toMatch(/^[1-9]\d*$/);
    expect(new Date(createdAt).toISOString()).toBe(createdAt);
    expect(response.body).toEqual({
      id,
      engine: null,
      waitingFor: 'a worker: none is there',
      object: 'certification',
      status: 'queued',
      createdAt,
      startedAt: null,
      finishedAt: null,
      expiresAt: null,
      model: { name: 'mnist-cnn', version: '1.0.0', digest: api.models.find('mnist-cnn')!.digest },
      parameters: {
        sigma: 0.5,
        n0: 100,
        n: 100_000,
        alpha: 0.001,
        bound: 'pA',
        noise: { scheme: expect.any(String) as string, version: expect.any(Number) as number },
      },
      progress: {
        inputsDecided: 0,
        inputsFailed: 0,
        inputsTotal: 2,
        samplesDrawn: 0,
        samplesPlanned: 200_200,
        samplesPerSecond: null,
        secondsLeft: null,
      },
      summary: { certified: 0, abstained: 0, reproduced: 0, failed: 0, correct: 0 },
      reproduction: null,
      error: null,
      links: { self: `/v1/certifications/${id}`, results: `/v1/certifications/${id}/results` },
    });
    const shown = await api.http.get(`/v1/certifications/${id}`).expect(200);
    expect(shown.body).toEqual(response.body);
    expect(shown.headers['retry-after']).toMatch(/^[1-9]\d*$/);
  });

  test('is in the queue under its own name, and what was sent is stored', async () => {
    const { id } = await submit(certification([{ tensor: tensor(9) }, { id: 'same', tensor: tensor(9) }]));
    const queue = coordinatorQueue(api.redis, api.keys);
    expect(await queue.getJobState(queueId(ref(id)))).toBe('waiting');
    await queue.close();
    const record = (await createJobStore(api.redis, api.keys, 60, Date.now).get(ref(id)))!;
    expect(record.request.seed).toMatch(/^[0-9a-f]{64}$/);
    expect(record.request.seedSource).toBe('server');
    const entries = await createEntryStore(api.redis, api.keys).read(ref(id), 0, record.inputsTotal);
    expect(entries.map((entry) => entry!.id)).toEqual(['0', 'same']);
    // Equal inputs are stored once.
    expect(await api.redis.hlen(api.keys.inputs(ref(id)))).toBe(1);
  });

  test('draws a seed of its own unless the request reproduces an earlier job', async () => {
    const seed = 'ab'.repeat(32);
    const store = createJobStore(api.redis, api.keys, 60, Date.now);
    const [first, second] = [await submit(), await submit()];
    const again = await submit({ ...certification(), reproductionSeed: seed, reproductionIndex: 5 });
    const seeds = [];
    for (const { id } of [first, second]) seeds.push((await store.get(ref(id)))!.request.seed);
    expect(new Set(seeds).size).toBe(2);
    expect((await store.get(ref(again.id)))!.request).toMatchObject({
      seed,
      seedSource: 'client',
      firstIndex: 5,
    });
    // The job and the list say so from the start.
    const path = `/v1/certifications/${again.id}`;
    expect((await api.http.get(path)).body).toMatchObject({ reproduction: { firstIndex: 5 } });
    const listed = (await api.http.get('/v1/certifications?limit=2')).body as { data: unknown[] };
    expect(listed.data).toMatchObject([{ reproduction: { firstIndex: 5 } }, { reproduction: null }]);
  });

  test('is told to be looked at when the measured speed says that it will be done', async () => {
    const { digest } = api.models.find('mnist-cnn')!;
    const model = loadedModel({ digest, samplesPerSecond: 10_010 });
    const presence = createPresence(api.redis, api.keys);
    await presence.announce(workerStatus('worker', [hostStatus({ models: [model] })]));
    const response = await api.http.post('/v1/certifications').send(certification()).expect(202);
    await presence.leave('worker');
    expect(response.headers['retry-after']).toBe('10');
  });
});

test('a prediction has its own resource, parameters and address', async () => {
  const body = { ...certification([{ tensor: tensor() }]), parameters: { sigma: 0.25, n: 2_000 } };
  const response = await api.http.post('/v1/predictions').send(body).expect(202);
  const { id } = response.body as Job;
  expect(id).toMatch(/^pred_[0-9a-f]{24}$/);
  expect(response.headers['location']).toBe(`/v1/predictions/${id}`);
  expect(response.body).toMatchObject({
    object: 'prediction',
    parameters: { sigma: 0.25, n: 2_000, alpha: 0.001 },
    summary: { predicted: 0, abstained: 0, failed: 0, correct: null },
    progress: { samplesPlanned: 2_000 },
  });
});

describe('the list', () => {
  let listed: TestApi;
  let ids: string[];

  beforeAll(async () => {
    listed = await startTestApi(api.testRedis.url);
    ids = [];
    for (let index = 0; index < 5; index += 1) {
      const { body } = await listed.http.post('/v1/certifications').send(certification()).expect(202);
      ids.unshift((body as Job).id);
      // The list is ordered by the millisecond of creation.
      const created = Date.now();
      await until(() => Date.now() > created, { what: 'the next millisecond', everyMs: 1 });
    }
    await listed.http.post('/v1/predictions').send({ ...certification(), parameters: { sigma: 0.5 } });
  });
  afterAll(() => listed?.close());

  interface Page {
    readonly data: readonly Job[];
    readonly next: string | null;
  }
  const page = async (
    path: string,
  ): Promise<{ ids: string[]; next: string | null; link: string | undefined }> => {
    const response = await listed.http.get(path).expect(200);
    const { data, next } = response.body as Page;
    return { ids: data.map(({ id }) => id), next, link: response.headers['link'] };
  };

  test('holds one kind only, newest first', async () => {
    expect(await page('/v1/certifications')).toEqual({ ids, next: null, link: undefined });
    expect((await page('/v1/predictions')).ids).toHaveLength(1);
  });

  test('is read whole, each job once, by following next, or the Link header', async () => {
    const byCursor: string[] = [];
    const byLink: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const suffix: string = cursor === '' ? '' : `&cursor=${cursor}`;
      const read = await page(`/v1/certifications?limit=2${suffix}`);
      byCursor.push(...read.ids);
      cursor = read.next;
    }
    for (let path: string | undefined = '/v1/certifications?limit=2'; path !== undefined;) {
      const read: Awaited<ReturnType<typeof page>> = await page(path);
      byLink.push(...read.ids);
      path = read.link === undefined ? undefined : /^<(.+)>; rel="next"$/.exec(read.link)![1]!;
    }
    expect(byCursor).toEqual(ids);
    expect(byLink).toEqual(ids);
  });

  test('keeps its place when newer jobs arrive between two pages', async () => {
    const first = await page('/v1/certifications?limit=2');
    const { body } = await listed.http.post('/v1/certifications').send(certification()).expect(202);
    const second = await page(`/v1/certifications?limit=50&cursor=${first.next}`);
    expect([...first.ids, ...second.ids]).toEqual(ids);
    ids.unshift((body as Job).id);
  });

  test.each([
    ['limit=0', '/query/limit', 'must be at least 1'],
    ['limit=501', '/query/limit', 'must be at most 500'],
    ['limit=ten', '/query/limit', 'must be an integer'],
    ['limit=1e2', '/query/limit', 'must be an integer'],
    ['limit=', '/query/limit', 'must be an integer'],
    ['limit=1&limit=2', '/query/limit', 'must be an integer'],
    ['cursor=cert_gone', '/query/cursor', 'names no job of this list any more; start again without it'],
    ['page=2', '/query/page', 'is not a known field'],
  ])('refuses ?%s by name', async (query, pointer, detail) => {
    const { body } = await listed.http.get(`/v1/certifications?${query}`).expect(422);
    expect(body).toMatchObject({ code: 'validation_failed', errors: [{ pointer, detail }] });
  });
});

describe('results', () => {
  test('list every input from the start, pending, with its name and label', async () => {
    const inputs = [{ id: 'x', tensor: tensor(), label: 4 }, { tensor: tensor(1) }, { tensor: tensor(2) }];
    const { links } = await submit(certification(inputs));
    const { body } = await api.http.get(links.results).expect(200);
    const blank = {
      status: 'pending',
      outcome: null,
      prediction: null,
      certifiedRadius: null,
      pALowerBound: null,
      topCount: null,
      votes: null,
      warnings: [],
      certificate: null,
      reproduction: null,
      error: null,
    };
    expect(body).toEqual({
      data: [
        { ...blank, inputId: 'x', index: 0, reference: { label: 4, correct: null } },
        { ...blank, inputId: '1', index: 1, reference: null },
        { ...blank, inputId: '2', index: 2, reference: null },
      ],
      next: null,
    });
  });

  test('come in pages, whose cursor may be any index', async () => {
    const { links } = await submit(certification(Array.from({ length: 5 }, () => ({ tensor: tensor() }))));
    const first = await api.http.get(`${links.results}?limit=2`).expect(200);
    expect(first.body).toMatchObject({ data: [{ index: 0 }, { index: 1 }], next: '2' });
    expect(first.headers['link']).toBe(`<${links.results}?limit=2&cursor=2>; rel="next"`);
    const last = await api.http.get(`${links.results}?limit=2&cursor=4`).expect(200);
    expect(last.body).toMatchObject({ data: [{ index: 4 }], next: null });
    expect((await api.http.get(`${links.results}?cursor=5`).expect(200)).body).toEqual({
      data: [],
      next: null,
    });
    const wrong = await api.http.get(`${links.results}?cursor=second`).expect(422);
    expect(wrong.body).toMatchObject({ errors: [{ pointer: '/query/cursor' }] });
  });

  test('of a prediction have their own fields', async () => {
    const { links } = await submit(certification(), '/v1/predictions');
    const { body } = await api.http.get(links.results).expect(200);
    const [result] = (body as { data: Record<string, unknown>[] }).data;
    expect(Object.keys(result!).sort()).toEqual(
      ['error', 'index', 'inputId', 'outcome', 'pValue', 'prediction', 'provenance', 'reference', 'status']
        .concat(['reproduction', 'topCount', 'votes', 'warnings'])
        .sort(),
    );
  });

  test('show a failed input with its reason beside the others', async () => {
    const { id, links } = await submit(certification([{ tensor: tensor() }, { tensor: tensor(1) }]));
    await createJobStore(api.redis, api.keys, 60, Date.now).transition(ref(id), ['queued'], 'running');
    const error = { code: 'input_undecodable', detail: 'the image cannot be decoded' } as const;
    await createResultStore(api.redis, api.keys).store(ref(id), 1, { kind: 'failed', error }, null);
    const { body } = await api.http.get(links.results).expect(200);
    expect(body).toMatchObject({ data: [{ status: 'pending' }, { status: 'failed', outcome: null, error }] });
    const job = await api.http.get(links.self).expect(200);
    expect(job.body).toMatchObject({
      summary: { failed: 1 },
      progress: { inputsFailed: 1, inputsDecided: 0 },
    });
  });
});

describe('cancelling', () => {
  test('a queued job ends it at once and takes it out of the queue; asking twice is no error', async () => {
    const { id, links } = await submit();
    const { body } = await api.http.post(`${links.self}/cancel`).expect(202);
    expect(body).toMatchObject({ id, status: 'cancelled', error: null, progress: { secondsLeft: 0 } });
    const queue = coordinatorQueue(api.redis, api.keys);
    expect(await queue.getJobState(queueId(ref(id)))).toBe('unknown');
    await queue.close();
    const again = await api.http.post(`${links.self}/cancel`).expect(202);
    expect(again.body).toEqual(body);
    const shown = await api.http.get(links.self).expect(200);
    expect(shown.headers['retry-after']).toBeUndefined();
    const results = await api.http.get(links.results).expect(200);
    expect(results.body).toMatchObject({ data: [{ status: 'cancelled', outcome: null }] });
  });

  test.each(['running', 'cancelling'] as const)('a %s job ends it at once, twice as well', async (status) => {
    const { id, links } = await submit();
    await createJobStore(api.redis, api.keys, 60, Date.now).transition(ref(id), ['queued'], status);
    for (let time = 0; time < 2; time += 1) {
      const { body } = await api.http.post(`${links.self}/cancel`).expect(202);
      expect(body).toMatchObject({ status: 'cancelled', waitingFor: null, progress: { secondsLeft: 0 } });
    }
  });

  test('a job that has ended is refused with already_finished', async () => {
    const { id, links } = await submit();
    const store = createJobStore(api.redis, api.keys, 60, Date.now);
    await store.transition(ref(id), ['queued'], 'running');
    await store.end(ref(id), 'succeeded', null);
    const { body } = await api.http.post(`${links.self}/cancel`).expect(409);
    expect(body).toMatchObject({
      code: 'already_finished',
      detail: 'the certification is succeeded; it cannot be cancelled',
    });
  });
});

describe('what does not exist', () => {
  test.each(['', '/results'])('is 404 for an unknown id under %j', async (suffix) => {
    const { body } = await api.http.get(`/v1/certifications/cert_none${suffix}`).expect(404);
    expect(body).toMatchObject({ code: 'resource_not_found', detail: 'there is no certification cert_none' });
  });

  test('is 404 where the id is of the other kind, for each operation', async () => {
    const { id } = await submit({ ...certification(), parameters: { sigma: 0.5 } }, '/v1/predictions');
    const detail = `there is no certification ${id}`;
    for (const suffix of ['', '/results']) {
      const { body } = await api.http.get(`/v1/certifications/${id}${suffix}`).expect(404);
      expect(body).toMatchObject({ code: 'resource_not_found', detail });
    }
    await api.http.post(`/v1/certifications/${id}/cancel`).expect(404);
    await api.http.get(`/v1/predictions/${id}`).expect(200);
  });

  test('is 404 for an id of any length', async () => {
    for (const length of [150, 1_000]) {
      const { body } = await api.http.get(`/v1/certifications/${'x'.repeat(length)}`).expect(404);
      expect(body).toMatchObject({ code: 'resource_not_found' });
    }
  });
});

test('past their retention results are gone with 410, and the job reads expired', async () => {
  const shortLived = await startTestApi(api.testRedis.url, { retentionSeconds: 1 });
  try {
    const { body } = await shortLived.http.post('/v1/certifications').send(certification()).expect(202);
    const { links } = body as Job;
    await shortLived.http.post(`${links.self}/cancel`).expect(202);
    const shown = await until(
      async () => {
        const { body: job } = await shortLived.http.get(links.self).expect(200);
        return (job as Job).status === 'expired' && (job as Job);
      },
      { what: 'the results to expire', everyMs: 50 },
    );
    expect(shown).toMatchObject({ status: 'expired', progress: { secondsLeft: 0 } });
    const gone = await shortLived.http.get(links.results).expect(410);
    expect(gone.body).toMatchObject({ code: 'results_expired', type: '/problems/results_expired' });
    const late = await shortLived.http.post(`${links.self}/cancel`).expect(409);
    expect(late.body).toMatchObject({ code: 'already_finished' });
  } finally {
    await shortLived.close();
  }
});
