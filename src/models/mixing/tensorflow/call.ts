import type { GraphAttribute } from '../../formats/tensorflow-graph.ts';
import { numberOf, type Size } from '../size.ts';
import type { Outcome, Tensor } from '../tensor.ts';

/** One use of an operator of TensorFlow, with what is known of its inputs. */
export interface TensorflowCall {
  readonly name: string;
  readonly inputs: readonly Tensor[];
  /** Rows of the batch where the file fixes them. */
  readonly batch: number | null;
  attribute(name: string): GraphAttribute | undefined;
}

/** What an operator does to rows; see `OnnxRule`. */
export interface TensorflowRule {
  /** Inputs that are read as values; counted from the end where negative. */
  readonly settings?: readonly number[];
  readonly sizes?: true;
  readonly anywhere?: true;
  readonly apply: (call: TensorflowCall) => Outcome | readonly Outcome[];
}

/** An input, counted from the end where negative. */
export const inputAt = ({ inputs }: TensorflowCall, index: number): Tensor | undefined => inputs.at(index);

export const sizesAt = (call: TensorflowCall, index: number): readonly Size[] | null =>
  inputAt(call, index)?.values ?? null;

/** Values of an input that are the same for every batch, or null. */
export function numbersAt(call: TensorflowCall, index: number): number[] | null {
  const found = sizesAt(call, index)?.map(numberOf);
  return found === undefined || found.includes(null) ? null : (found as number[]);
}

export const truth = (call: TensorflowCall, name: string): boolean => call.attribute(name)?.b === true;

export const channelsFirst = (call: TensorflowCall): boolean => call.attribute('data_format')?.s?.startsWith('NC') === true;
