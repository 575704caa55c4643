import type { OnnxAttribute, OnnxTensor } from '../../formats/onnx-file.ts';
import { equalAlong, isWhole, valuesOf } from '../../formats/onnx-values.ts';
import { numberOf, type Size, size } from '../size.ts';
import { fixed, type Outcome, type Tensor } from '../tensor.ts';

/** One use of an operator, with what is known of its inputs. */
export interface OnnxCall {
  /** The operator's name, without its domain. */
  readonly name: string;
  readonly inputs: readonly (Tensor | undefined)[];
  /** How many outputs the node names. */
  readonly outputs: number;
  readonly opset: number;
  /** Rows of the batch where the file fixes them. */
  readonly batch: number | null;
  attribute(name: string): OnnxAttribute | undefined;
}

/** What an operator does to rows. It is asked where no data is lost. */
export interface OnnxRule {
  /** Inputs that are read as values (axes, sizes, bounds of a cut); all others are data. */
  readonly settings?: readonly number[];
  /** Whether settings may grow with the batch; without it they are the same for every batch. */
  readonly sizes?: true;
  /** Whether rows may stand in any of the data; without it in the first input alone, and the rest is fixed. */
  readonly anywhere?: true;
  readonly apply: (call: OnnxCall) => Outcome | readonly Outcome[];
}

export const intOf = (call: OnnxCall, name: string): number | undefined => {
  const found = call.attribute(name);
  // A zero may be left out of the file.
  return found === undefined ? undefined : (found.i ?? 0);
};

export const intsOf = (call: OnnxCall, name: string): readonly number[] | undefined => {
  const found = call.attribute(name);
  return found === undefined ? undefined : (found.ints ?? []);
};

export const textOf = (call: OnnxCall, name: string): string | undefined => {
  const found = call.attribute(name)?.s;
  return found === undefined ? undefined : Buffer.from(found).toString('utf8');
};

/** An input that is there, or undefined; the name "" stands for one that is left out. */
export const valuesAt = (call: OnnxCall, index: number): readonly Size[] | null | undefined => {
  const tensor = call.inputs[index];
  return tensor === undefined ? undefined : tensor.values;
};

/** Numbers given as an attribute in old versions and as an input in new ones; null where they are not known. */
export function numbers(call: OnnxCall, attribute: string, input: number): readonly number[] | null | undefined {
  const stated = intsOf(call, attribute);
  if (stated !== undefined) return stated;
  const values = valuesAt(call, input);
  if (values === undefined || values === null) return values;
  const found = values.map(numberOf);
  return found.includes(null) ? null : (found as number[]);
}

/** A constant of the file; `batch` are the rows that the file fixes, or null. */
export function weight(tensor: OnnxTensor, batch: number | null): Tensor {
  const dims = (tensor.dims ?? []).map(Number);
  const values = valuesOf(tensor);
  return {
    ...fixed(dims),
    values: values === null ? null : values.map((each) => size(each)),
    whole: isWhole(tensor),
    // With any number of rows an axis of several places fits one number of them alone.
    ...(batch === null ? {} : { equalAlong: (axis: number) => equalAlong(tensor, axis) }),
  };
}

/** The data of a call: inputs that are given and that are no settings. */
export const given = (call: OnnxCall): Tensor[] => call.inputs.filter((each) => each !== undefined);
