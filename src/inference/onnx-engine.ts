import ort from 'onnxruntime-node';
import { DomainError } from '../errors.ts';
import type { ComputeTarget } from './compute-target.ts';
import { argmaxRows, type EngineSession } from './engine.ts';
import { inputElements, inputShape, type Manifest } from './manifest.ts';
import type { VerifiedModel } from './model-store.ts';

type Metadata = ort.InferenceSession.ValueMetadata;

function refuse(model: VerifiedModel, detail: string): never {
  throw new DomainError('model_invalid', `${model.path}: ${detail}`);
}

/** Checks one side of the model against the manifest; returns the batch dimension if it is fixed. */
function checkTensor(
  model: VerifiedModel,
  metadata: Metadata | undefined,
  expected: readonly number[],
): number | null {
  if (metadata === undefined || !metadata.isTensor)
    return refuse(model, 'it must take one tensor and give one tensor');
  const { name, type, shape } = metadata;
  if (type !== 'float32') return refuse(model, `${name} is ${type}; float32 is expected`);
  const [batch, ...rest] = shape;
  const fits =
    rest.length === expected.length &&
    rest.every((dimension, index) => typeof dimension === 'string' || dimension === expected[index]);
  if (!fits) {
    return refuse(
      model,
      `${name} has shape [${shape.join(', ')}]; the manifest says [batch, ${expected.join(', ')}]`,
    );
  }
  return typeof batch === 'number' ? batch : null;
}

/**
 * Opens a model in ONNX Runtime on the CPU, on one thread: a lane is the unit of parallelism.
 *
 * @throws DomainError `model_invalid` where the runtime refuses the file or its inputs and outputs are not those of the
 *   manifest: one float32 tensor [batch, ...shape] in, one float32 tensor [batch, classes] out
 */
export async function openOnnxSession(model: VerifiedModel, target: ComputeTarget): Promise<EngineSession> {
  const { manifest } = model;
  if (target.kind !== 'cpu') return refuse(model, `ONNX Runtime cannot compute on ${target.kind} here`);
  const session = await ort.InferenceSession.create(model.path, {
    executionProviders: ['cpu'],
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    // Warnings and above would be written to stderr by native code, past the logger.
    logSeverityLevel: 3,
  }).catch((cause: unknown) => {
    throw new DomainError('model_invalid', `${model.path} is refused by ONNX Runtime: ${String(cause)}`, [], {
      cause,
    });
  });
  if (session.inputNames.length !== 1 || session.outputNames.length < 1) {
    return refuse(model, `it takes ${session.inputNames.length} inputs; exactly one is expected`);
  }
  const fixedBatch = checkTensor(model, session.inputMetadata[0], inputShape(manifest));
  checkTensor(model, session.outputMetadata[0], [manifest.output.classes]);
  return wrap(session, manifest, fixedBatch);
}

function wrap(session: ort.InferenceSession, manifest: Manifest, fixedBatch: number | null): EngineSession {
  const elements = inputElements(manifest);
  const shape = inputShape(manifest);
  const { classes: width } = manifest.output;
  const [inputName, outputName] = [session.inputNames[0]!, session.outputNames[0]!];
  return {
    description: {
      name: 'onnxruntime-node',
      version: ort.env.versions.node ?? 'unknown',
      provider: 'cpu',
      precision: 'fp32',
    },
    fixedBatch,
    async classify(batch, rows, classes) {
      // A model exported for one batch size computes all its rows; those past `rows` are ignored.
      const computed = fixedBatch ?? rows;
      if (rows < 1 || rows > computed || batch.length < computed * elements || classes.length < rows) {
        throw new RangeError(
          `${rows} rows do not fit a batch of ${batch.length} values and ${computed} rows`,
        );
      }
      const tensor = new ort.Tensor('float32', batch.subarray(0, computed * elements), [computed, ...shape]);
      const outputs = await session.run({ [inputName]: tensor }, [outputName]);
      const scores = outputs[outputName]!;
      if (!(scores.data instanceof Float32Array) || scores.data.length !== computed * width) {
        throw new RangeError(`the model answered ${scores.dims.join(' x ')} scores for ${computed} rows`);
      }
      argmaxRows(scores.data, width, rows, classes);
      scores.dispose();
    },
    close: () => session.release(),
  };
}
