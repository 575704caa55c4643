import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createClient } from '../../src/cli/client.ts';
import { readIdempotencyKey } from '../../src/api/idempotency-key.ts';
import { inputsFromJson, toSubmission } from '../../src/api/submission.ts';
import { DomainError } from '../../src/errors.ts';
import { createJobStore } from '../../src/jobs/job-store.ts';
import { certification, greyPng, tensor, useTestApi } from '../support/api.ts';
import { ref } from '../support/create-job.ts';
import { startTestRedis } from '../support/redis.ts';
import { startProcess } from '../support/service.ts';
import { until } from '../support/until.ts';

const api = useTestApi({ maxBodyBytes: 4 * 1024 * 1024, maxInputs: 400 });

interface Answer {
  readonly status: number;
  readonly body: { readonly id?: string; readonly code?: string };
  readonly replayed: string | null;
  readonly location: string | null;
}

/** One attempt of a client; null where the connection was lost. */
async function attempt(url: string, key: string, body: object): Promise<Answer | null> {
  try {
    const response = await fetch(`${url}/v1/certifications`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify(body),
    });
    return {
      status: response.status,
      body: (await response.json()) as Answer['body'],
      replayed: response.headers.get('idempotency-replayed'),
      location: response.headers.get('location'),
    };
  } catch {
    return null;
  }
}

/** Goes on until the request is accepted; every other answer must be one that asks for it. */
function persistently(url: () => string, key: string, body: object): Promise<Answer> {
  return until(
    async () => {
      const answer = await attempt(url(), key, body);
      if (answer !== null && ![202, 409, 503].includes(answer.status))
        throw new Error(`${answer.status} ${String(answer.body.code)}`);
      return answer?.status === 202 ? answer : null;
    },
    { what: 'a job under the key', everyMs: 50 },
  );
}

const address = (): string => {
  const bound = api.server.address();
  if (bound === null || typeof bound === 'string') throw new Error('no port');
  return `http://127.0.0.1:${bound.port}`;
};

async function listed(url: string): Promise<string[]> {
  const response = await fetch(`${url}/v1/certifications?limit=500`);
  return ((await response.json()) as { data: { id: string }[] }).data.map(({ id }) => id);
}

const post = (key: string, body: object = certification(), path = '/v1/certifications') =>
  api.http.post(path).set('Idempotency-Key', key).send(body);
const idOf = (body: unknown): string => (body as { id: string }).id;
const codeOf = (body: unknown): string => (body as { code: string }).code;

describe('an idempotency key', () => {
  test('stands for its job: the same request is answered with it as it stands, and says so', async () => {
    const key = randomUUID();
    const first = await post(key).expect(202);
    expect(first.headers['idempotency-replayed']).toBeUndefined();
    const again = await post(`"${key}"`).expect(202);
    expect(again.headers).toMatchObject({
      'idempotency-replayed': 'true',
      location: first.headers['location'],
    });
    expect(idOf(again.body)).toBe(idOf(first.body));
    await api.http.post(`${String(first.headers['location'])}/cancel`).expect(202);
    expect((await post(key).expect(202)).body).toMatchObject({ id: idOf(first.body), status: 'cancelled' });
  });

  test('with another request is refused, whatever differs', async () => {
    const key = randomUUID();
    const body = certification([{ tensor: tensor(), id: 'a', label: 1 }]);
    const { body: first } = await post(key, body).expect(202);
    const others = [
      certification([{ tensor: tensor(1), id: 'a', label: 1 }]),
      certification([{ tensor: tensor(), id: 'b', label: 1 }]),
      certification([{ tensor: tensor(), id: 'a', label: 2 }]),
      { ...body, parameters: { sigma: 0.25 } },
      { ...body, model: 'fashion-mnist-cnn' },
      { ...body, reproductionSeed: '5eed'.repeat(16) },
    ];
    for (const other of others) {
      const refused = await post(key, other);
      expect([refused.status, codeOf(refused.body)]).toEqual([422, 'idempotency_key_reused']);
    }
    const spelled = {
      inputs: body['inputs'],
      parameters: { alpha: 0.001, sigma: 0.5 },
      model: body['model'],
    };
    expect(idOf((await post(key, spelled).expect(202)).body)).toBe(idOf(first));
  });

  test('is the same for JSON and a form of the same content', async () => {
    const key = randomUUID();
    const png = await greyPng();
    const json = certification([{ id: 'seven.png', image: png.toString('base64'), label: 7 }]);
    const first = await post(key, json).expect(202);
    const form = await api.http
      .post('/v1/certifications')
      .set('Idempotency-Key', key)
      .field(
        'request',
        JSON.stringify({ model: 'mnist-cnn', parameters: { sigma: 0.5 }, labels: { 'seven.png': 7 } }),
      )
      .attach('image', png, 'seven.png')
      .expect(202);
    expect(idOf(form.body)).toBe(idOf(first.body));
    expect(form.headers['idempotency-replayed']).toBe('true');
  });

  test('is one of its kind of job; without one, and under others, every request is a job', async () => {
    const key = randomUUID();
    const ids = [
      await post(key),
      await post(key, certification(), '/v1/predictions'),
      await post(randomUUID()),
      await api.http.post('/v1/certifications').send(certification()),
      await api.http.post('/v1/certifications').send(certification()),
    ].map(({ body }) => idOf(body));
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).not.toContain(undefined);
  });

  test('belongs to its owner', async () => {
    const jobs = createJobStore(api.redis, api.keys, 60, Date.now);
    const key = randomUUID();
    await post(key).expect(202);
    expect(await jobs.claimed('default', 'certification', key)).not.toBeNull();
    expect(await jobs.claimed('other', 'certification', key)).toBeNull();
  });

  test('is kept for 24 hours, and free afterwards', async () => {
    const key = randomUUID();
    const { body } = await post(key).expect(202);
    const name = api.keys.idempotency('default', 'certification', key);
    const seconds = await api.redis.ttl(name);
    expect(seconds).toBeGreaterThan(24 * 3600 - 120);
    expect(seconds).toBeLessThanOrEqual(24 * 3600);
    await api.redis.pexpire(name, 1);
    await until(async () => (await api.redis.exists(name)) === 0, { what: 'the key to expire' });
    expect(idOf((await post(key).expect(202)).body)).not.toBe(idOf(body));
  });

  test('is not kept of a request that was refused', async () => {
    const key = randomUUID();
    await post(key, certification([{ tensor: tensor(), label: 10 }])).expect(422);
    await post(key).expect(202);
  });

  test.each(['', ' ', 'two words', 'a, b', '"open', '"a"b', 'x'.repeat(256), '"é"'])(
    'of another form is refused in words: %j',
    (header) => {
      let error: unknown = null;
      try {
        readIdempotencyKey(header);
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toBeInstanceOf(DomainError);
      expect(error).toMatchObject({
        code: 'malformed_request',
        faults: [{ pointer: '/headers/idempotency-key' }],
        message: expect.stringContaining('1 to 255 bytes') as string,
      });
    },
  );

  test('of another form is a 400 before anything is read', async () => {
    expect((await post('two words').expect(400)).body).toMatchObject({ code: 'malformed_request' });
  });

  test.each([
    ['"a b"', 'a b'],
    [String.raw`"a\"b\\"`, String.raw`a"b\ `.trim()],
    ['8e03978e-40d5-43e8-bc93-6894a57f9324', '8e03978e-40d5-43e8-bc93-6894a57f9324'],
    [undefined, null],
  ])('%s is read as %s', (header, key) => {
    expect(readIdempotencyKey(header)).toBe(key);
  });

  test('of a request that is still being accepted is refused with 409, and when to try again', async () => {
    const key = randomUUID();
    const raw = {
      model: 'mnist-cnn',
      parameters: { sigma: 0.5 },
      inputs: inputsFromJson([{ tensor: { ...tensor(), dtype: 'uint8' } }]),
      pointer: '',
    };
    const submission = await toSubmission('certification', raw, api.models);
    const { job } = await api.jobs.submit(submission, key, async () => {
      const early = await post(key).expect(409);
      expect(codeOf(early.body)).toBe('idempotency_key_in_use');
      expect(early.headers['retry-after']).toBe('1');
    });
    expect(idOf((await post(key).expect(202)).body)).toBe(job.id);
  });

  test('of large requests at once: one creates, the others get its job or 409', async () => {
    const key = randomUUID();
    // More than goes with the record in one step.
    const inputs = Array.from({ length: 400 }, (_, i) => ({
      tensor: tensor(i % 256),
      id: `${'x'.repeat(60)}${i}`,
    }));
    const before = await listed(address());
    const answers = Array.from({ length: 6 }, () => persistently(address, key, certification(inputs)));
    const ids = new Set((await Promise.all(answers)).map(({ body }) => body.id));
    expect((await listed(address())).filter((id) => !before.includes(id))).toEqual([...ids]);
    expect(ids.size).toBe(1);
  });
});

describe('one request 50 times at once', () => {
  test('while Redis is killed is one job, which every 202 names', async () => {
    const before = await listed(address());
    const key = randomUUID();
    const killed = api.testRedis.pid()!;
    const answers = Array.from({ length: 50 }, () => persistently(address, key, certification()));
    await until(async () => (await attempt(address(), key, certification())) !== null, { what: 'an answer' });
    process.kill(killed, 'SIGKILL');
    const ids = new Set((await Promise.all(answers)).map(({ body }) => body.id));
    expect(ids.size).toBe(1);
    const now = await listed(address());
    expect(now.filter((id) => !before.includes(id))).toEqual([...ids]);
  });

  test('while the API is killed, to two of them, is one job, which every 202 names', async () => {
    const redis = await startTestRedis();
    try {
      const variables = { REDIS_URL: redis.url, SMOOTHCERT_PORT: '0' };
      const first = startProcess('api', variables);
      const second = startProcess('api', variables);
      const urls = [
        String((await first.logged('api_listening'))['url']),
        String((await second.logged('api_listening'))['url']),
      ];
      const key = randomUUID();
      // Whoever meets the dead one goes on with the other.
      let turn = 0;
      const url = (): string => urls[(turn += 1) % urls.length]!;
      const answers = Array.from({ length: 50 }, () => persistently(url, key, certification()));
      await until(async () => (await listed(urls[1]!)).length > 0, { what: 'the job', everyMs: 1 });
      await first.end('SIGKILL');
      const ids = new Set((await Promise.all(answers)).map(({ body }) => body.id));
      expect(ids.size).toBe(1);
      expect(await listed(urls[1]!)).toEqual([...ids]);
      await second.end();
    } finally {
      await redis.close();
    }
  });
});

test('a key taken in another process between look and creation leaves one job and no bytes of the other', async () => {
  const jobs = createJobStore(api.redis, api.keys, 60, Date.now);
  const key = randomUUID();
  const { body } = await post(key).expect(202);
  const record = (await jobs.get(ref(idOf(body))))!;
  const late = ref('cert_late');
  const { fingerprint } = (await jobs.claimed('default', 'certification', key))!;
  await api.redis.hset(api.keys.inputs(late), 'digest', 'bytes');
  const size = { inputs: 1, labelled: 0, contents: 1, samplesPlanned: 1 };
  const claim = { key, fingerprint: fingerprint.replace(/./g, '0') };
  const taken = await jobs.create(late, record.request, size, null, claim);
  expect(taken).toEqual({ id: idOf(body), fingerprint });
  expect(await jobs.get(late)).toBeNull();
  expect(await api.redis.exists(api.keys.inputs(late))).toBe(0);
});

test("the command line's submissions are one job, however often an outage makes it send them", async () => {
  const before = await listed(address());
  const killed = api.testRedis.pid()!;
  const client = createClient(address());
  process.kill(killed, 'SIGKILL');
  const body = certification() as unknown as Parameters<typeof client.submit>[1];
  const { id } = await client.submit('certification', body);
  expect((await listed(address())).filter((each) => !before.includes(each))).toEqual([id]);
});
