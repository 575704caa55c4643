import { type Dims, fixed, moved, type Outcome, type Tensor } from '../tensor.ts';
import { along, reduce, resized, rowsAxis, transpose } from '../rules/axes.ts';
import { broadcast } from '../rules/broadcast.ts';
import { einsum, imageAxes, matmul, type Window, windowed } from '../rules/products.ts';
import { channelsFirst, numbersAt, type TensorflowCall, type TensorflowRule, truth } from './call.ts';

const first = (call: TensorflowCall): Tensor => call.inputs[0]!;

const then = (outcome: Outcome, next: (tensor: Tensor) => Outcome): Outcome =>
  typeof outcome === 'string' ? outcome : next(outcome);

const allFixed = (tensors: readonly Tensor[]): boolean => tensors.every(({ trace }) => trace.kind === 'fixed');

const reduction: TensorflowRule = {
  settings: [1],
  apply: (call) => {
    const axes = numbersAt(call, 1);
    return axes === null ? 'unknown' : reduce(first(call), axes, truth(call, 'keep_dims'));
  },
};

const best: TensorflowRule = {
  settings: [1],
  apply: (call) => {
    const [axis] = numbersAt(call, 1) ?? [];
    return axis === undefined ? 'unknown' : reduce(first(call), [axis], false);
  },
};

const cumulative: TensorflowRule = {
  settings: [1],
  apply: (call) => {
    const [axis] = numbersAt(call, 1) ?? [];
    return axis === undefined ? 'unknown' : along(first(call), [axis]);
  },
};

const overLast: TensorflowRule = { apply: (call) => along(first(call), [-1]) };

/** The last two axes exchanged. */
function flipped(tensor: Tensor, flip: boolean): Outcome {
  const rank = tensor.dims?.length ?? 0;
  if (!flip) return tensor;
  const order = Array.from({ length: rank }, (_, axis) => axis);
  return rank < 2 ? 'unknown' : transpose(tensor, [...order.slice(0, -2), rank - 1, rank - 2]);
}

const product = (left: string, right: string): TensorflowRule => ({
  anywhere: true,
  apply: (call) => {
    const [a, b, ...more] = call.inputs;
    const result = then(flipped(a!, truth(call, left)), (a) =>
      then(flipped(b!, truth(call, right)), (b) => matmul(a, b)),
    );
    // What is fused behind it, a bias as a rule, works on each element.
    return then(result, (result) => (more.length === 0 ? result : broadcast([result, ...more])));
  },
});

function windowOf(call: TensorflowCall, spans: Dims, space: readonly number[]): Window {
  const at = (name: string): number[] => space.map((axis) => call.attribute(name)?.ints?.[axis] ?? 1);
  const padding = call.attribute('padding')?.s;
  return {
    window: padding === 'EXPLICIT' ? space.map(() => null) : spans,
    strides: at('strides'),
    dilations: at('dilations'),
    padding: padding === 'SAME' ? null : space.map(() => 0),
    ceil: false,
  };
}

/** Input [batch, ...space, channels], or channels before space; filter [...space, channels, outputs]. */
const convolution = (channelsOf: (filter: Dims) => number | null): TensorflowRule => ({
  anywhere: true,
  apply: (call) => {
    const [tensor, filter, ...more] = call.inputs;
    if (tensor?.dims == null || filter?.dims == null || !allFixed([filter])) return 'unknown';
    // TensorFlow.js takes a tensor of one axis less for a single image: its first axis would be space.
    if (tensor.dims.length !== filter.dims.length) return 'unknown';
    const axes = imageAxes(tensor.dims.length, !channelsFirst(call));
    const window = windowOf(call, filter.dims.slice(0, -2), axes.space);
    const result = windowed(tensor, axes, window, channelsOf(filter.dims));
    if (more.length === 0) return result;
    // A bias counts channels, which only the last axis broadcasts.
    return channelsFirst(call) ? 'unknown' : then(result, (result) => broadcast([result, ...more]));
  },
});

const byChannel = ([, , inputs, multiplier]: Dims): number | null =>
  inputs == null || multiplier == null ? null : inputs * multiplier;

const pool: TensorflowRule = {
  apply: (call) => {
    const { dims } = first(call);
    const ksize = call.attribute('ksize')?.ints;
    if (dims === null || dims.length !== ksize?.length) return 'unknown';
    const axes = imageAxes(dims.length, !channelsFirst(call));
    const spans = axes.space.map((axis) => ksize[axis] ?? null);
    // A window over the batch or over channels is none of space.
    const outside = [0, axes.channels].some((axis) => (ksize[axis] ?? 1) !== 1);
    return outside ? 'unknown' : windowed(first(call), axes, windowOf(call, spans, axes.space));
  },
};

const normalization: TensorflowRule = {
  apply: (call) => {
    const { dims } = first(call);
    // Left out it is true.
    if (call.attribute('is_training')?.b !== false) return ['mixes'];
    if (dims === null) return ['unknown'];
    const channels = channelsFirst(call) ? 1 : dims.length - 1;
    return [rowsAxis(first(call)) === channels ? 'unknown' : moved(first(call), dims)];
  },
};

const resize: TensorflowRule = {
  settings: [1],
  apply: (call) => {
    const { dims } = first(call);
    const to = numbersAt(call, 1);
    if (dims?.length !== 4 || to?.length !== 2 || rowsAxis(first(call)) !== 0) return 'unknown';
    return moved(first(call), [dims[0]!, to[0]!, to[1]!, dims[3]!]);
  },
};

/** One scale for the whole tensor: from the tensor itself, or given. */
const scaled: TensorflowRule = {
  apply: (call) => {
    const given = call.attribute('range_given')?.b === true || call.name.startsWith('Fake');
    if (!given && first(call).trace.kind === 'rows') return 'mixes';
    return given && (call.attribute('axis')?.i ?? -1) === -1 ? moved(first(call), first(call).dims) : 'unknown';
  },
};

const blocks = (deeper: boolean): TensorflowRule => ({
  apply: (call) => {
    const { dims } = first(call);
    const size = call.attribute('block_size')?.i;
    if (dims?.length !== 4 || size === undefined || rowsAxis(first(call)) !== 0 || channelsFirst(call)) return 'unknown';
    const by = (each: number | null | undefined, factor: number): number | null => (each == null ? null : each * factor);
    const [n, h, w, c] = dims;
    const [space, depth] = deeper ? [1 / size, size * size] : [size, 1 / (size * size)];
    return moved(first(call), [n!, by(h, space), by(w, space), by(c, depth)]);
  },
});

/** Operators of TensorFlow that reduce, multiply, move windows or normalise. */
export const COMPUTE_RULES: Readonly<Record<string, TensorflowRule>> = {
  Mean: reduction,
  Sum: reduction,
  Max: reduction,
  Min: reduction,
  Prod: reduction,
  All: reduction,
  Any: reduction,
  EuclideanNorm: reduction,
  ArgMax: best,
  ArgMin: best,
  Cumsum: cumulative,
  Cumprod: cumulative,
  Softmax: overLast,
  LogSoftmax: overLast,
  LRN: overLast,
  L2Loss: { apply: (call) => reduce(first(call), null, false) },
  TopKV2: {
    settings: [1],
    apply: (call) => {
      const picked = resized(first(call), -1, numbersAt(call, 1)?.[0] ?? null);
      return [picked, picked];
    },
  },
  MatMul: product('transpose_a', 'transpose_b'),
  _FusedMatMul: product('transpose_a', 'transpose_b'),
  BatchMatMul: product('adj_x', 'adj_y'),
  BatchMatMulV2: product('adj_x', 'adj_y'),
  BatchMatMulV3: product('adj_x', 'adj_y'),
  Einsum: { anywhere: true, apply: (call) => einsum(call.attribute('equation')?.s ?? '', call.inputs) },
  Conv2D: convolution((filter) => filter[3] ?? null),
  Conv3D: convolution((filter) => filter[4] ?? null),
  _FusedConv2D: convolution((filter) => filter[3] ?? null),
  DepthwiseConv2dNative: convolution(byChannel),
  FusedDepthwiseConv2dNative: convolution(byChannel),
  _FusedDepthwiseConv2dNative: convolution(byChannel),
  BiasAdd: {
    apply: (call) => {
      const { dims } = first(call);
      if (dims === null) return 'unknown';
      const channels = channelsFirst(call) ? 1 : dims.length - 1;
      return rowsAxis(first(call)) === channels ? 'unknown' : moved(first(call), dims);
    },
  },
  MaxPool: pool,
  AvgPool: pool,
  MaxPool3D: pool,
  AvgPool3D: pool,
  FusedBatchNorm: normalization,
  FusedBatchNormV2: normalization,
  FusedBatchNormV3: normalization,
  ResizeBilinear: resize,
  ResizeNearestNeighbor: resize,
  ResizeBicubic: resize,
  QuantizeAndDequantizeV2: scaled,
  QuantizeAndDequantizeV3: scaled,
  QuantizeAndDequantizeV4: scaled,
  FakeQuantWithMinMaxArgs: scaled,
  FakeQuantWithMinMaxVars: scaled,
  DepthToSpace: blocks(false),
  SpaceToDepth: blocks(true),
  VarHandleOp: { apply: (call) => fixed(call.attribute('shape')?.shape ?? null) },
};
