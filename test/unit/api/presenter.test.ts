import { describe, expect, test } from 'vitest';
import { presentJob, presentResult } from '../../../src/api/presenter.ts';
import { openModelStore } from '../../../src/models/store.ts';
import type { InputResult } from '../../../src/jobs/job-service.ts';
import type { ObservedJob } from '../../../src/jobs/submit.ts';
import type { ResultRecord } from '../../../src/jobs/job-record.ts';
import { MODELS } from '../../support/api.ts';
import { NOISE } from '../../support/worker-status.ts';

const DIGEST = 'd'.repeat(64);
const START = Date.UTC(2026, 0, 2, 3, 4, 5);

const RECORD: ObservedJob = {
  owner: 'default',
  id: 'pred_1',
  inputsTotal: 2,
  request: {
    kind: 'prediction',
    model: { name: 'fashion-mnist-cnn', version: '1.0.0', digest: DIGEST },
    parameters: { sigma: 0.5, n: 1_000, alpha: 0.001 },
    noise: NOISE,
    seed: '0'.repeat(64),
    seedSource: 'server',
    firstIndex: 0,
  },
  status: 'running',
  engine: null,
  binding: 0,
  waitingFor: null,
  createdAt: START,
  startedAt: START + 1_000,
  finishedAt: null,
  expiresAt: null,
  error: null,
  counts: { decided: 0, failed: 0, affirmed: 0, abstained: 0, reproduced: 0, correct: 0, labelled: 1 },
  samplesDrawn: 500,
  samplesPlanned: 2_000,
};

/** An input of the job, with this result. */
const input = (index: 0 | 1, result: ResultRecord | null): InputResult => ({
  index,
  entry: { id: 'ab'[index]!, kind: 'image', digest: DIGEST, label: index === 0 ? 3 : null },
  result,
});

const predicted = (cls: number | null): ResultRecord => ({
  kind: 'prediction',
  outcome: cls === null ? 'abstained' : 'predicted',
  class: cls,
  topCount: 700,
  votes: { '3': 700, '5': 300 },
  warnings: ['a warning'],
  pValue: 1e-9,
  provenance: {
    model: { name: 'm', version: '1', digest: DIGEST, files: [] },
    input: { digest: DIGEST, shape: [1, 28, 28], layout: 'NCHW', index: 0 },
    noise: { scheme: 's', version: 1, totalVariation: 0, seed: '0', seedSource: 'server' },
    engine: { name: 'onnx', version: '1', provider: 'cpu', precision: 'fp32' },
    devices: [],
    software: { name: 'smoothcert', version: '0' },
  },
});

describe('progress', () => {
  const progress = (change: Partial<ObservedJob>, now = START + 6_000) =>
    presentJob({ ...RECORD, ...change }, now).progress;

  test('tells the mean speed since the start, and from it the seconds left', () => {
    // 500 samples in the 5 s since the start leave 1,500 at 100 a second.
    expect(progress({})).toMatchObject({ samplesPerSecond: 100, secondsLeft: 15 });
  });

  test('tells neither before the first sample, and no division by nothing', () => {
    const unknown = { samplesPerSecond: null, secondsLeft: null };
    expect(progress({ samplesDrawn: 0 })).toMatchObject(unknown);
    expect(progress({ startedAt: null, status: 'queued' })).toMatchObject(unknown);
    expect(progress({}, START + 1_000)).toMatchObject(unknown);
  });

  test('of a job that waits for a pool has neither, whatever it drew before', () => {
    const waitingFor = 'a worker: none is there';
    expect(progress({ waitingFor })).toMatchObject({ samplesPerSecond: null, secondsLeft: null });
    expect(presentJob({ ...RECORD, waitingFor }, START).waitingFor).toBe(waitingFor);
  });

  test('of a job that has ended has the speed up to its end and nothing left, whatever was not drawn', () => {
    const ended = { status: 'cancelled', finishedAt: START + 3_000 } as const;
    expect(progress(ended, START + 1e9)).toMatchObject({ samplesPerSecond: 250, secondsLeft: 0 });
  });
});

describe('a job', () => {
  test('has its times in UTC, and null where there is none yet', () => {
    const { createdAt, startedAt, finishedAt } = presentJob(RECORD, START);
    expect([createdAt, startedAt, finishedAt]).toEqual([
      '2026-01-02T03:04:05.000Z',
      '2026-01-02T03:04:06.000Z',
      null,
    ]);
  });

  test('counts correct inputs only where there are labels: 0 is not the same as not asked', () => {
    const unlabelled = { ...RECORD, counts: { ...RECORD.counts, labelled: 0 } };
    expect(presentJob(RECORD, START).summary.correct).toBe(0);
    expect(presentJob(unlabelled, START).summary.correct).toBeNull();
  });

  test('never shows its seed or its inputs, which belong to the results', () => {
    expect(JSON.stringify(presentJob(RECORD, START))).not.toContain(RECORD.request.seed);
  });
});

describe('a result', () => {
  test('names the class as the model does', async () => {
    const { manifest } = (await openModelStore(MODELS)).find('fashion-mnist-cnn')!;
    const { prediction } = presentResult(RECORD, input(0, predicted(3)), manifest);
    expect(prediction).toEqual({ class: 3, label: manifest.output.labels[3] });
  });

  test('names the class by its number where the server no longer has the model', () => {
    expect(presentResult(RECORD, input(0, predicted(3)), null).prediction).toEqual({ class: 3, label: '3' });
  });

  test('says whether the label was met; class 0 is a class', () => {
    expect(presentResult(RECORD, input(0, predicted(3)), null).reference).toEqual({
      label: 3,
      correct: true,
    });
    expect(presentResult(RECORD, input(0, predicted(0)), null)).toMatchObject({
      prediction: { class: 0, label: '0' },
      reference: { label: 3, correct: false },
    });
    expect(presentResult(RECORD, input(1, predicted(3)), null).reference).toBeNull();
  });

  test('that abstained is a result: decided, without a class, and not correct', () => {
    expect(presentResult(RECORD, input(0, predicted(null)), null)).toMatchObject({
      status: 'decided',
      outcome: 'abstained',
      prediction: null,
      topCount: 700,
      votes: { '3': 700, '5': 300 },
      pValue: 1e-9,
      warnings: ['a warning'],
      reference: { label: 3, correct: false },
      error: null,
    });
  });

  test('that is a reproduction has votes, and nothing that a claim has', () => {
    const { provenance } = predicted(3) as Extract<ResultRecord, { kind: 'prediction' }>;
    const reproduction = {
      format: 'smoothcert/reproduction/1',
      procedure: 'predict',
      sigma: 0.5,
      n: 1_000,
      alpha: 0.001,
      topClass: 3,
      votes: { '3': 700, '5': 300 },
      implied: { verdict: 'predicted', pValue: 1e-9 },
      ...provenance,
      noise: { ...provenance.noise, seedSource: 'client' },
    } as const;
    const record: ObservedJob = {
      ...RECORD,
      request: { ...RECORD.request, seedSource: 'client', firstIndex: 7 },
      counts: { ...RECORD.counts, decided: 1, reproduced: 1 },
    };
    const counted = { topCount: 700, votes: { '3': 700, '5': 300 }, warnings: ['a warning'] };
    const result: ResultRecord = { kind: 'reproduction', reproduction, ...counted };
    expect(presentResult(record, input(0, result), null)).toEqual({
      inputId: 'a',
      index: 0,
      status: 'decided',
      outcome: 'reproduced',
      prediction: null,
      reference: { label: 3, correct: null },
      ...counted,
      error: null,
      pValue: null,
      provenance: null,
      reproduction,
    });
    const job = presentJob(record, START);
    expect(job.reproduction).toEqual({ firstIndex: 7 });
    expect(job.summary).toEqual({ predicted: 0, abstained: 0, reproduced: 1, failed: 0, correct: null });
    expect(presentJob(RECORD, START).reproduction).toBeNull();
  });

  test('that failed has its reason and nothing else', () => {
    const error = { code: 'sampling_failed', detail: 'lost' } as const;
    expect(presentResult(RECORD, input(0, { kind: 'failed', error }), null)).toMatchObject({
      status: 'failed',
      error,
      outcome: null,
      prediction: null,
      pValue: null,
      provenance: null,
      reference: { label: 3, correct: null },
    });
  });

  test('that is missing is pending while the job goes on, and cancelled once it has ended', () => {
    expect(presentResult(RECORD, input(0, null), null).status).toBe('pending');
    for (const status of ['cancelled', 'failed', 'expired'] as const) {
      expect(presentResult({ ...RECORD, status }, input(0, null), null).status).toBe('cancelled');
    }
  });
});
