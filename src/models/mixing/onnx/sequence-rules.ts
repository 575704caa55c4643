import { rows, type Outcome, type Tensor } from '../tensor.ts';
import { rowsAxis } from '../rules/axes.ts';
import { meets } from '../rules/broadcast.ts';
import { intOf, type OnnxCall, type OnnxRule, textOf } from './call.ts';

const allFixed = (tensors: readonly (Tensor | undefined)[]): boolean =>
  tensors.every((each) => each === undefined || each.trace.kind === 'fixed');

/** X [time, batch, features], or [batch, time, features] with layout 1; the state between, the batch in the same manner. */
const recurrent: OnnxRule = {
  anywhere: true,
  apply: (call) => {
    const [data, weights, recurrence, bias, lengths, ...states] = call.inputs;
    const batchFirst = intOf(call, 'layout') === 1;
    if (data?.dims?.length !== 3 || !allFixed([weights, recurrence, bias])) return 'unknown';
    const own = rowsAxis(data);
    const { trace } = data;
    if (own === null || trace.kind !== 'rows') return 'unknown';
    if (own !== (batchFirst ? 0 : 1)) return 'mixes';
    const along = (tensor: Tensor | undefined, axis: number): boolean =>
      tensor === undefined ||
      (tensor.trace.kind === 'rows' &&
        tensor.trace.axis === axis &&
        tensor.trace.outer === trace.outer &&
        tensor.trace.inner === trace.inner) ||
      (tensor.trace.kind === 'fixed' && call.batch !== null && meets(tensor, axis) === 'ok');
    // The peephole weights of an LSTM come behind its two states.
    const [hidden, cell, peephole] = states;
    if (!along(lengths, 0) || !along(hidden, batchFirst ? 0 : 1) || !along(cell, batchFirst ? 0 : 1)) return 'unknown';
    if (!allFixed([peephole])) return 'unknown';
    const size = intOf(call, 'hidden_size') ?? recurrence?.dims?.[2] ?? null;
    const directions = textOf(call, 'direction') === 'bidirectional' ? 2 : 1;
    const time = data.dims[batchFirst ? 1 : 0]!;
    const sequence = batchFirst ? rows([1, time, directions, size], 0, trace.outer, trace.inner) : rows([time, directions, 1, size], 2, trace.outer, trace.inner); // prettier-ignore
    const last = batchFirst ? rows([1, directions, size], 0, trace.outer, trace.inner) : rows([directions, 1, size], 1, trace.outer, trace.inner); // prettier-ignore
    return [sequence, last, last].slice(0, Math.max(1, call.outputs));
  },
};

/** Attention of [batch, places, features], within each row: `count` inputs are such, `weights` are fixed behind them. */
function attention(call: OnnxCall, count: number, weights: number): Outcome {
  const data = call.inputs.slice(0, count);
  const [query] = data;
  const plain = (tensor: Tensor | undefined): boolean =>
    tensor?.dims?.length === 3 && tensor.trace.kind === 'rows' && tensor.trace.axis === 0;
  if (!data.every(plain) || query?.trace.kind !== 'rows' || !allFixed(call.inputs.slice(count))) return 'unknown';
  const { outer, inner } = query.trace;
  const alike = data.every((each) => each!.trace.kind === 'rows' && each!.trace.outer === outer && each!.trace.inner === inner); // prettier-ignore
  // Masks and what was kept of earlier calls have a batch axis of their own.
  const more = call.inputs.slice(count + weights).some((each) => each !== undefined);
  if (!alike || more) return 'unknown';
  return rows([1, query.dims![1]!, null], 0, outer, inner);
}

/** Operators of ONNX over sequences of places within a row. */
export const SEQUENCE_RULES: Readonly<Record<string, OnnxRule>> = {
  RNN: recurrent,
  GRU: recurrent,
  LSTM: recurrent,
  'com.microsoft.MultiHeadAttention': { anywhere: true, apply: (call) => attention(call, 3, 1) },
  'com.microsoft.Attention': { anywhere: true, apply: (call) => attention(call, 1, 2) },
};
