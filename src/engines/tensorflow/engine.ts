import { DomainError } from '../../errors.ts';
import type { ComputeTarget } from '../compute-target.ts';
import { argmaxRows, type EngineSession } from '../engine.ts';
import { requireEqualRounding } from '../equal-rounding.ts';
import { inputElements, inputShape } from '../../models/manifest.ts';
import type { VerifiedModel } from '../../models/store.ts';
import { type LoadedTensorflow, type LibraryModel, loadTensorflow, type TensorSpec } from './library.ts';
import { loadTensorflowModel } from './model.ts';

/** One row alone would be computed by other kernels, which round otherwise, than the same row among others. */
const LEAST_ROWS = 2;

/**
 * Opens a LayersModel, GraphModel or SavedModel in TensorFlow, on exactly the target.
 *
 * @throws DomainError `engine_missing` where TensorFlow is not installed; `engine_unavailable` where it cannot compute on the
 *   target here; `model_invalid` where it refuses the files, or its inputs and outputs are not those of the manifest: one float32 tensor [batch, ...shape] in,
 *   one float32 tensor [batch, classes] out
 */
export async function openTensorflowSession(
  model: VerifiedModel,
  target: ComputeTarget,
): Promise<EngineSession> {
  return openIn(await loadTensorflow(target), model);
}

/** Opens a model in a library that is loaded already; see `openTensorflowSession`. */
export async function openIn(library: LoadedTensorflow, model: VerifiedModel): Promise<EngineSession> {
  const { tf, description } = library;
  const loaded = await loadTensorflowModel(tf, model).catch((error: unknown) =>
    refused(library, model, error),
  );
  try {
    const session = new TensorflowSession(library, model, loaded);
    // What is missing in a SavedModel shows only when it runs.
    session.warmUp();
    if (description.provider !== 'cuda') {
      const rows = session.fixedBatch ?? 7;
      requireEqualRounding(
        (batch, count) => session.scores(batch, count),
        rows,
        inputElements(model.manifest),
        session.fixedBatch !== null,
        model.path,
      );
    }
    return session;
  } catch (error) {
    loaded.dispose();
    return refused(library, model, error);
  }
}

class TensorflowSession implements EngineSession {
  readonly description;
  readonly fixedBatch: number | null;
  readonly #tf;
  readonly #model: LibraryModel;
  readonly #shape: readonly number[];
  readonly #elements: number;
  readonly #width: number;

  constructor({ tf, description }: LoadedTensorflow, { manifest }: VerifiedModel, model: LibraryModel) {
    this.#tf = tf;
    this.#model = model;
    this.description = description;
    this.#shape = inputShape(manifest);
    this.#elements = inputElements(manifest);
    this.#width = manifest.output.classes;
    const [input, output] = [model.inputs, model.outputs].map(only);
    // Native code ends the process where the rank is another one than it expects, so nothing runs before this.
    this.fixedBatch = checkSpec(input!, this.#shape, false);
    checkSpec(output!, [this.#width], true);
  }

  async classify(batch: Float32Array, rows: number, classes: Int32Array): Promise<void> {
    // A model made for one batch size computes all its rows; those past `rows` are ignored.
    const computed = this.fixedBatch ?? rows;
    if (rows < 1 || rows > computed || batch.length < computed * this.#elements || classes.length < rows) {
      throw new RangeError(`${rows} rows do not fit a batch of ${batch.length} values and ${computed} rows`);
    }
    argmaxRows(this.scores(batch, computed), this.#width, rows, classes);
  }

  /** Scores of the first `rows` rows, and perhaps of rows that were added to them. */
  scores(batch: Float32Array, rows: number): Float32Array {
    const computed = this.fixedBatch ?? Math.max(rows, LEAST_ROWS);
    let values = batch.subarray(0, rows * this.#elements);
    if (computed > rows) {
      values = new Float32Array(computed * this.#elements);
      values.set(batch.subarray(0, rows * this.#elements));
    }
    // Whatever is made within is given back, errors included.
    return this.#tf.tidy(() => {
      const input = this.#tf.tensor(values, [computed, ...this.#shape], 'float32');
      // Without a batch size a LayersModel takes 32 rows at a time.
      const output = this.#model.predict(input, { batchSize: computed });
      if (Array.isArray(output) || !('dataSync' in output) || output.dtype !== 'float32') {
        throw new RangeError('the model did not answer with one float32 tensor');
      }
      const [first, ...rest] = output.shape;
      if (first !== computed || rest.length !== 1 || rest[0] !== this.#width) {
        throw new RangeError(
          `the model answered ${output.shape.join(' x ')} scores for ${computed} rows; the manifest says [batch, ${this.#width}]`,
        );
      }
      return output.dataSync() as Float32Array;
    });
  }

  warmUp(): void {
    const rows = this.fixedBatch ?? LEAST_ROWS;
    this.scores(new Float32Array(rows * this.#elements).fill(0.5), rows);
  }

  close(): Promise<void> {
    this.#model.dispose();
    return Promise.resolve();
  }
}

function only(specs: readonly TensorSpec[]): TensorSpec {
  if (specs.length !== 1)
    throw new Error(`it has ${specs.length} inputs or outputs; exactly one of each is expected`);
  return specs[0]!;
}

/** Checks one side of the model against the manifest; returns the batch dimension if it is fixed. */
function checkSpec(
  { name, dtype, shape }: TensorSpec,
  expected: readonly number[],
  undeclared: boolean,
): number | null {
  if (dtype !== undefined && dtype !== 'float32') throw new Error(`${name} is ${dtype}; float32 is expected`);
  if (shape == null) {
    if (undeclared) return null;
    throw new Error(`${name} does not say its shape; the manifest says [batch, ${expected.join(', ')}]`);
  }
  const [batch, ...rest] = shape;
  const free = (dimension: number | null | undefined): boolean => dimension == null || dimension < 0;
  if (
    shape.length !== expected.length + 1 ||
    !rest.every((dimension, index) => free(dimension) || dimension === expected[index])
  ) {
    const found = shape.map((dimension) => (free(dimension) ? '?' : dimension)).join(', ');
    throw new Error(`${name} has shape [${found}]; the manifest says [batch, ${expected.join(', ')}]`);
  }
  return free(batch) ? null : batch!;
}

function refused({ description }: LoadedTensorflow, { path }: VerifiedModel, error: unknown): never {
  if (error instanceof DomainError) throw error;
  const message = error instanceof Error ? error.message : String(error);
  const operator = /Op type not registered '(\w+)'/.exec(message)?.[1];
  const [, version] = description.version.split('+tensorflow.');
  const remedy =
    operator === undefined
      ? ''
      : ` (${operator} came after TensorFlow ${version}: freeze the model's variables with the version that wrote it, or` +
        ' build a newer one, e.g. TF=2.20.0 npm run tensorflow)';
  throw new DomainError('model_invalid', `${path}: ${message}${remedy}`, [], { cause: error });
}
