import { createHash } from 'node:crypto';
import { connect, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { parse } from 'csv-parse/sync';
import { beforeAll, describe, expect, test } from 'vitest';
import type { JobResource, ResultResource } from '../../src/contract/resources.ts';
import { createJobStore, type JobStore } from '../../src/jobs/job-store.ts';
import type { ResultRecord } from '../../src/jobs/job-record.ts';
import { createResultStore, type ResultStore } from '../../src/jobs/result-store.ts';
import { certification, tensor, useTestApi } from '../support/api.ts';
import { certified } from '../support/certified-result.ts';
import { ref } from '../support/create-job.ts';
import { compareExactly } from '../support/exact-decimal.ts';
import { rawGet } from '../support/raw-get.ts';

const api = useTestApi();
let jobs: JobStore;
let results: ResultStore;
let origin: string;

beforeAll(() => {
  jobs = createJobStore(api.redis, api.keys, 60, Date.now);
  results = createResultStore(api.redis, api.keys);
  origin = `http://127.0.0.1:${(api.server.address() as AddressInfo).port}`;
});

const FAILED: ResultRecord = {
  kind: 'failed',
  error: { code: 'input_wrong_shape', detail: 'it is "large",\nand does not fit' },
};
/** Ids that spreadsheets would compute, or that CSV must quote. */
const IDS = ['=HYPERLINK("x")', '+1', '-2+3', '@SUM(A1)', 'a,"b"', 'plain'];

const post = async (body: object, path = '/v1/certifications'): Promise<JobResource> =>
  (await api.http.post(path).send(body).expect(202)).body as JobResource;

/** A running job: two certified, one abstained, one failed, one without a label, one pending. */
async function runningJob(): Promise<JobResource> {
  const inputs = IDS.map((id, value) => ({
    id,
    tensor: tensor(value),
    ...(value === 4 ? {} : { label: 3 }),
  }));
  const job = await post(certification(inputs));
  await jobs.transition(ref(job.id), ['queued'], 'running');
  await results.store(ref(job.id), 0, certified(3, 0.28799999999999998), 3);
  await results.store(ref(job.id), 1, certified(5, 1.99999), 3);
  await results.store(ref(job.id), 2, certified(null, null), 3);
  await results.store(ref(job.id), 3, FAILED, 3);
  await results.store(ref(job.id), 4, certified(3, 0.00012389), null);
  return job;
}

const read = (job: JobResource, format: string) => rawGet(`${origin}${job.links.results}?format=${format}`);
const pageOf = async (job: JobResource): Promise<ResultResource[]> =>
  ((await api.http.get(job.links.results).expect(200)).body as { data: ResultResource[] }).data;
const sha256 = (bytes: Buffer): string => `sha-256=:${createHash('sha256').update(bytes).digest('base64')}:`;

describe('all results of a job', () => {
  test('as NDJSON are the rows of the JSON pages', async () => {
    const job = await runningJob();
    const { status, headers, trailers, body } = await read(job, 'ndjson');
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('application/x-ndjson; charset=utf-8');
    const lines = body.toString().split('\n');
    expect(lines.pop()).toBe('');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(await pageOf(job));
    expect(trailers['repr-digest']).toBe(sha256(body));
  });

  test('as CSV agree with JSON: texts that spreadsheets would compute are texts, bounds are never above', async () => {
    const job = await runningJob();
    const { headers, trailers, body } = await read(job, 'csv');
    expect(headers['content-type']).toBe('text/csv; charset=utf-8');
    expect(trailers['repr-digest']).toBe(sha256(body));
    const text = body.toString();
    expect(text.split('\r\n')[0]).toBe(
      'index,inputId,status,outcome,class,className,referenceLabel,correct,certifiedRadius,pALowerBound,topCount,warnings,errorCode,errorDetail',
    );
    const rows: Record<string, string>[] = parse(text, { columns: true, record_delimiter: '\r\n' });
    const page = await pageOf(job);
    expect(rows.map(({ inputId }) => inputId)).toEqual([
      ...IDS.slice(0, 4).map((id) => `'${id}`),
      ...IDS.slice(4),
    ]);
    const shown = (value: string | number | boolean | null | undefined): string =>
      value === null || value === undefined ? '' : String(value);
    for (const [index, row] of rows.entries()) {
      const result = page[index]!;
      expect(row).toMatchObject({
        index: String(index),
        status: result.status,
        outcome: shown(result.outcome),
        class: shown(result.prediction?.class),
        referenceLabel: shown(result.reference?.label),
        correct: shown(result.reference?.correct),
        topCount: shown(result.topCount),
        warnings: result.warnings.join('; '),
        errorCode: shown(result.error?.code),
        errorDetail: shown(result.error?.detail),
      });
    }
    const bounds = (['certifiedRadius', 'pALowerBound'] as const).flatMap((name) =>
      page.map((result, index) => {
        const exact = 'certificate' in result ? result[name] : null;
        return { exact, text: rows[index]![name]! };
      }),
    );
    expect(bounds.filter(({ exact }) => exact === null).map(({ text }) => text)).toEqual([
      '',
      '',
      '',
      '',
      '',
    ]);
    for (const { exact, text: decimal } of bounds.filter(({ text: each }) => each !== '')) {
      expect(compareExactly(exact!, decimal), decimal).toBeGreaterThanOrEqual(0);
      expect(exact! - Number(decimal)).toBeLessThan(0.0001);
    }
    expect(rows.map(({ status }) => status)).toEqual([
      'decided',
      'decided',
      'decided',
      'failed',
      'decided',
      'pending',
    ]);
  });

  // The columns, "-1" with 0.0 for an abstention and three digits: code/certify.py of github.com/locuslab/smoothing, whose
  // "{:.3}" writes 1.99999 as 2.0 and 0.288 for the double below it.
  test('as the research table have its columns, and radii of three digits that are never above', async () => {
    const job = await runningJob();
    const { headers, trailers, body } = await read(job, 'tsv');
    expect(headers['content-type']).toBe('text/tab-separated-values; charset=utf-8');
    expect(trailers['repr-digest']).toBe(sha256(body));
    expect(body.toString().split('\n')).toEqual([
      'idx\tlabel\tpredict\tradius\tcorrect\ttime',
      '0\t3\t3\t0.287\t1\t',
      '1\t3\t5\t1.99\t0\t',
      '2\t3\t-1\t0.0\t0\t',
      '3\t3\tfailed\t0.0\t0\t',
      '4\t\t3\t0.000123\t\t',
      '5\t3\tpending\t0.0\t0\t',
      '',
    ]);
  });

  test('as the research table say once the job has ended how long an input took, as a timedelta, and what was cancelled', async () => {
    const job = await runningJob();
    await jobs.transition(ref(job.id), ['running'], 'cancelling');
    await jobs.end(ref(job.id), 'cancelled', null);
    const lines = (await read(job, 'tsv')).body.toString().split('\n');
    expect(lines[1]).toMatch(/^0\t3\t3\t0\.287\t1\t\d+:[0-5]\d:[0-5]\d(\.\d{6})?$/);
    expect(lines[6]).toBe('5\t3\tcancelled\t0.0\t0\t');
    const page = await pageOf(job);
    expect(page[5]).toMatchObject({ status: 'cancelled' });
  });

  test('of a prediction have a p-value that is never below, and the research columns of predict.py', async () => {
    const job = await post(certification([{ id: 'a', tensor: tensor(), label: 3 }]), '/v1/predictions');
    const csv = (await read(job, 'csv')).body.toString();
    expect(csv).toBe(
      'index,inputId,status,outcome,class,className,referenceLabel,correct,pValue,topCount,warnings,errorCode,errorDetail\r\n0,a,pending,,,,3,,,,,,\r\n',
    );
    expect((await read(job, 'tsv')).body.toString()).toBe(
      'idx\tlabel\tpredict\tcorrect\ttime\n0\t3\tpending\t0\t\n',
    );
    const {
      kind: _,
      certificate,
      ...common
    } = certified(3, 0.2) as Extract<ResultRecord, { kind: 'certification' }>;
    const { model, input, noise, engine, devices, software } = certificate;
    const provenance = { model, input, noise, engine, devices, software };
    await jobs.transition(ref(job.id), ['queued'], 'running');
    const predicted = {
      ...common,
      kind: 'prediction',
      outcome: 'predicted',
      pValue: 1.2341e-9,
      provenance,
    } as const;
    await results.store(ref(job.id), 0, predicted, 3);
    expect((await read(job, 'csv')).body.toString()).toContain(
      '\r\n0,a,decided,predicted,3,3,3,true,1.24e-9,',
    );
  });

  test('of a job that failed as a whole say why, as in JSON; of none, or deleted, are problems', async () => {
    const job = await post(certification([{ id: 'a', tensor: tensor(), label: 3 }]));
    await jobs.transition(ref(job.id), ['queued'], 'running');
    await jobs.end(ref(job.id), 'failed', { code: 'model_unavailable', detail: 'no worker has it' });
    expect((await read(job, 'csv')).body.toString()).toContain(
      '\r\n0,a,failed,,,,3,,,,,,model_unavailable,no worker has it\r\n',
    );
    await api.redis.del(api.keys.entries(ref(job.id)));
    for (const format of ['ndjson', 'csv', 'tsv', 'json']) {
      const gone = await read(job, format);
      expect(gone.status, format).toBe(410);
      expect(JSON.parse(gone.body.toString())).toMatchObject({ code: 'results_expired' });
      await api.http.get(`/v1/certifications/cert_none/results?format=${format}`).expect(404);
    }
  });
});

describe('the form', () => {
  test.each([
    [undefined, 'application/json'],
    ['*/*', 'application/json'],
    ['text/html,application/xhtml+xml,*/*;q=0.8', 'application/json'],
    ['text/csv', 'text/csv'],
    ['text/*', 'text/csv'],
    ['text/csv;q=0.5, application/x-ndjson', 'application/x-ndjson'],
    ['text/tab-separated-values', 'text/tab-separated-values'],
  ])('is chosen by Accept %s: %s', async (accept, type) => {
    const { links } = await post(certification());
    const answer = await rawGet(origin + links.results, accept === undefined ? {} : { accept });
    expect(answer.headers['content-type']!.split(';')[0]).toBe(type);
    expect(answer.headers['vary']).toContain('Accept');
  });

  test('that the query names goes before Accept; a page of JSON has its digest ahead', async () => {
    const { links } = await post(certification());
    const answer = await rawGet(`${origin}${links.results}?format=json`, { accept: 'text/csv' });
    expect(answer.headers['content-type']).toMatch(/^application\/json/);
    expect(answer.headers['repr-digest']).toBe(sha256(answer.body));
  });

  test('that is neither is refused with those that there are: 406 by Accept, 422 by the query', async () => {
    const { links } = await post(certification());
    const { body } = await api.http.get(links.results).set('Accept', 'application/xml').expect(406);
    expect(body).toMatchObject({ code: 'not_acceptable' });
    for (const type of ['application/xml', 'application/x-ndjson', 'text/csv', 'text/tab-separated-values']) {
      expect((body as { detail: string }).detail).toContain(type);
    }
    const wrong = await api.http.get(`${links.results}?format=xml`).expect(422);
    expect(wrong.body).toMatchObject({ errors: [{ pointer: '/query/format' }] });
  });

  test('of all results takes no page, and says so of both its fields at once', async () => {
    const { links } = await post(certification());
    const { body } = await api.http.get(`${links.results}?format=csv&limit=5&cursor=5`).expect(422);
    expect(body).toMatchObject({ errors: [{ pointer: '/query/limit' }, { pointer: '/query/cursor' }] });
  });

  test('of the research table is refused for reproductions, which claim nothing', async () => {
    const again = { reproductionSeed: 'ab'.repeat(32), reproductionIndex: 0 };
    const { links } = await post({ ...certification(), ...again });
    const { body } = await api.http.get(`${links.results}?format=tsv`).expect(422);
    expect(body).toMatchObject({ errors: [{ pointer: '/query/format' }] });
    await api.http.get(`${links.results}?format=ndjson`).expect(200);
  });

  test('is sent without a trailer to HTTP/1.0, and without content to HEAD', async () => {
    const job = await runningJob();
    await api.http
      .head(`${job.links.results}?format=csv`)
      .expect(200)
      .expect('Content-Type', /^text\/csv/);
    const socket = connect(Number(new URL(origin).port), '127.0.0.1');
    socket.write(`GET ${job.links.results}?format=tsv HTTP/1.0\r\n\r\n`);
    let text = '';
    socket.on('data', (part) => (text += part.toString()));
    await once(socket, 'end');
    expect(text).toMatch(/^HTTP\/1\.1 200 /);
    expect(text.endsWith('\n5\t3\tpending\t0.0\t0\t\n')).toBe(true);
    expect(text.toLowerCase()).not.toContain('repr-digest');
  });
});
