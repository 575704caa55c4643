import { fold } from '../onnx/fold.ts';
import { numberOf, type Size, size } from '../size.ts';
import { known, type Tensor } from '../tensor.ts';
import type { TensorflowCall } from './call.ts';

/** What operators are called in ONNX that compute the same of shapes. */
const SAME: Readonly<Record<string, string>> = {
  Shape: 'Shape', Size: 'Size', Identity: 'Identity', Add: 'Add', AddV2: 'Add', Sub: 'Sub', Mul: 'Mul', FloorDiv: 'Div',
  RealDiv: 'Div', Div: 'Div', Maximum: 'Max', Minimum: 'Min', Neg: 'Neg', Equal: 'Equal', Range: 'Range', Less: 'Less', Greater: 'Greater',
  SelectV2: 'Where',
}; // prettier-ignore
const FLOATING = new Set([1, 2, 14, 19]);

/** As `fold` of ONNX, for what graphs of TensorFlow compute of shapes. */
export function foldTensorflow(call: TensorflowCall): Tensor | null {
  const { name, inputs, batch } = call;
  if (name === 'Rank') {
    const rank = inputs[0]?.dims?.length;
    return rank === undefined ? null : known([size(rank)], [], true);
  }
  const same = SAME[name];
  // The quotient of a negative number is rounded down here, and towards zero there.
  const negative = name === 'FloorDiv' && inputs.some(({ values }) => (values ?? []).some(({ plus, rows }) => plus < 0 || rows < 0));
  if (same !== undefined && !negative) {
    return fold({ name: same, inputs, outputs: 1, opset: 17, batch, attribute: () => undefined });
  }
  if (inputs.length === 0 || inputs.some(({ values }) => values === null)) return null;
  const lists = inputs.map(({ values }) => values!);
  const whole = inputs.every((each) => each.whole);
  switch (name) {
    case 'Cast': {
      const to = call.attribute('DstT')?.type;
      const kept = to !== undefined && to !== 10 && (FLOATING.has(to) || inputs[0]!.whole);
      return kept ? known(lists[0]!, inputs[0]!.dims!, !FLOATING.has(to)) : null;
    }
    case 'Pack':
      return inputs.every(({ dims }) => dims?.length === 0) ? known(lists.flat(), [lists.length], whole) : null;
    case 'ConcatV2': {
      if (inputs.slice(0, -1).some(({ dims }) => dims?.length !== 1)) return null;
      const all = lists.slice(0, -1).flat();
      return known(all, [all.length], whole);
    }
    case 'ExpandDims':
      return inputs[0]!.dims!.length === 0 ? known(lists[0]!, [1], whole) : null;
    case 'Squeeze':
      return inputs[0]!.dims!.join() === '1' ? known(lists[0]!, [], whole) : null;
    case 'Prod':
      return product(inputs[0]!, call.attribute('keep_dims')?.b === true);
    case 'StridedSlice':
      return cut(call, lists);
    case 'GatherV2': {
      const picked = lists[1]!.map((each) => lists[0]![numberOf(each) ?? -1]);
      if (inputs[0]!.dims!.length !== 1 || picked.includes(undefined)) return null;
      return known(picked as Size[], inputs[1]!.dims!, inputs[0]!.whole);
    }
    default:
      return null;
  }
}

function product(tensor: Tensor, keep: boolean): Tensor | null {
  if (tensor.dims!.length !== 1) return null;
  return fold({
    name: 'ReduceProd', inputs: [tensor], outputs: 1, opset: 17, batch: null,
    attribute: (name) => (name === 'keepdims' ? { i: keep ? 1 : 0 } : undefined),
  }); // prettier-ignore
}

/** One place, or a run, of a list. */
function cut(call: TensorflowCall, [values, begin, end, strides]: readonly (readonly Size[])[]): Tensor | null {
  const mask = (name: string): number => call.attribute(name)?.i ?? 0;
  if (call.inputs[0]!.dims!.length !== 1 || begin!.length !== 1 || numberOf(strides![0]) !== 1) return null;
  if (mask('ellipsis_mask') !== 0 || mask('new_axis_mask') !== 0) return null;
  const count = values!.length;
  const place = (each: number | null): number | null => (each === null ? null : each < 0 ? each + count : each);
  const from = mask('begin_mask') === 1 ? 0 : place(numberOf(begin![0]));
  const to = mask('end_mask') === 1 ? count : place(numberOf(end![0]));
  if (from === null || to === null) return null;
  const { whole } = call.inputs[0]!;
  if (mask('shrink_axis_mask') === 1) return values![from] === undefined ? null : known([values![from]], [], whole);
  const part = values!.slice(from, to);
  return known(part, [part.length], whole);
}
