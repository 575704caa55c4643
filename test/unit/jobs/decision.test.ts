import { describe, expect, it } from 'vitest';
import { createDecision } from '../../../src/jobs/decision.ts';
import type { JobRequest } from '../../../src/jobs/job-record.ts';
import { openModelStore } from '../../../src/models/store.ts';
import { gaussianLaw } from '../../../src/random/noise-law.ts';
import type { Evidence } from '../../../src/smoothing/evidence.ts';
import { REPRODUCTION_WARNING } from '../../../src/smoothing/reproduction.ts';
import { MODELS } from '../../support/api.ts';
import { NOISE } from '../../support/worker-status.ts';

const DIGEST = 'd'.repeat(64);
const model = (await openModelStore(MODELS)).find('mnist-cnn')!;
const { name, version } = model.manifest;

const request = (changes: Partial<JobRequest> = {}): JobRequest =>
  ({
    kind: 'prediction',
    model: { name, version, digest: model.digest },
    parameters: { sigma: 0.5, n: 1_000, alpha: 0.001 },
    noise: NOISE,
    seed: '0'.repeat(64),
    seedSource: 'server',
    firstIndex: 0,
    ...changes,
  }) as JobRequest;

/** A plurality that is no majority. */
const VOTES = [300, 250, 450, 0, 0, 0, 0, 0, 0, 0];
const device = (batchSize: number, samples: number) => ({ name: 'CPU', batchSize, samples });
const drawnBy = (devices: Evidence['devices']): Evidence => ({
  tally: { prediction: VOTES },
  engine: { name: 'onnx', version: '1', provider: 'cpu', precision: 'fp32' },
  devices,
});

function decide(asked: JobRequest, votes: Evidence, input = 0, registered = model) {
  const step = createDecision(asked, registered, { name: 'smoothcert', version: '0' }).next(
    input,
    votes,
    DIGEST,
  );
  if (step.kind !== 'done') throw new Error('not decided');
  return step.result;
}

describe('a prediction', () => {
  it('is tested against the runner-up where one kind of device drew, against all others where several did', () => {
    expect(decide(request(), drawnBy([device(64, 1_000)]))).toMatchObject({ outcome: 'predicted', class: 2 });
    const mixed = drawnBy([device(64, 900), device(32, 100)]);
    expect(decide(request(), mixed)).toMatchObject({ outcome: 'abstained', class: null });
  });
});

describe('a request whose noise is of another sigma than what it asks to certify', () => {
  it('is refused before any vote is looked at: a radius follows from the sigma that was drawn', () => {
    const asked = request({ noise: gaussianLaw(0.25) });
    expect(() => createDecision(asked, model, { name: 'smoothcert', version: '0' })).toThrow(
      'noise of sigma 0.25 says nothing of sigma 0.5',
    );
  });
});

describe('where votes come from', () => {
  it('is said with the names of input, output and signature that the manifest gives', () => {
    const asked = request({ seedSource: 'client' });
    const modelOf = (result: unknown): object =>
      (result as { reproduction: { model: object } }).reproduction.model;
    expect(Object.keys(modelOf(decide(asked, drawnBy([device(64, 1_000)]))))).toEqual(['name', 'version', 'digest', 'files']); // prettier-ignore
    const { manifest } = model;
    const named = {
      ...model,
      manifest: {
        ...manifest,
        input: { ...manifest.input, name: 'image' },
        output: { ...manifest.output, name: 'main' },
        signature: 'serve',
      },
    };
    expect(modelOf(decide(asked, drawnBy([device(64, 1_000)]), 0, named))).toMatchObject({
      input: 'image',
      output: 'main',
      signature: 'serve',
    });
  });
});

describe('a reproduction', () => {
  it('is what every decision with a client’s seed is, with the noise of the index asked for', () => {
    const reproduced = decide(
      request({ seedSource: 'client', firstIndex: 5 }),
      drawnBy([device(64, 1_000)]),
      2,
    );
    expect(reproduced).toMatchObject({
      kind: 'reproduction',
      warnings: [REPRODUCTION_WARNING],
      reproduction: { input: { index: 7 }, noise: { seedSource: 'client' }, topClass: 2 },
    });
    expect(reproduced).not.toHaveProperty('outcome');
    expect(reproduced).not.toHaveProperty('class');
  });
});
