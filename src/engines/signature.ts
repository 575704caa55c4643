import { DomainError } from '../errors.ts';
import { inputShape } from '../models/manifest.ts';
import type { VerifiedModel } from '../models/store.ts';

/** An input or output of a model as its file declares it. */
export interface DeclaredTensor {
  readonly name: string;
  /** The type of its elements; undefined where the file does not say. */
  readonly type: string | undefined;
  /** Null in place of a dimension is one of any size; in place of the shape, that it is not declared. */
  readonly shape: readonly (number | null)[] | null;
}

export interface Signature {
  readonly input: DeclaredTensor;
  readonly output: DeclaredTensor;
}

/**
 * Compares what a file declares with the manifest; returns the number of rows that the model takes, or null for any. It comes
 * before the network runs: native code ends the process where a rank is another one than it expects. An output may leave
 * its shape out, since what the network answers is checked.
 *
 * @throws DomainError `model_invalid` where it does not take one float32 tensor [batch, ...shape] and give one float32
 *   tensor [batch, classes]
 */
export function requireSignature(
  { path, manifest }: VerifiedModel,
  { input, output }: Signature,
): number | null {
  const refuse = (detail: string): never => {
    throw new DomainError('model_invalid', `${path}: ${detail}`);
  };
  const batchOf = (
    { name, type, shape }: DeclaredTensor,
    expected: readonly number[],
    mayHideShape: boolean,
  ): number | null => {
    if (type !== undefined && type !== 'float32') return refuse(`${name} is ${type}; float32 is expected`);
    const wanted = `the manifest says [batch, ${expected.join(', ')}]`;
    if (shape === null) return mayHideShape ? null : refuse(`${name} does not say its shape; ${wanted}`);
    const [batch = null, ...rest] = shape;
    const fits =
      shape.length === expected.length + 1 &&
      rest.every((dimension, index) => dimension === null || dimension === expected[index]);
    if (!fits) return refuse(`${name} has shape [${shape.map((each) => each ?? '?').join(', ')}]; ${wanted}`);
    return batch;
  };
  batchOf(output, [manifest.output.classes], true);
  return batchOf(input, inputShape(manifest), false);
}

/**
 * Checks the shape of what the network answered for `rows` rows.
 *
 * @throws RangeError
 */
export function requireScores(shape: readonly number[], rows: number, { manifest }: VerifiedModel): void {
  const { classes } = manifest.output;
  if (shape.length === 2 && shape[0] === rows && shape[1] === classes) return;
  throw new RangeError(
    `the model answered ${shape.join(' x ')} scores for ${rows} rows; the manifest says [batch, ${classes}]`,
  );
}
