import { numberOf, type Size, size } from '../size.ts';
import { elements, fixed, moved, type Outcome, rows, type Tensor } from '../tensor.ts';
import { rowsAxis, squeeze, transpose, unsqueeze } from '../rules/axes.ts';
import { broadcast } from '../rules/broadcast.ts';
import { elementwisePick, gather } from '../rules/picks.ts';
import { concat, pad, slice, split, splitEvenly, spread, tile } from '../rules/pieces.ts';
import { reshape } from '../rules/reshape.ts';
import { given, intOf, intsOf, numbers, type OnnxCall, type OnnxRule, valuesAt } from './call.ts';

const first = (call: OnnxCall): Tensor => call.inputs[0]!;

/** Operators of ONNX that move, cut, join and pick. */
export const LAYOUT_RULES: Readonly<Record<string, OnnxRule>> = {
  Transpose: { apply: (call) => transpose(first(call), intsOf(call, 'perm') ?? null) },
  Reshape: {
    settings: [1],
    sizes: true,
    apply: (call) => {
      const target = valuesAt(call, 1) ?? intsOf(call, 'shape')?.map((each) => size(each));
      if (target === undefined) return 'unknown';
      return reshape(first(call), target, { batch: call.batch, zeroCopies: intOf(call, 'allowzero') !== 1 });
    },
  },
  Flatten: { apply: flatten },
  Squeeze: {
    settings: [1],
    apply: (call) => {
      const axes = numbers(call, 'axes', 1);
      return axes === null ? 'unknown' : squeeze(first(call), axes ?? null);
    },
  },
  Unsqueeze: {
    settings: [1],
    apply: (call) => {
      const axes = numbers(call, 'axes', 1);
      return axes == null ? 'unknown' : unsqueeze(first(call), axes);
    },
  },
  Expand: {
    settings: [1],
    sizes: true,
    apply: (call) => withValues(call, 1, (to) => spread(first(call), to, call.batch)),
  },
  Tile: { settings: [1], sizes: true, apply: (call) => withValues(call, 1, (times) => tile(first(call), times)) },
  // Numbers that count the rows say at which place each stands.
  Range: { settings: [0, 1, 2], sizes: true, apply: () => 'unknown' },
  ConstantOfShape: {
    settings: [0],
    sizes: true,
    apply: (call) =>
      withValues(call, 0, (to) => spread(fixed(Array.from({ length: to.length }, () => 1)), to, call.batch)),
  },
  Concat: {
    anywhere: true,
    apply: (call) => {
      const axis = intOf(call, 'axis');
      return axis === undefined ? 'unknown' : concat(given(call), axis);
    },
  },
  Split: { settings: [1], sizes: true, apply: splitRule },
  Slice: { settings: [1, 2, 3, 4], sizes: true, apply: sliceRule },
  Pad: { settings: [1, 3], apply: padRule },
  Gather: { anywhere: true, apply: (call) => gather(first(call), call.inputs[1]!, intOf(call, 'axis') ?? 0) },
  GatherElements: { anywhere: true, apply: (call) => elementwisePick(given(call), intOf(call, 'axis') ?? 0) },
  ScatterElements: { anywhere: true, apply: scatter },
  Scatter: { anywhere: true, apply: scatter },
  DepthToSpace: { apply: (call) => blocks(call, false) },
  SpaceToDepth: { apply: (call) => blocks(call, true) },
  Trilu: {
    settings: [1],
    apply: (call) => {
      const { dims } = first(call);
      const own = rowsAxis(first(call));
      return dims === null || (own !== null && own >= dims.length - 2) ? 'unknown' : moved(first(call), dims);
    },
  },
  OneHot: {
    settings: [1],
    apply: (call) => {
      const depth = valuesAt(call, 1)?.map(numberOf)[0] ?? null;
      const [indices] = call.inputs;
      if (indices?.dims == null) return 'unknown';
      const axis = intOf(call, 'axis') ?? -1;
      const at = axis < 0 ? axis + indices.dims.length + 1 : axis;
      const own = rowsAxis(indices);
      return moved(indices, indices.dims.toSpliced(at, 0, depth), own === null ? undefined : own + (at <= own ? 1 : 0));
    },
  },
  ReverseSequence: {
    anywhere: true,
    apply: (call) => {
      const [data, lengths] = call.inputs;
      if (data?.dims == null || lengths === undefined) return 'unknown';
      const own = rowsAxis(data);
      if (own === (intOf(call, 'time_axis') ?? 0)) return 'mixes';
      const plain = lengths.trace.kind === 'rows' && lengths.trace.outer === 1 && lengths.trace.inner === 1;
      if (own === (intOf(call, 'batch_axis') ?? 1)) return plain ? moved(data, data.dims) : 'unknown';
      return lengths.trace.kind === 'fixed' ? moved(data, data.dims) : 'unknown';
    },
  },
  // What these give has as many places as the values say: of all rows together.
  NonZero: { apply: counting },
  Unique: { apply: (call) => Array.from({ length: call.outputs }, () => counting(call)) },
  Compress: { apply: counting },
  SplitToSequence: {
    settings: [1],
    apply: (call) => (rowsAxis(first(call)) === (intOf(call, 'axis') ?? 0) ? 'mixes' : 'unknown'),
  },
};

function withValues(
  call: OnnxCall,
  index: number,
  rule: (values: readonly (Size | null)[]) => Outcome,
): Outcome {
  const values = valuesAt(call, index);
  if (values != null) return rule(values);
  // Values that are not known are still the same for every batch, and so is how many there are.
  const count = call.inputs[index]?.dims?.[0];
  return count == null ? 'unknown' : rule(Array.from({ length: count }, () => null));
}

function flatten(call: OnnxCall): Outcome {
  const tensor = first(call);
  if (tensor.dims === null) return 'unknown';
  const axis = intOf(call, 'axis') ?? 1;
  const at = axis < 0 ? axis + tensor.dims.length : axis;
  const own = rowsAxis(tensor);
  const [before, behind] = [elements(tensor.dims.slice(0, at)), elements(tensor.dims.slice(at))];
  if (own === 0 && at === 1 && tensor.trace.kind === 'rows') {
    return rows([1, behind], 0, tensor.trace.outer, tensor.trace.inner);
  }
  if (own === null) return fixed([before, behind]);
  // The side with the rows takes what is left.
  const target = own < at ? [size(-1), behind] : [before, size(-1)];
  if (target.includes(null)) return 'unknown';
  const sizes = target.map((each) => (typeof each === 'number' ? size(each) : each!));
  return reshape(tensor, sizes, { batch: call.batch, zeroCopies: false });
}

function splitRule(call: OnnxCall): readonly Outcome[] {
  const tensor = first(call);
  const axis = intOf(call, 'axis') ?? 0;
  const stated: readonly (Size | null)[] | null | undefined =
    valuesAt(call, 1) ?? intsOf(call, 'split')?.map((each) => size(each));
  if (stated != null) return split(tensor, axis, stated, call.batch);
  const { dims } = tensor;
  const at = axis < 0 ? axis + (dims?.length ?? 0) : axis;
  const pieces = intOf(call, 'num_outputs') ?? call.outputs;
  if (dims === null || call.inputs[1] !== undefined) return Array.from({ length: call.outputs }, () => 'unknown');
  if (rowsAxis(tensor) === at) return Array.from({ length: call.outputs }, () => splitEvenly(tensor, at, pieces));
  const whole = dims[at] ?? null;
  const piece = whole === null ? null : Math.ceil(whole / pieces);
  return Array.from({ length: call.outputs }, (_, index) => {
    const last = index === pieces - 1 && whole !== null && piece !== null ? whole - piece * (pieces - 1) : piece;
    return moved(tensor, dims.with(at, last));
  });
}

function sliceRule(call: OnnxCall): Outcome {
  let result: Outcome = first(call);
  const list = (attribute: string, input: number): readonly (Size | null)[] | null => {
    const stated = intsOf(call, attribute)?.map((each) => size(each));
    if (stated !== undefined) return stated;
    const tensor = call.inputs[input];
    if (tensor === undefined) return null;
    const count = tensor.dims?.[0];
    return tensor.values ?? (count == null ? null : Array.from({ length: count }, () => null));
  };
  const [starts, ends] = [list('starts', 1), list('ends', 2)];
  if (starts === null || ends === null) return 'unknown';
  const axes = call.inputs[3] === undefined && intsOf(call, 'axes') === undefined ? starts.map((_, axis) => size(axis)) : list('axes', 3); // prettier-ignore
  const steps = call.inputs[4] === undefined ? starts.map(() => size(1)) : list('steps', 4);
  for (const [index, start] of starts.entries()) {
    const axis = numberOf(axes?.[index]);
    if (typeof result === 'string' || axis === null) return typeof result === 'string' ? result : 'unknown';
    result = slice(result, axis, [start, ends[index] ?? null, steps?.[index] ?? null], call.batch);
  }
  return result;
}

function padRule(call: OnnxCall): Outcome {
  const tensor = first(call);
  const pads = numbers(call, 'pads', 1) ?? intsOf(call, 'paddings');
  const rank = tensor.dims?.length;
  if (pads == null || rank === undefined) return 'unknown';
  const axes = call.inputs[3] === undefined ? undefined : valuesAt(call, 3)?.map(numberOf);
  if (call.inputs[3] !== undefined && axes === undefined) return 'unknown';
  const [before, after] = [Array<number>(rank).fill(0), Array<number>(rank).fill(0)];
  const count = axes?.length ?? rank;
  if (pads.length !== 2 * count) return 'unknown';
  for (let index = 0; index < count; index += 1) {
    const axis = axes === undefined ? index : axes[index];
    if (axis == null) return 'unknown';
    const at = axis < 0 ? axis + rank : axis;
    before[at] = pads[index]!;
    after[at] = pads[count + index]!;
  }
  return pad(tensor, before, after);
}

/** Writing keeps the shape of what is written into, the first input. */
function scatter(call: OnnxCall): Outcome {
  const [data, indices, updates] = call.inputs;
  const picked = elementwisePick([data!, indices!, updates!], intOf(call, 'axis') ?? 0);
  if (typeof picked === 'string' || picked.trace.kind !== 'rows') return picked;
  return data!.trace.kind === 'rows' ? moved(data!, data!.dims) : 'unknown';
}

function blocks(call: OnnxCall, deeper: boolean): Outcome {
  const tensor = first(call);
  const size = intOf(call, 'blocksize');
  if (tensor.dims?.length !== 4 || size === undefined || (rowsAxis(tensor) ?? 0) !== 0) return 'unknown';
  const [n, c, h, w] = tensor.dims;
  const by = (each: number | null | undefined, factor: number): number | null => (each == null ? null : each * factor);
  return deeper
    ? moved(tensor, [n!, by(c, size * size), by(h, 1 / size), by(w, 1 / size)])
    : moved(tensor, [n!, by(c, 1 / (size * size)), by(h, size), by(w, size)]);
}

function counting(call: OnnxCall): Outcome {
  return given(call).some(({ trace }) => trace.kind === 'rows') ? 'mixes' : 'unknown';
}

/** Whether an operator works on elements alone, with broadcasting. */
export const elementwise: OnnxRule = { anywhere: true, apply: (call) => broadcast(given(call)) };

