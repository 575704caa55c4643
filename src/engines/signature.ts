import { DomainError } from '../errors.ts';
import { type DeclaredTensor, shapeText, tensorText, wrongType } from '../models/declared-tensor.ts';
import { networkShape, outputWidth } from '../models/manifest.ts';
import type { VerifiedModel } from '../models/verify.ts';

/** What a file declares, and which of it the manifest means. */
export interface Signature {
  readonly input: DeclaredTensor;
  readonly output: DeclaredTensor;
  /** The number of rows that the model takes, and no other; null for any. */
  readonly fixedBatch: number | null;
}

type Refuse = (detail: string) => never;

const ONE_VALUE =
  '; of one value a row the manifest\'s output.kind says how it decides between two classes: "sigmoid" or "logit"';

const listed = (tensors: readonly DeclaredTensor[]): string => tensors.map(tensorText).join(', ');

/**
 * Compares what a file declares with the manifest, and finds the input and output that the manifest means. It comes before
 * the network runs: native code ends the process where a rank is another one than it expects. An output may leave its shape
 * out, since what the network answers is checked. Nothing is chosen where there are several.
 *
 * @throws DomainError `model_invalid` where it does not take one float32 tensor [batch, ...shape], or the output is none of
 *   one float32 value a class and row, or one row a call is all that it takes and the manifest does not say so
 */
export function requireSignature(
  { path, manifest }: VerifiedModel,
  inputs: readonly DeclaredTensor[],
  outputs: readonly DeclaredTensor[],
): Signature {
  const refuse: Refuse = (detail) => {
    throw new DomainError('model_invalid', `${path}: ${detail}`);
  };
  const input = onlyInput(inputs, manifest.input.name, refuse);
  const output = namedOutput(outputs, manifest.output.name, refuse);
  for (const wrong of [wrongType(input, 'input'), wrongType(output, 'output')])
    if (wrong !== null) refuse(wrong);
  const width = outputWidth(manifest);
  if (output.shape !== null && !mayHold(output.shape, width)) {
    const cure = mayHold(output.shape, 1) ? ONE_VALUE : '';
    refuse(`${output.name} has shape ${shapeText(output.shape)}; the manifest says [batch, ${width}]${cure}`);
  }
  const fixedBatch = batchOf(input, networkShape(manifest), refuse);
  if (fixedBatch === 1 && manifest.batch === undefined) {
    refuse(
      `${input.name} takes one row a call, which leaves most of the processor idle: export it with a batch of any size ` +
        `(torch.onnx.export with dynamic_axes={"${input.name}": {0: "batch"}}; Keras: an Input without batch_size), or say ` +
        '"batch": 1 in the manifest',
    );
  }
  return { input, output, fixedBatch };
}

function onlyInput(
  inputs: readonly DeclaredTensor[],
  name: string | undefined,
  refuse: Refuse,
): DeclaredTensor {
  const [input] = inputs;
  if (input === undefined) return refuse('it takes no input');
  const named = name === undefined ? input : inputs.find((each) => each.name === name);
  if (named === undefined)
    return refuse(`it has no input ${name}, which the manifest's input.name says; it has ${listed(inputs)}`);
  if (inputs.length > 1) {
    return refuse(
      `it takes ${inputs.length} inputs, ${listed(inputs)}; one is given: make the others constants of the file`,
    );
  }
  return named;
}

function namedOutput(
  outputs: readonly DeclaredTensor[],
  name: string | undefined,
  refuse: Refuse,
): DeclaredTensor {
  const [output] = outputs;
  if (output === undefined) return refuse('it gives no output');
  if (name === undefined) {
    if (outputs.length === 1) return output;
    return refuse(
      `it has ${outputs.length} outputs, ${listed(outputs)}; the manifest's output.name says which is certified`,
    );
  }
  const named = outputs.find((each) => each.name === name);
  return (
    named ??
    refuse(`it has no output ${name}, which the manifest's output.name says; it has ${listed(outputs)}`)
  );
}

/** Whether a tensor of this shape may hold `width` values a row: all of them along one axis, or one value. */
function mayHold([, ...rest]: readonly (number | null)[], width: number): boolean {
  const known = rest.filter((each) => each !== 1 && each !== null);
  const open = rest.includes(null);
  if (known.length > 0) return known.length === 1 && known[0] === width && width > 1;
  return open || width === 1;
}

function batchOf(
  { name, shape }: DeclaredTensor,
  expected: readonly number[],
  refuse: Refuse,
): number | null {
  const wanted = `the manifest says [batch, ${expected.join(', ')}]`;
  if (shape === null) return refuse(`${name} does not say its shape; ${wanted}`);
  const [batch = null, ...rest] = shape;
  const fits =
    shape.length === expected.length + 1 &&
    rest.every((dimension, index) => dimension === null || dimension === expected[index]);
  if (fits) return batch;
  const [values, all] = [rest[0], expected.reduce((product, each) => product * each, 1)];
  const flat = rest.length === 1 && expected.length > 1 && (values === null || values === all);
  const sorted = (sizes: readonly (number | null)[]): string => sizes.map(String).toSorted().join();
  const turned = rest.length === 3 && sorted(rest) === sorted(expected);
  const cure = flat
    ? '; "flat": true in the manifest\'s input'
    : turned
      ? "; is the manifest's input.layout the other one?"
      : '';
  return refuse(`${name} has shape ${shapeText(shape)}; ${wanted}${cure}`);
}

/**
 * Checks the shape of what the network answered for `rows` rows: axes of one place beside that of the scores are allowed.
 *
 * @throws RangeError
 */
export function requireScores(shape: readonly number[], rows: number, { manifest }: VerifiedModel): void {
  const width = outputWidth(manifest);
  const longer = shape.slice(1).filter((each) => each !== 1);
  if (shape[0] === rows && longer.join() === (width === 1 ? '' : String(width))) return;
  const cure = shape[0] === rows && longer.length === 0 ? ONE_VALUE : '';
  throw new RangeError(
    `the model answered ${shape.join(' x ')} scores for ${rows} rows; the manifest says [batch, ${width}]${cure}`,
  );
}
