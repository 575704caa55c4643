import { numberOf, type Size, size } from '../size.ts';
import { axisOf, fixed, moved, type Outcome, rows, type Tensor } from '../tensor.ts';
import { along, rowsAxis, squeeze, transpose, unsqueeze } from '../rules/axes.ts';
import { gather } from '../rules/picks.ts';
import { concat, pad, slice, split, splitEvenly, spread, tile } from '../rules/pieces.ts';
import { reshape } from '../rules/reshape.ts';
import { inputAt, numbersAt, sizesAt, type TensorflowCall, type TensorflowRule } from './call.ts';

const first = (call: TensorflowCall): Tensor => call.inputs[0]!;

/** Operators of TensorFlow that move, cut, join and pick. */
export const LAYOUT_RULES: Readonly<Record<string, TensorflowRule>> = {
  Transpose: { settings: [1], apply: (call) => withNumbers(call, 1, (order) => transpose(first(call), order)) },
  Reshape: {
    settings: [1],
    sizes: true,
    apply: (call) => {
      const to = sizesAt(call, 1);
      return to === null ? 'unknown' : reshape(first(call), to, { batch: call.batch, zeroCopies: false });
    },
  },
  Squeeze: {
    apply: (call) => {
      const axes = call.attribute('squeeze_dims')?.ints ?? call.attribute('axis')?.ints ?? [];
      return squeeze(first(call), axes.length === 0 ? null : axes);
    },
  },
  ExpandDims: { settings: [1], apply: (call) => withNumbers(call, 1, (axes) => unsqueeze(first(call), axes)) },
  ConcatV2: {
    settings: [-1],
    anywhere: true,
    apply: (call) => withNumbers(call, -1, ([axis]) => concat(call.inputs.slice(0, -1), axis!)),
  },
  Pack: {
    anywhere: true,
    apply: (call) => {
      const axis = call.attribute('axis')?.i ?? 0;
      const all = call.inputs.map((each) => unsqueeze(each, [axis]));
      return all.some((each) => typeof each === 'string') ? 'unknown' : concat(all as Tensor[], axis);
    },
  },
  Unpack: {
    apply: (call) => {
      const count = call.attribute('num')?.i ?? 0;
      const axis = call.attribute('axis')?.i ?? 0;
      const { dims } = first(call);
      const at = dims === null ? null : axisOf(axis, dims.length);
      const piece = at === null ? 'unknown' : rowsAxis(first(call)) === at ? 'mixes' : squeeze(moved(first(call), dims!.with(at, 1)), [at]); // prettier-ignore
      return Array.from({ length: count }, () => piece);
    },
  },
  Split: {
    settings: [0],
    apply: (call) => {
      const [axis] = numbersAt(call, 0) ?? [];
      const count = call.attribute('num_split')?.i ?? 1;
      const piece = axis === undefined ? 'unknown' : splitEvenly(call.inputs[1]!, axis, count);
      return Array.from({ length: count }, () => piece);
    },
  },
  SplitV: {
    settings: [1, 2],
    sizes: true,
    apply: (call) => {
      const [axis] = numbersAt(call, 2) ?? [];
      const sizes = sizesAt(call, 1);
      const count = call.attribute('num_split')?.i ?? 1;
      // -1 stands for what is left.
      if (axis === undefined || sizes === null || sizes.some((each) => numberOf(each) === -1)) return Array.from({ length: count }, () => 'unknown'); // prettier-ignore
      return split(first(call), axis, sizes, call.batch);
    },
  },
  StridedSlice: { settings: [1, 2, 3], sizes: true, apply: stridedSlice },
  Slice: {
    settings: [1, 2],
    sizes: true,
    apply: (call) => {
      const [begin, lengths] = [sizesAt(call, 1), sizesAt(call, 2)];
      if (begin === null || lengths === null) return 'unknown';
      let result: Outcome = first(call);
      for (const [axis, start] of begin.entries()) {
        if (typeof result === 'string') return result;
        const length = lengths[axis]!;
        const end = numberOf(length) === -1 ? size(2 ** 40) : size(start.plus + length.plus, start.rows + length.rows);
        result = slice(result, axis, [start, end, size(1)], call.batch);
      }
      return result;
    },
  },
  Pad: { settings: [1], apply: padding },
  PadV2: { settings: [1], apply: padding },
  MirrorPad: { settings: [1], apply: padding },
  Tile: { settings: [1], sizes: true, apply: (call) => withSizes(call, 1, (times) => tile(first(call), times)) },
  Fill: {
    settings: [0],
    sizes: true,
    apply: (call) =>
      withSizes(call, 0, (to) => spread(fixed(to.map(() => 1)), to, call.batch)),
  },
  BroadcastTo: { settings: [1], sizes: true, apply: (call) => withSizes(call, 1, (to) => spread(first(call), to, call.batch)) },
  GatherV2: {
    settings: [2],
    anywhere: true,
    apply: (call) => {
      if ((call.attribute('batch_dims')?.i ?? 0) !== 0) return 'unknown';
      return withNumbers(call, 2, ([axis]) => gather(first(call), call.inputs[1]!, axis!));
    },
  },
  Gather: { anywhere: true, apply: (call) => gather(first(call), call.inputs[1]!, 0) },
  ResourceGather: { anywhere: true, apply: (call) => gather(first(call), call.inputs[1]!, 0) },
  ReverseV2: { settings: [1], apply: (call) => withNumbers(call, 1, (axes) => along(first(call), axes)) },
  Roll: { settings: [2], apply: (call) => withNumbers(call, 2, (axes) => along(first(call), axes)) },
  OneHot: {
    settings: [1],
    apply: (call) => {
      const { dims } = first(call);
      if (dims === null || (call.attribute('axis')?.i ?? -1) !== -1) return 'unknown';
      return moved(first(call), [...dims, numbersAt(call, 1)?.[0] ?? null]);
    },
  },
  SpaceToBatchND: { settings: [1, 2], apply: (call) => folded(call, true) },
  BatchToSpaceND: { settings: [1, 2], apply: (call) => folded(call, false) },
  Where: { apply: (call) => (rowsAxis(first(call)) === null ? 'unknown' : 'mixes') },
};

function withNumbers(call: TensorflowCall, index: number, rule: (values: number[]) => Outcome): Outcome {
  const values = numbersAt(call, index);
  return values === null ? 'unknown' : rule(values);
}

function withSizes(call: TensorflowCall, index: number, rule: (values: readonly (Size | null)[]) => Outcome): Outcome {
  const values = sizesAt(call, index);
  if (values !== null) return rule(values);
  const count = inputAt(call, index)?.dims?.[0];
  return count == null ? 'unknown' : rule(Array.from({ length: count }, () => null));
}

function padding(call: TensorflowCall): Outcome {
  return withNumbers(call, 1, (pads) =>
    pad(
      first(call),
      pads.filter((_, index) => index % 2 === 0),
      pads.filter((_, index) => index % 2 === 1),
    ),
  );
}

/** NumPy's slices: x[begin:end:stride, ..., None, index]. */
function stridedSlice(call: TensorflowCall): Outcome {
  const { dims } = first(call);
  const [begin, end, strides] = [sizesAt(call, 1), sizesAt(call, 2), numbersAt(call, 3)];
  if (dims === null || begin === null || end === null || strides === null) return 'unknown';
  const bit = (name: string, index: number): boolean => (((call.attribute(name)?.i ?? 0) >> index) & 1) === 1;
  const named = begin.filter((_, index) => !bit('new_axis_mask', index) && !bit('ellipsis_mask', index)).length;
  let result: Outcome = first(call);
  let axis = 0;
  const dropped: number[] = [];
  const added: number[] = [];
  let place = 0;
  for (const [index, from] of begin.entries()) {
    if (bit('ellipsis_mask', index)) {
      axis += dims.length - named;
      place += dims.length - named;
      continue;
    }
    if (bit('new_axis_mask', index)) {
      added.push(place);
      place += 1;
      continue;
    }
    if (axis >= dims.length || typeof result === 'string') return typeof result === 'string' ? result : 'unknown';
    if (bit('shrink_axis_mask', index)) {
      if (rowsAxis(result) === axis) return 'mixes';
      result = moved(result, dimsOf(result).with(axis, 1));
      dropped.push(axis);
    } else {
      const forward = strides[index]! > 0;
      const start = bit('begin_mask', index) ? (forward ? size(0) : null) : from;
      const stop = bit('end_mask', index) ? (forward ? size(2 ** 40) : null) : end[index]!;
      const open = start === null || stop === null;
      if (open && rowsAxis(result) === axis) return 'mixes';
      result = open ? moved(result, dimsOf(result).with(axis, null)) : slice(result, axis, [start, stop, size(strides[index]!)], call.batch); // prettier-ignore
      place += 1;
    }
    axis += 1;
  }
  if (typeof result === 'string') return result;
  const shrunk = dropped.length === 0 ? result : squeeze(result, dropped);
  return typeof shrunk === 'string' || added.length === 0 ? shrunk : unsqueeze(shrunk, added);
}

const dimsOf = (tensor: Tensor): readonly (number | null)[] => tensor.dims ?? [];

/** A dilated convolution puts blocks of space before the batch, as so many copies of it, and takes them back. */
function folded(call: TensorflowCall, into: boolean): Outcome {
  const tensor = first(call);
  const block = numbersAt(call, 1);
  const { trace, dims } = tensor;
  if (block === null || dims === null) return 'unknown';
  if (trace.kind !== 'rows') return fixed(null);
  if (trace.axis !== 0) return 'unknown';
  const copies = block.reduce((all, each) => all * each, 1);
  const outer = into ? trace.outer * copies : trace.outer / copies;
  if (!Number.isInteger(outer)) return 'unknown';
  const edges = numbersAt(call, 2);
  const sizes = dims.map((each, axis) => {
    const at = axis - 1;
    if (at < 0 || at >= block.length) return each;
    if (each === null || edges === null) return null;
    const edge = edges[2 * at]! + edges[2 * at + 1]!;
    return into ? (each + edge) / block[at]! : each * block[at]! - edge;
  });
  return rows(sizes, 0, outer, trace.inner);
}

/** The same tensor, whatever else is given. */
export const unchanged: TensorflowRule = { apply: (call) => moved(first(call), first(call).dims) };
