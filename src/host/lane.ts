import { DomainError, type ErrorCode, failureOf } from '../errors.ts';
import type { ComputeTarget } from '../engines/compute-target.ts';
import type { Classifier } from '../engines/classifier.ts';
import { inputElements, type Manifest, normalisationOf } from '../models/manifest.ts';
import { type VerifiedModel, verifyModel } from '../models/verify.ts';
import { openClassifier } from '../engines/open-classifier.ts';
import { type KernelOutput, NoiseKernel } from '../random/noise-kernel.ts';
import { describeScheme, drawsLaw, lawCutpoints, type NoiseLaw } from '../random/noise-law.ts';
import { alignedBatches, packedBatches } from './batches.ts';
import { measureBatchSize } from './batch-size.ts';
import type { LaneFunctions, LaneOutcome, LaneTask, WorkInput } from './protocol.ts';

interface OpenedModel {
  readonly manifest: Manifest;
  readonly classifier: Classifier;
  kernel: NoiseKernel | null;
}

interface BegunWork {
  readonly modelDigest: string;
  readonly noise: NoiseLaw;
  readonly inputs: readonly WorkInput[];
}

/** i/255, or (i/255 - mean)/std per channel as one multiplication and one addition of the integer i. */
function kernelOutput(manifest: Manifest): KernelOutput {
  const normalisation = normalisationOf(manifest);
  if (normalisation === null) return { kind: 'unit' };
  return {
    kind: 'affine',
    scale: normalisation.std.map((std) => 1 / (255 * std)),
    offset: normalisation.mean.map((mean, channel) => -mean / normalisation.std[channel]!),
    channelStride: manifest.input.layout === 'NCHW' ? 'planar' : 'interleaved',
  };
}

/** The functions of one lane. Each lane has its own sessions, kernels and buffers; nothing is shared with another. */
export function createLane(
  target: ComputeTarget,
  clock: () => number = () => performance.now(),
): LaneFunctions {
  const models = new Map<string, OpenedModel>();
  const works = new Map<string, BegunWork>();
  // Tasks run one after another: the batch buffer is one, and inference yields between batches.
  let last: Promise<unknown> = Promise.resolve();

  const inOrder = <Result>(action: () => Promise<Result>): Promise<Result> => {
    const result = last.then(action);
    last = result.catch(() => undefined);
    return result;
  };

  const opened = (digest: string): OpenedModel => {
    const model = models.get(digest);
    if (model === undefined)
      throw new DomainError('model_unavailable', `model ${digest} is not open on this lane`);
    return model;
  };

  async function runTask({ workId, segments }: LaneTask): Promise<LaneOutcome> {
    const work = works.get(workId);
    if (work === undefined) return { kind: 'aborted' };
    const { manifest, classifier, kernel } = opened(work.modelDigest);
    if (kernel === null)
      throw new DomainError('internal_error', 'a task came before its kernel was prepared');
    // The process may be of another release than the worker that it draws for.
    if (!drawsLaw(work.noise)) {
      const detail = `this device host does not draw noise by ${describeScheme(work.noise)}`;
      throw new DomainError('noise_unavailable', detail);
    }
    kernel.setLaw(lawCutpoints(work.noise));
    const classes = new Int32Array(kernel.rows);
    const votes = new Map<number, Uint32Array>();
    const timings = { noise: 0, inference: 0, counting: 0 };
    let samples = 0;
    const batches = classifier.aligned ? alignedBatches : packedBatches;
    for (const batch of batches(segments, kernel.rows)) {
      if (!works.has(workId)) return { kind: 'aborted' };
      const started = clock();
      let rows = 0;
      for (const { input, purpose, firstSample, count } of batch) {
        const { bytes, stream } = work.inputs[input]!;
        kernel.fill({ row: rows, rows: count, image: bytes, stream, purpose, firstSample });
        rows += count;
      }
      const filled = clock();
      await classifier.classify(kernel.batch, rows, classes);
      const classified = clock();
      let first = 0;
      for (const { segment, count, from, to } of batch) {
        let counts = votes.get(segment);
        if (counts === undefined) votes.set(segment, (counts = new Uint32Array(manifest.output.classes)));
        for (let row = first + from; row < first + to; row += 1) counts[classes[row]!]! += 1;
        first += count;
        samples += to - from;
      }
      timings.noise += filled - started;
      timings.inference += classified - filled;
      timings.counting += clock() - classified;
    }
    return { kind: 'sampled', votes: [...votes], samples, timings };
  }

  return {
    async verify(model) {
      try {
        return { kind: 'verified', model: await verifyModel(model) } as const;
      } catch (error) {
        return failed(error, 'model_invalid');
      }
    },
    open: (model: VerifiedModel) =>
      inOrder(async () => {
        try {
          const classifier = models.get(model.digest)?.classifier ?? (await openClassifier(model, target));
          models.set(model.digest, { manifest: model.manifest, classifier, kernel: null });
          return { kind: 'opened', engine: classifier.description } as const;
        } catch (error) {
          return failed(error, 'model_invalid');
        }
      }),
    measure: (digest) =>
      inOrder(() => {
        const { classifier, manifest } = opened(digest);
        return measureBatchSize(classifier, inputElements(manifest), clock, target.kind);
      }),
    suits: (digest, batchSize) =>
      inOrder(async () => {
        const { fixedBatch, agrees } = opened(digest).classifier;
        // A size that the device has no room for shows when its batch is prepared.
        return fixedBatch === null ? agrees(batchSize).catch(() => false) : fixedBatch === batchSize;
      }),
    prepare: (digest, batchSize) =>
      inOrder(async () => {
        const model = opened(digest);
        const { manifest, classifier } = model;
        const output = kernelOutput(manifest);
        const rows = classifier.fixedBatch ?? batchSize;
        model.kernel = NoiseKernel.create({ elements: inputElements(manifest), rows, output });
        // A GPU takes memory for a batch, and builds or chooses its kernels, with the first one: now, not in a task.
        if (target.kind !== 'cpu')
          await classifier.classify(model.kernel.batch.fill(0.5), rows, new Int32Array(rows));
        return rows;
      }),
    forget: (digest) =>
      inOrder(async () => {
        await models.get(digest)?.classifier.close();
        models.delete(digest);
      }),
    begin({ id, ...work }) {
      works.set(id, work);
    },
    run: (task) => inOrder(() => runTask(task).catch((error: unknown) => failed(error, 'sampling_failed'))),
    end(workId) {
      works.delete(workId);
    },
  };
}

const failed = (error: unknown, otherwise: ErrorCode) =>
  ({ kind: 'failed', ...failureOf(error, otherwise) }) as const;
