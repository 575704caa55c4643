import { createHash } from 'node:crypto';
import { appendFile, cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ort from 'onnxruntime-node';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ResultResource } from '../../src/contract/resources.ts';
import { deriveNoiseStream, type Purpose } from '../../src/random/noise-stream.ts';
import { gaussianCutpoints } from '../../src/random/cutpoints.ts';
import { referenceNoise } from '../../src/random/reference.ts';
import { undecodablePng } from '../support/image-bytes.ts';
import { imageInput, writeLinearModel } from '../support/model-folder.ts';
import { startTestRedis, type TestRedis } from '../support/redis.ts';
import {
  createTestClient,
  exampleInputs,
  type ServiceProcess,
  startProcess,
  type TestClient,
} from '../support/service.ts';
import { useTemporaryDirectory } from '../support/temporary-directory.ts';

const MODELS = fileURLToPath(new URL('../../models', import.meta.url));
const at = useTemporaryDirectory();

let redis: TestRedis;
let api: ServiceProcess;
let worker: ServiceProcess;
let client: TestClient;

type CertificationResult = Extract<ResultResource, { certificate: unknown }>;
type PredictionResult = Extract<ResultResource, { pValue: unknown }>;

function certifications(results: readonly ResultResource[]): CertificationResult[] {
  return results.map((result) => {
    if (!('certificate' in result)) throw new Error(`${result.inputId} is no certification`);
    return result;
  });
}

beforeAll(async () => {
  redis = await startTestRedis();
  const input = imageInput(2, 2);
  // Finite for the greys that a model is tried with (4 * 0.98 * 8.6e37), infinite in float32 for white (4 * 8.6e37).
  const huge = {
    weights: [
      [8.6e37, 8.6e37, 8.6e37, 8.6e37],
      [0, 0, 0, 0],
    ],
    biases: [0, 0],
  };
  const plain = {
    weights: [
      [1, 1, 1, 1],
      [-1, -1, -1, -1],
    ],
    biases: [0, 0],
  };
  for (const models of ['api', 'worker']) {
    await cp(join(MODELS, 'mnist-cnn'), at(models, 'mnist-cnn'), { recursive: true });
    await writeLinearModel(at(models, 'overflowing'), { ...huge, input });
    const changed = await writeLinearModel(at(models, 'changed'), { ...plain, input });
    await appendFile(join(changed.folder, 'model.onnx'), 'x');
    // The same name and another content: what the API offers is not what the worker has.
    await writeLinearModel(at(models, 'differing'), {
      ...plain,
      biases: [models === 'api' ? 0 : 1, 0],
      input,
    });
  }
  const variables = { REDIS_URL: redis.url, SMOOTHCERT_PORT: '0' };
  api = startProcess('api', { ...variables, SMOOTHCERT_MODELS_DIR: at('api') });
  worker = startProcess('worker', { ...variables, SMOOTHCERT_MODELS_DIR: at('worker') });
  client = createTestClient(String((await api.logged('api_listening'))['url']));
  await worker.logged('worker_ready');
});

afterAll(async () => {
  await worker?.end();
  await api?.end();
  await redis?.close();
});

describe('a job', () => {
  it('decides every input, and its progress adds up', async () => {
    const inputs = exampleInputs('mnist', 4);
    const { id } = await client.submit({ model: 'mnist-cnn', parameters: { sigma: 0.5, n: 3_000 }, inputs });
    const ended = await client.ended(id);
    expect(ended.status).toBe('succeeded');
    expect(ended.progress).toMatchObject({
      inputsDecided: 4,
      inputsFailed: 0,
      inputsTotal: 4,
      samplesDrawn: 4 * 3_100,
      samplesPlanned: 4 * 3_100,
      secondsLeft: 0,
    });
    const results = certifications(await client.results(id));
    expect(results.map(({ inputId }) => inputId)).toEqual(inputs.map((input) => input.id));
    for (const [index, { certificate, outcome, votes, topCount, certifiedRadius }] of results.entries()) {
      expect(outcome).toBe('certified');
      expect(certificate!.input.index).toBe(index);
      expect(Object.values(votes!).reduce((sum, count) => sum + count, 0)).toBe(3_000);
      expect(votes![String(certificate!.selectedClass)]).toBe(topCount);
      expect(certifiedRadius).toBeGreaterThan(0);
    }
  });

  it('fails a damaged image alone, by name, and certifies the others', async () => {
    const [good, other] = exampleInputs('mnist', 2);
    const inputs = [
      { id: 'good', image: good!.image },
      { id: 'damaged', image: undecodablePng().toString('base64') },
      { id: 'other', image: other!.image },
    ];
    const { id } = await client.submit({ model: 'mnist-cnn', parameters: { sigma: 0.5, n: 1_000 }, inputs });
    const ended = await client.ended(id);
    expect(ended.status).toBe('partially_succeeded');
    expect(ended.summary).toMatchObject({ certified: 2, failed: 1 });
    const results = certifications(await client.results(id));
    expect(results.map(({ inputId, status }) => [inputId, status])).toEqual([
      ['good', 'decided'],
      ['damaged', 'failed'],
      ['other', 'decided'],
    ]);
    expect(results[1]).toMatchObject({ error: { code: 'input_undecodable' }, certificate: null });
  });

  it('fails when no input can be decided', async () => {
    const inputs = [{ image: undecodablePng().toString('base64') }];
    const { id } = await client.submit({ model: 'mnist-cnn', parameters: { sigma: 0.5 }, inputs });
    const ended = await client.ended(id);
    expect(ended).toMatchObject({ status: 'failed', error: { code: 'sampling_failed' } });
  });

  it('fails the inputs of a network that gives scores that are not finite', async () => {
    const tensor = {
      dtype: 'uint8',
      shape: [1, 2, 2],
      data: Buffer.from([255, 255, 255, 255]).toString('base64'),
    };
    const request = { model: 'overflowing', parameters: { sigma: 0.25, n: 100 }, inputs: [{ tensor }] };
    const { id } = await client.submit(request);
    expect((await client.ended(id)).status).toBe('failed');
    expect((await client.results(id))[0]!.error!.code).toBe('model_output_invalid');
  });

  it('is not accepted where no worker has the model as the API has it, or every worker refuses its files', async () => {
    const tensor = { dtype: 'uint8', shape: [1, 2, 2], data: Buffer.from([1, 2, 3, 4]).toString('base64') };
    const request = (model: string) => ({
      model,
      parameters: { sigma: 0.25, n: 100 },
      inputs: [{ tensor }],
    });
    await expect(client.submit(request('differing'))).rejects.toThrow(
      /^409 .*"model_unavailable".*the one worker does not have differing with the digest/,
    );
    await expect(client.submit(request('changed'))).rejects.toThrow(
      /^409 .*"model_refused".*no worker can run changed: .*model\.onnx.*\(onnx on CPU/,
    );
  });

  it('does not wait behind a long job that came before it', async () => {
    const parameters = { sigma: 0.5, n: 100_000 };
    const long = await client.submit({ model: 'mnist-cnn', parameters, inputs: exampleInputs('mnist', 20) });
    await client.drawn(long.id, 1_000);
    const inputs = exampleInputs('mnist', 1);
    const short = await client.submit({ model: 'mnist-cnn', parameters: { sigma: 0.5, n: 1_000 }, inputs });
    expect((await client.ended(short.id)).status).toBe('succeeded');
    expect((await client.job(long.id)).finishedAt).toBeNull();
    await client.cancel(long.id);
    await client.ended(long.id);
  });

  it('predicts, and abstains where the top two classes are not told apart', async () => {
    const inputs = exampleInputs('mnist', 21).filter(({ id }) => ['00000.png', '00247.png'].includes(id));
    const request = { model: 'mnist-cnn', parameters: { sigma: 0.5, n: 2_000 }, inputs };
    const { id } = await client.submit(request, 'predictions');
    const ended = await client.ended(id);
    expect(ended.status).toBe('succeeded');
    const results = await client.results(id);
    expect(results[0]).toMatchObject({
      outcome: 'predicted',
      prediction: { class: 7 },
      reference: { correct: true },
    });
    expect(results[1]).toMatchObject({
      outcome: 'abstained',
      prediction: null,
      reference: { correct: false },
    });
  });

  it('warns where sigma is not the one that the model was trained with', async () => {
    const inputs = exampleInputs('mnist', 1);
    const { id } = await client.submit({ model: 'mnist-cnn', parameters: { sigma: 0.25, n: 1_000 }, inputs });
    await client.ended(id);
    expect((await client.results(id))[0]!.warnings).toEqual([
      'mnist-cnn was trained with sigma 0.5, not 0.25',
    ]);
  });
});

describe('a certificate', () => {
  it('names all that is needed to draw its votes again, without any of the pipeline', async () => {
    const [example] = exampleInputs('mnist', 19).slice(-1);
    const { id } = await client.submit({
      model: 'mnist-cnn',
      parameters: { sigma: 0.5, n0: 20, n: 150 },
      inputs: [...exampleInputs('mnist', 1), example],
    });
    await client.ended(id);
    const certificate = certifications(await client.results(id))[1]!.certificate!;
    expect(certificate.noise.seedSource).toBe('server');

    const pixels = await sharp(Buffer.from(example!.image, 'base64')).toColourspace('b-w').raw().toBuffer();
    const digest = createHash('sha256').update(pixels).digest();
    expect(certificate.input.digest).toBe(digest.toString('hex'));
    const file = await readFile(join(MODELS, certificate.model.name, certificate.model.files[0]!.path));
    expect(createHash('sha256').update(file).digest('hex')).toBe(certificate.model.files[0]!.sha256);

    const session = await ort.InferenceSession.create(file);
    const law = gaussianCutpoints(certificate.sigma);
    const seed = Buffer.from(certificate.noise.seed, 'hex');
    const stream = await deriveNoiseStream(seed, digest, certificate.input.index);
    const redraw = async (purpose: Purpose, samples: number): Promise<Record<string, number>> => {
      const votes: Record<string, number> = {};
      for (let sample = 0; sample < samples; sample += 1) {
        const image = Float32Array.from(
          pixels,
          (pixel, element) => (pixel + referenceNoise(law, stream, purpose, sample, element)) / 255,
        );
        const feeds = { [session.inputNames[0]!]: new ort.Tensor('float32', image, [1, 1, 28, 28]) };
        const scores = (await session.run(feeds))[session.outputNames[0]!]!.data as Float32Array;
        const winner = String(scores.indexOf(Math.max(...scores)));
        votes[winner] = (votes[winner] ?? 0) + 1;
      }
      return votes;
    };
    expect(await redraw('selection', certificate.n0)).toEqual(certificate.selectionVotes);
    expect(await redraw('estimation', certificate.n)).toEqual(certificate.estimationVotes);
    await session.release();
  });

  it('has another seed, and other votes, every time that no seed is given', async () => {
    const inputs = exampleInputs('mnist', 19).slice(-1);
    const request = { model: 'mnist-cnn', parameters: { sigma: 0.5, n: 5_000 }, inputs };
    const jobs = [await client.submit(request), await client.submit(request)];
    const seeds = new Set<string>();
    const votes = new Set<string>();
    for (const { id } of jobs) {
      await client.ended(id);
      const { noise, estimationVotes } = certifications(await client.results(id))[0]!.certificate!;
      seeds.add(noise.seed);
      votes.add(JSON.stringify(estimationVotes));
    }
    expect(seeds.size).toBe(2);
    // Image 18 divides the votes over several classes; equal counts by chance have a probability below 1e-3.
    expect(votes.size).toBe(2);
  });
});

describe('a reproduction', () => {
  const request = {
    model: 'mnist-cnn',
    parameters: { sigma: 0.5, n0: 50, n: 2_000 },
    // The last one divides the votes over several classes: equal counts by chance have a probability below 1e-3.
    inputs: exampleInputs('mnist', 19).slice(-3),
  };
  /** Every value under a key, however deep. */
  const valuesOf = (value: unknown, key: string): unknown[] =>
    typeof value !== 'object' || value === null
      ? []
      : Object.entries(value).flatMap(([name, part]) => [
          ...(name === key ? [part] : []),
          ...valuesOf(part, key),
        ]);

  it('of one input of a job, by seed and index, has the same votes as its certificate', async () => {
    const first = await client.submit(request);
    await client.ended(first.id);
    const originals = certifications(await client.results(first.id)).map((result) => result.certificate!);
    const [, , third] = request.inputs;
    const reproductionSeed = originals[2]!.noise.seed;
    const alone = { ...request, inputs: [third], reproductionSeed };
    const [at2, at0] = [await client.submit({ ...alone, reproductionIndex: 2 }), await client.submit(alone)];
    for (const { id } of [at2, at0]) await client.ended(id);

    const [again] = certifications(await client.results(at2.id));
    const { outcome, pALowerBound, pBUpperBound, certifiedRadius, noise, format, ...rest } = originals[2]!;
    expect(again!.reproduction).toEqual({
      ...rest,
      format: format.replace('certificate', 'reproduction'),
      noise: { ...noise, seedSource: 'client' },
      devices: again!.reproduction!.devices,
      implied: { verdict: outcome, pALowerBound, pBUpperBound, radius: certifiedRadius },
    });
    // Without the index it is the noise of another input: index 0.
    const [other] = certifications(await client.results(at0.id));
    expect(other!.reproduction).toMatchObject({ input: { digest: rest.input.digest, index: 0 } });
    expect(other!.reproduction!.estimationVotes).not.toEqual(rest.estimationVotes);
  });

  it('never looks like a certificate, is counted nowhere but as reproduced, and says why', async () => {
    const again = await client.submit({ ...request, reproductionSeed: '5eed'.repeat(16) });
    expect(again.reproduction).toEqual({ firstIndex: 0 });
    const ended = await client.ended(again.id);
    expect(ended).toMatchObject({
      status: 'succeeded',
      reproduction: { firstIndex: 0 },
      summary: { certified: 0, abstained: 0, reproduced: 3, failed: 0, correct: null },
      progress: { inputsDecided: 3 },
    });
    const listed: unknown = await (await fetch(`${client.url}/v1/certifications?limit=1`)).json();
    expect(listed).toMatchObject({ data: [{ id: again.id, reproduction: { firstIndex: 0 } }] });

    const results = certifications(await client.results(again.id));
    for (const result of results) {
      expect(result).toMatchObject({
        outcome: 'reproduced',
        prediction: null,
        certifiedRadius: null,
        pALowerBound: null,
        certificate: null,
        reference: { correct: null },
      });
      expect(result.warnings).toContain(
        'the seed is the client’s: these votes repeat those of an earlier result, prove nothing new, and count nowhere',
      );
    }
    // Not even a client that looks for these names at any depth finds a claim.
    expect(new Set(valuesOf(results, 'outcome'))).toEqual(new Set(['reproduced']));
    expect(valuesOf(results, 'certifiedRadius').filter((radius) => radius !== null)).toEqual([]);
    expect(valuesOf(results, 'correct').filter((correct) => correct !== null)).toEqual([]);
  });

  it('of a prediction claims no class and no p-value either', async () => {
    const asked = { ...request, parameters: { sigma: 0.5, n: 500 } };
    const first = await client.submit(asked, 'predictions');
    await client.ended(first.id);
    const originals = await client.results(first.id);
    const { provenance } = originals[1] as PredictionResult;
    const reproductionSeed = provenance!.noise.seed;
    const inputs = asked.inputs.slice(1);
    const again = await client.submit(
      { ...asked, inputs, reproductionSeed, reproductionIndex: 1 },
      'predictions',
    );
    expect((await client.ended(again.id)).summary).toEqual({
      predicted: 0,
      abstained: 0,
      reproduced: 2,
      failed: 0,
      correct: null,
    });
    for (const [index, result] of (await client.results(again.id)).entries()) {
      const { votes, pValue, outcome } = originals[index + 1] as PredictionResult;
      expect(result).toMatchObject({
        outcome: 'reproduced',
        prediction: null,
        pValue: null,
        provenance: null,
        votes,
        reproduction: { votes, implied: { verdict: outcome, pValue }, input: { index: index + 1 } },
      });
    }
  });
});
