import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { beforeAll, describe, expect, test } from 'vitest';
import { createJobStore, type JobStore } from '../../src/jobs/job-store.ts';
import type { ResultRecord } from '../../src/jobs/job-record.ts';
import { createResultStore } from '../../src/jobs/result-store.ts';
import { certification, tensor, useTestApi } from '../support/api.ts';
import { ref } from '../support/create-job.ts';

// What the server answers is held against what its document promises, by a validator of its own.

type Json = Record<string, unknown>;
interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Record<string, string>;
}

const api = useTestApi();
let jobs: JobStore;
let document: {
  paths: Record<string, Record<string, { responses: Record<string, Json> }>>;
  components: Json;
};
let ajv: Ajv2020;

beforeAll(async () => {
  jobs = createJobStore(api.redis, api.keys, 60, Date.now);
  document = (await api.http.get('/openapi.json').expect(200)).body as typeof document;
  ajv = new Ajv2020({ strict: false, allErrors: true, formats: { 'date-time': true, byte: true } });
  ajv.addSchema({ $id: 'document', components: document.components });
});

function schemaOf(operation: string, status: number, type: string): ValidateFunction {
  const [method, path] = operation.split(' ') as [string, string];
  const response = document.paths[path]?.[method.toLowerCase()]?.responses[String(status)];
  expect(response, `${operation} promises no ${status}`).toBeDefined();
  const media = (response!['content'] as Record<string, { schema: Json }>)[type];
  expect(media, `${operation} promises no ${type} with ${status}`).toBeDefined();
  const text = JSON.stringify(media!.schema).replaceAll('"#/', '"document#/');
  return ajv.compile(JSON.parse(text) as Json);
}

/** Checks an answer against what the document says of that operation and status. */
function expectPromised(operation: string, { status, body, headers }: Answer): void {
  const type = headers['content-type']!.split(';')[0]!;
  const validate = schemaOf(operation, status, type);
  expect(validate(body), `${operation} ${status}: ${JSON.stringify(validate.errors)}`).toBe(true);
  // The other direction: nothing but what is described is sent. Every object is closed, so one more member is refused.
  expect(validate({ ...(body as Json), surprise: 1 }), `${operation} ${status} is open`).toBe(false);
}

const DIGEST = 'd'.repeat(64);
const origin = {
  model: {
    name: 'mnist-cnn',
    version: '1.0.0',
    digest: DIGEST,
    files: [{ path: 'model.onnx', sha256: DIGEST }],
  },
  input: { digest: DIGEST, shape: [1, 28, 28], layout: 'NCHW', index: 0 },
  noise: { scheme: 'grid', version: 1, totalVariation: 1e-12, seed: '0'.repeat(64), seedSource: 'server' },
  engine: { name: 'onnx', version: '1.30.0', provider: 'cpu', precision: 'fp32' },
  devices: [{ name: 'CPU', batchSize: 64, samples: 10_100 }],
  software: { name: 'smoothcert', version: '0.1.0' },
} as const;

const certified = (outcome: 'certified' | 'abstained'): ResultRecord => {
  const votes = { '3': 7_312, '5': 2_688 };
  const radius = outcome === 'certified' ? 0.28742 : null;
  return {
    kind: 'certification',
    outcome,
    class: outcome === 'certified' ? 3 : null,
    topCount: 7_312,
    votes,
    warnings: ['a warning'],
    certificate: {
      format: 'smoothcert/certificate/1',
      procedure: 'certify',
      sigma: 0.5,
      n0: 100,
      n: 10_000,
      alpha: 0.001,
      bound: 'pA',
      clip: false,
      outcome,
      selectedClass: 3,
      selectionVotes: { '3': 100 },
      estimationVotes: votes,
      pALowerBound: 0.7172974,
      pBUpperBound: null,
      certifiedRadius: radius,
      ...origin,
    },
  };
};

const drawnAgain = (kind: 'certifications' | 'predictions'): ResultRecord => {
  const votes = { '3': 7_312, '5': 2_688 };
  const common = { format: 'smoothcert/reproduction/1', sigma: 0.5, n: 10_000, alpha: 0.001 } as const;
  const source = { ...origin, noise: { ...origin.noise, seedSource: 'client' } } as const;
  const certify = {
    ...common,
    procedure: 'certify',
    n0: 100,
    bound: 'pA',
    clip: false,
    selectedClass: 3,
    selectionVotes: { '3': 100 },
    estimationVotes: votes,
    implied: { verdict: 'certified', pALowerBound: 0.7172974, pBUpperBound: null, radius: 0.28742 },
    ...source,
  } as const;
  const implied = { verdict: 'predicted', pValue: 1e-9 } as const;
  const predict = { ...common, procedure: 'predict', topClass: 3, votes, implied, ...source } as const;
  const repeated = { kind: 'reproduction', topCount: 7_312, votes, warnings: ['a warning'] } as const;
  return kind === 'certifications'
    ? { ...repeated, reproduction: certify }
    : { ...repeated, reproduction: predict };
};

describe('certifications are as the document promises', () => {
  test('from the request to each of their results', async () => {
    const inputs = [0, 1, 2, 3].map((value) => ({ id: `input-${value}`, tensor: tensor(value), label: 3 }));
    const posted = await api.http.post('/v1/certifications').send(certification(inputs));
    expectPromised('POST /v1/certifications', posted);
    const { id } = posted.body as { id: string };
    await jobs.transition(ref(id), ['queued'], 'running');
    const results = createResultStore(api.redis, api.keys);
    await results.store(ref(id), 0, certified('certified'), 3);
    await results.store(ref(id), 1, certified('abstained'), 3);
    const error = { code: 'input_wrong_shape', detail: 'it does not fit' } as const;
    await results.store(ref(id), 2, { kind: 'failed', error }, 3);
    const read = await api.http.get(`/v1/certifications/${id}/results`).expect(200);
    expectPromised('GET /v1/certifications/{id}/results', read);
    const { data } = read.body as { data: Json[] };
    expect(data.map(({ status, outcome }) => [status, outcome])).toEqual([
      ['decided', 'certified'],
      ['decided', 'abstained'],
      ['failed', null],
      ['pending', null],
    ]);
    // Nothing of a certificate is lost or rounded on its way to the client.
    const stored = certified('certified');
    expect(data[0]!['certificate']).toEqual(stored.kind === 'certification' ? stored.certificate : null);
    expect(data[0]).toMatchObject({
      certifiedRadius: 0.28742,
      pALowerBound: 0.7172974,
      prediction: { class: 3, label: '3' },
      reference: { label: 3, correct: true },
    });
    expect(data[1]).toMatchObject({ certifiedRadius: null, prediction: null, reference: { correct: false } });
    await jobs.end(ref(id), 'partially_succeeded', null);
    expectPromised('GET /v1/certifications/{id}', await api.http.get(`/v1/certifications/${id}`));
    expectPromised('GET /v1/certifications', await api.http.get('/v1/certifications'));
    const late = await api.http.post(`/v1/certifications/${id}/cancel`);
    expectPromised('POST /v1/certifications/{id}/cancel', late);
    expect(late.status).toBe(409);
  });

  test('that failed as a whole, with the reason', async () => {
    const { body } = await api.http.post('/v1/certifications').send(certification()).expect(202);
    const { id } = body as { id: string };
    await jobs.transition(ref(id), ['queued'], 'running');
    await jobs.end(ref(id), 'failed', { code: 'model_unavailable', detail: 'no worker has it' });
    const shown = await api.http.get(`/v1/certifications/${id}`).expect(200);
    expectPromised('GET /v1/certifications/{id}', shown);
    const error = { code: 'model_unavailable', detail: 'no worker has it' };
    expect(shown.body).toMatchObject({
      status: 'failed',
      error,
      progress: { inputsDecided: 0, inputsFailed: 1, inputsTotal: 1 },
      summary: { certified: 0, failed: 1 },
    });
    // Its inputs have failed with it, for the same reason: nobody has cancelled them.
    const results = await api.http.get(`/v1/certifications/${id}/results`).expect(200);
    expectPromised('GET /v1/certifications/{id}/results', results);
    expect(results.body).toMatchObject({ data: [{ status: 'failed', outcome: null, error }] });
  });
});

test('predictions are as the document promises', async () => {
  const posted = await api.http.post('/v1/predictions').send(certification());
  expectPromised('POST /v1/predictions', posted);
  const { id } = posted.body as { id: string };
  await jobs.transition(ref(id), ['queued'], 'running');
  const result: ResultRecord = {
    kind: 'prediction',
    outcome: 'predicted',
    class: 3,
    topCount: 900,
    votes: { '3': 900, '0': 100 },
    warnings: [],
    pValue: 1e-9,
    provenance: origin,
  };
  await createResultStore(api.redis, api.keys).store(ref(id), 0, result, null);
  const read = await api.http.get(`/v1/predictions/${id}/results`).expect(200);
  expectPromised('GET /v1/predictions/{id}/results', read);
  expect(read.body).toMatchObject({
    data: [{ pValue: 1e-9, provenance: origin, votes: { '3': 900, '0': 100 } }],
  });
  expectPromised('GET /v1/predictions/{id}', await api.http.get(`/v1/predictions/${id}`));
  expectPromised('GET /v1/predictions', await api.http.get('/v1/predictions'));
  const cancelled = await api.http.post(`/v1/predictions/${id}/cancel`);
  expectPromised('POST /v1/predictions/{id}/cancel', cancelled);
});

test.each(['certifications', 'predictions'] as const)(
  'reproductions of %s are as the document promises',
  async (kind) => {
    const again = { reproductionSeed: 'ab'.repeat(32), reproductionIndex: 4 };
    const posted = await api.http.post(`/v1/${kind}`).send({ ...certification(), ...again });
    expectPromised(`POST /v1/${kind}`, posted);
    const { id } = posted.body as { id: string };
    await jobs.transition(ref(id), ['queued'], 'running');
    await createResultStore(api.redis, api.keys).store(ref(id), 0, drawnAgain(kind), 3);
    const read = await api.http.get(`/v1/${kind}/${id}/results`).expect(200);
    expectPromised(`GET /v1/${kind}/{id}/results`, read);
    expect(read.body).toMatchObject({ data: [{ outcome: 'reproduced', prediction: null }] });
    const shown = await api.http.get(`/v1/${kind}/${id}`);
    expectPromised(`GET /v1/${kind}/{id}`, shown);
    expect(shown.body).toMatchObject({ reproduction: { firstIndex: 4 }, summary: { reproduced: 1 } });
  },
);

test('everything else is as the document promises', async () => {
  const votes = { topCount: 7_312, n: 10_000, alpha: 0.001, sigma: 0.5 };
  const answers: [string, PromiseLike<unknown>][] = [
    ['GET /v1/models', api.http.get('/v1/models')],
    ['POST /v1/radius', api.http.post('/v1/radius').send(votes)],
    ['POST /v1/radius', api.http.post('/v1/radius').send({ ...votes, topCount: 1 })],
    ['POST /v1/radius', api.http.post('/v1/radius').send({ ...votes, runnerUpCount: 5 })],
    [
      'POST /v1/sample-size',
      api.http.post('/v1/sample-size').send({ radius: 0.5, alpha: 0.001, sigma: 0.5 }),
    ],
    ['GET /health/live', api.http.get('/health/live')],
    ['GET /health/ready', api.http.get('/health/ready')],
    ['GET /problems', api.http.get('/problems')],
    ['GET /problems/{code}', api.http.get('/problems/cannot_certify')],
  ];
  for (const [operation, answer] of answers) expectPromised(operation, (await answer) as Answer);
});

test('problems are as the document promises, for every status that a client can bring about', async () => {
  const json = (text: string) =>
    api.http.post('/v1/certifications').set('Content-Type', 'application/json').send(text);
  const answers: [number, string, PromiseLike<unknown>][] = [
    [400, 'POST /v1/certifications', json('{')],
    [413, 'POST /v1/certifications', json(`"${'x'.repeat(300_000)}"`)],
    [415, 'POST /v1/certifications', api.http.post('/v1/certifications').type('text/plain').send('x')],
    [422, 'POST /v1/certifications', json('{}')],
    [422, 'GET /v1/certifications', api.http.get('/v1/certifications?limit=x')],
    [404, 'GET /v1/certifications/{id}', api.http.get('/v1/certifications/none')],
    [404, 'GET /v1/certifications/{id}/results', api.http.get('/v1/certifications/none/results')],
    [422, 'GET /v1/certifications/{id}/results', api.http.get('/v1/certifications/none/results?limit=0')],
    [404, 'POST /v1/certifications/{id}/cancel', api.http.post('/v1/certifications/none/cancel')],
    [415, 'POST /v1/radius', api.http.post('/v1/radius').type('text/plain').send('x')],
    [422, 'POST /v1/radius', api.http.post('/v1/radius').send({})],
    [422, 'POST /v1/sample-size', api.http.post('/v1/sample-size').send({})],
    [404, 'GET /problems/{code}', api.http.get('/problems/none')],
  ];
  for (const [status, operation, request] of answers) {
    const answer = (await request) as Answer;
    expect(answer.status, operation).toBe(status);
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    expectPromised(operation, answer);
  }
});
