import {
  assert as holds,
  asyncProperty,
  constantFrom,
  double,
  integer,
  oneof,
  option,
  record,
} from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PROBLEM_STATUS } from '../../src/api/problem.ts';
import { createPresence } from '../../src/jobs/presence.ts';
import { ERROR_CODES, ERRORS } from '../../src/errors.ts';
import { SOFTWARE } from '../../src/version.ts';
import { hostStatus, loadedModel, workerStatus } from '../support/worker-status.ts';
import { certification, tensor, useTestApi } from '../support/api.ts';

const api = useTestApi();

test('the models are listed with the digest, shape and labels that a client needs', async () => {
  const { body } = await api.http.get('/v1/models').expect(200);
  const { data } = body as { data: { name: string }[] };
  expect(data.map(({ name }) => name)).toEqual([
    'fashion-mnist-cnn',
    'fashion-mnist-tensorflow',
    'mnist-cnn',
  ]);
  const { manifest, digest } = api.models.find('mnist-cnn')!;
  expect(data.at(-1)).toEqual({
    object: 'model',
    name: 'mnist-cnn',
    version: '1.0.0',
    description: manifest.description,
    digest,
    engine: 'onnx',
    input: { height: 28, width: 28, channels: 1, layout: 'NCHW', colourSpace: 'grey' },
    inputShape: [1, 28, 28],
    output: { classes: 10, labels: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'] },
    smoothing: { trainedSigma: 0.5 },
    availability: { state: 'no_worker', engines: [], refusals: [] },
  });
});

describe('a model that every living worker refuses', () => {
  const reason = { code: 'model_invalid', detail: 'its rows mix (DynamicQuantizeLinear)' } as const;
  const submit = () => api.http.post('/v1/certifications').send(certification());

  test('is listed with the reason, is named by readiness, and takes no jobs', async () => {
    const presence = createPresence(api.redis, api.keys);
    const { digest } = api.models.find('mnist-cnn')!;
    const fashion = api.models.find('fashion-mnist-cnn')!;
    const host = hostStatus({
      models: [loadedModel({ name: 'fashion-mnist-cnn', digest: fashion.digest })],
      refused: [{ name: 'mnist-cnn', digest, ...reason }],
    });
    await submit().expect(202);
    await presence.announce(workerStatus('w', [host]));
    const { body } = await api.http.get('/v1/models').expect(200);
    expect((body as { data: unknown[] }).data).toMatchObject([
      {
        name: 'fashion-mnist-cnn',
        availability: { state: 'loaded', engines: [{ devices: 1, samplesPerSecond: 1_000 }] },
      },
      { name: 'fashion-mnist-tensorflow', availability: { state: 'absent' } },
      {
        name: 'mnist-cnn',
        availability: {
          state: 'refused',
          engines: [],
          refusals: [{ ...reason, hosts: ['onnx on Device 0 of here'] }],
        },
      },
    ]);
    const ready = await api.http.get('/health/ready').expect(200);
    expect(ready.body).toMatchObject({
      checks: {
        models: { detail: `loaded: fashion-mnist-cnn; mnist-cnn is refused: ${reason.detail}` },
      },
    });
    const refused = await submit().expect(409);
    const detail = `${reason.detail} (onnx on Device 0 of here)`;
    expect(refused.body).toMatchObject({
      code: 'model_refused',
      detail: `no worker can run mnist-cnn: ${detail}`,
      errors: [{ pointer: '/model', detail }],
    });
    // Faults of the request come first: with them it would not have been accepted anyway.
    await api.http
      .post('/v1/certifications')
      .send({ ...certification(), parameters: {} })
      .expect(422);
    const absent = { ...certification(), model: 'fashion-mnist-tensorflow' };
    const shape = { ...tensor(), shape: [28, 28, 1] };
    const unavailable = await api.http
      .post('/v1/certifications')
      .send({ ...absent, inputs: [{ tensor: shape }] })
      .expect(409);
    expect(unavailable.body).toMatchObject({ code: 'model_unavailable' });
    await presence.leave('w');
    await submit().expect(202);
  });
});

describe('the radius calculator', () => {
  const post = (body: object) => api.http.post('/v1/radius').send(body);
  const votes = { topCount: 7_312, n: 10_000, alpha: 0.001, sigma: 0.5 };

  test('gives the one-sided bound at alpha (SciPy: beta.ppf(0.001, 7312, 2689) = 0.71729...)', async () => {
    const { body } = await post(votes).expect(200);
    const { pALowerBound, certifiedRadius } = body as Record<string, number>;
    expect(pALowerBound).toBeCloseTo(0.7172974, 7);
    expect(certifiedRadius).toBeCloseTo(0.28742, 5);
    expect(body).toMatchObject({ outcome: 'certified', pBUpperBound: null });
  });

  test('abstains, with no radius, at half of the votes', async () => {
    const { body } = await post({ ...votes, topCount: 5_000 }).expect(200);
    expect(body).toMatchObject({ outcome: 'abstained', certifiedRadius: null });
  });

  test('uses the two-sided form where the votes of the runner-up are given', async () => {
    const { body } = await post({ ...votes, runnerUpCount: 2_688 }).expect(200);
    const { pALowerBound, pBUpperBound } = body as Record<string, number>;
    // Half of alpha for each bound: both are looser than the one-sided one.
    expect(pALowerBound).toBeLessThan(0.7172974);
    expect(pBUpperBound).toBeGreaterThan(0.2688);
  });

  test.each([
    [{ topCount: 10_001 }, '/topCount', 'must be at most n = 10000'],
    [{ runnerUpCount: 2_689 }, '/runnerUpCount', 'must be at most 2688: n = 10000 less topCount = 7312'],
    [{ sigma: '0.5' }, '/sigma', 'must be a number'],
    [{ alpah: 0.1 }, '/alpah', 'is not a known field'],
  ])('refuses %j once, by name', async (change, pointer, detail) => {
    const { body } = await post({ ...votes, ...change }).expect(422);
    expect(body).toMatchObject({ code: 'validation_failed' });
    expect((body as { errors: unknown }).errors).toEqual([{ pointer, detail }]);
  });

  test('never fails on anything that its schema allows', async () => {
    const alpha = double({ min: 1e-12, max: 0.25, noNaN: true });
    const sigma = double({ min: 1e-6, max: 1e6, noNaN: true });
    const question = record({
      n: integer({ min: 1, max: 10_000_000 }),
      share: double({ min: 0, max: 1, noNaN: true }),
      alpha,
      sigma,
    }).chain(({ n, share, ...rest }) => {
      const topCount = Math.min(n, Math.round(n * share));
      const runnerUpCount = option(integer({ min: 0, max: n - topCount }), { nil: undefined });
      return runnerUpCount.map((count) => ({
        ...rest,
        n,
        topCount,
        ...(count === undefined ? {} : { runnerUpCount: count }),
      }));
    });
    await holds(
      asyncProperty(question, async (body) => {
        await post(body).expect(200);
      }),
      { numRuns: 60 },
    );
  });
});

describe('the sample-size calculator', () => {
  const post = (body: object) => api.http.post('/v1/sample-size').send(body);

  test('answers what was asked and null for what was not', async () => {
    // alpha^(1/n) >= Phi(1) = 0.8413447 first at n = 40: ln 0.001 / ln 0.8413447 = 39.98.
    const { body } = await post({ radius: 0.5, alpha: 0.001, sigma: 0.5 }).expect(200);
    expect(body).toEqual({ unanimous: 40, planned: null, smallestCount: null });
  });

  test('finds the least count by which the radius calculator certifies', async () => {
    const asked = { radius: 0.28, alpha: 0.001, sigma: 0.5, n: 10_000, expectedPA: 0.75 };
    const { body } = await post(asked).expect(200);
    const { smallestCount, planned } = body as { smallestCount: number; planned: number };
    expect(planned).toBeGreaterThan(0);
    const surer = await post({ ...asked, power: 0.999, bound: 'pA-pB' }).expect(200);
    expect((surer.body as { planned: number }).planned).toBeGreaterThan(planned);
    const radius = async (topCount: number): Promise<number> => {
      const votes = { topCount, n: 10_000, alpha: 0.001, sigma: 0.5 };
      const { body: report } = await api.http.post('/v1/radius').send(votes).expect(200);
      return (report as { certifiedRadius: number }).certifiedRadius;
    };
    expect(await radius(smallestCount)).toBeGreaterThanOrEqual(0.28);
    expect(await radius(smallestCount - 1)).toBeLessThan(0.28);
  });

  test('never fails on anything that its schema allows', async () => {
    const question = record(
      {
        radius: oneof(double({ min: 0, max: 10, noNaN: true }), double({ min: 0, max: 1e9, noNaN: true })),
        alpha: double({ min: 1e-12, max: 0.25, noNaN: true }),
        sigma: double({ min: 1e-6, max: 1e6, noNaN: true }),
        expectedPA: double({ min: 0.5, minExcluded: true, max: 1, noNaN: true }),
        power: double({ min: 0.5, max: 0.999_999, noNaN: true }),
        bound: constantFrom('pA', 'pA-pB'),
        n: integer({ min: 1, max: 10_000_000 }),
      },
      { requiredKeys: ['radius', 'alpha', 'sigma'] },
    );
    await holds(
      asyncProperty(question, async (body) => {
        await post(body).expect(200);
      }),
      { numRuns: 40 },
    );
  });
});

describe('health', () => {
  test('is live whatever else is the case', async () => {
    expect((await api.http.get('/health/live').expect(200)).body).toEqual({ status: 'live' });
  });

  test('is not ready without a worker, and says what is missing', async () => {
    const { body } = await api.http.get('/health/ready').expect(503);
    expect(body).toEqual({
      status: 'not ready',
      checks: {
        redis: { ok: true, detail: 'answers' },
        worker: { ok: false, detail: '0 seen in the last 15 s' },
        devices: { ok: false, detail: '0 of 0 in service' },
        models: { ok: false, detail: 'none loaded' },
      },
    });
  });

  test('is ready with a device in service that has loaded a model, and not without', async () => {
    const presence = createPresence(api.redis, api.keys);
    await presence.announce(workerStatus('w', [hostStatus()]));
    const empty = await api.http.get('/health/ready').expect(503);
    expect(empty.body).toMatchObject({
      checks: { worker: { ok: true }, devices: { ok: true }, models: { ok: false } },
    });
    await presence.announce(workerStatus('w', [hostStatus({ models: [loadedModel()] })]));
    const { body } = await api.http.get('/health/ready').expect(200);
    expect(body).toMatchObject({
      status: 'ready',
      checks: {
        devices: { ok: true, detail: '1 of 1 in service' },
        models: { ok: true, detail: 'loaded: mnist-cnn' },
      },
    });
    await presence.leave('w');
    await api.http.get('/health/ready').expect(503);
  });

  test('names every device that is not ready and why, and is not ready without one in service', async () => {
    const presence = createPresence(api.redis, api.keys);
    const out = hostStatus({ state: 'out', reason: 'it died of SIGSEGV', models: [loadedModel()] });
    await presence.announce(workerStatus('w', [out], [hostStatus({ models: [loadedModel()] })]));
    const { body } = await api.http.get('/health/ready').expect(200);
    expect(body).toMatchObject({
      checks: {
        devices: {
          ok: true,
          detail: '1 of 2 in service; onnx on Device 0 of here is out: it died of SIGSEGV',
        },
      },
    });
    await presence.announce(workerStatus('w', [out]));
    const none = await api.http.get('/health/ready').expect(503);
    expect(none.body).toMatchObject({ checks: { devices: { ok: false }, models: { ok: false } } });
    await presence.leave('w');
  });
});

describe('the devices', () => {
  test('of all living workers are listed with the state of each host', async () => {
    const presence = createPresence(api.redis, api.keys);
    expect((await api.http.get('/v1/devices').expect(200)).body).toEqual({ data: [] });
    const tensorflow = hostStatus({
      engine: 'tensorflow',
      state: 'recovering',
      reason: 'it was killed',
    });
    await presence.announce(workerStatus('b', [hostStatus({ models: [loadedModel()] }), tensorflow]));
    await presence.announce(workerStatus('a', [hostStatus({ state: 'out', reason: 'gone', restarts: 7 })]));
    const { body } = await api.http.get('/v1/devices').expect(200);
    expect(body).toMatchObject({
      data: [
        {
          object: 'device',
          worker: { id: 'a', hostname: 'here' },
          state: 'out',
          hosts: [{ reason: 'gone', restarts: 7 }],
        },
        {
          worker: { id: 'b' },
          id: 'device-0',
          state: 'ready',
          hosts: [
            { engine: 'onnx', state: 'ready', reason: null, models: [{ name: 'mnist-cnn', batchSize: 64 }] },
            { engine: 'tensorflow', state: 'recovering', reason: 'it was killed', models: [] },
          ],
        },
      ],
    });
    await Promise.all(['a', 'b'].map((id) => presence.leave(id)));
  });
});

describe('problems', () => {
  test('are listed, those that a response can have first', async () => {
    const { body } = await api.http.get('/problems').expect(200);
    const { data } = body as { data: { code: string; status: number | null }[] };
    expect(data.map(({ code }) => code).sort()).toEqual([...ERROR_CODES].sort());
    const statuses = data.map(({ status }) => status);
    expect(statuses.slice(statuses.indexOf(null)).every((status) => status === null)).toBe(true);
  });

  test.each(ERROR_CODES)(
    'of the kind %s are explained: what it is, whose fault, what to do',
    async (code) => {
      const { body } = await api.http.get(`/problems/${code}`).expect(200);
      const { title, blame, help } = ERRORS[code];
      const status = PROBLEM_STATUS[code];
      expect(body).toEqual({ type: `/problems/${code}`, code, status, title, blame, help });
    },
  );

  test.each(['toString', 'nonsense'])('of the kind %s do not exist', async (code) => {
    const { body } = await api.http.get(`/problems/${code}`).expect(404);
    expect(body).toMatchObject({ code: 'resource_not_found', detail: `there is no kind of problem ${code}` });
  });
});

describe('the documentation', () => {
  test('is served as OpenAPI and as a page', async () => {
    const { body } = await api.http.get('/openapi.json').expect(200);
    expect(body).toMatchObject({
      openapi: '3.1.0',
      info: { title: 'Smoothcert', version: SOFTWARE.version },
    });
    const page = await api.http.get('/docs/').expect(200);
    expect(page.headers['content-type']).toMatch(/^text\/html/);
    expect(page.text).toContain('swagger-ui');
    for (const [, asset] of page.text.matchAll(/(?:src|href)="(\.\/static\/[^"]+)"/g)) {
      await api.http.get(`/docs/${asset!.slice(2)}`).expect(200);
    }
  });

  test('names only routes that are served', async () => {
    const { body } = await api.http.get('/openapi.json').expect(200);
    for (const [path, methods] of Object.entries((body as { paths: Record<string, object> }).paths)) {
      const url = path.replaceAll(/\{(\w+)\}/g, ':$1');
      for (const method of Object.keys(methods)) {
        const found = api.app.hasRoute({ url, method: method.toUpperCase() });
        expect(found, `${method} ${path}`).toBe(true);
      }
    }
  });

  test('is sent with the headers that keep a browser safe', async () => {
    const { headers } = await api.http.get('/v1/models').expect(200);
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['content-security-policy']).toBeDefined();
  });
});
