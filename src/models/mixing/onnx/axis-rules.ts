import { numberOf } from '../size.ts';
import { moved, type Outcome, type Tensor } from '../tensor.ts';
import { along, axesFrom, reduce, resized, rowsAxis } from '../rules/axes.ts';
import { broadcast } from '../rules/broadcast.ts';
import { given, intOf, intsOf, numbers, type OnnxCall, type OnnxRule, valuesAt } from './call.ts';

const first = (call: OnnxCall): Tensor => call.inputs[0]!;

/** From opset 13 a softmax is over one axis; before, over all axes from there on, as one. */
const softmax: OnnxRule = {
  apply: (call) => {
    // A quantized one says the version of the operator that it stands for.
    const single = (intOf(call, 'opset') ?? call.opset) >= 13;
    const axis = intOf(call, 'axis') ?? (single ? -1 : 1);
    const axes = single ? [axis] : axesFrom(first(call), axis);
    return axes === null ? 'unknown' : along(first(call), axes);
  },
};

const reduction: OnnxRule = {
  settings: [1],
  apply: (call) => {
    const axes = numbers(call, 'axes', 1);
    if (axes === null) return 'unknown';
    const none = axes === undefined || axes.length === 0;
    if (none && intOf(call, 'noop_with_empty_axes') === 1) return along(first(call), []);
    return reduce(first(call), none ? null : axes, (intOf(call, 'keepdims') ?? 1) !== 0);
  },
};

const best: OnnxRule = {
  apply: (call) => reduce(first(call), [intOf(call, 'axis') ?? 0], (intOf(call, 'keepdims') ?? 1) !== 0),
};

const cumulative: OnnxRule = {
  settings: [1],
  apply: (call) => {
    const axis = valuesAt(call, 1)?.map(numberOf)[0];
    return axis == null ? 'unknown' : along(first(call), [axis]);
  },
};

/** Normalises over all axes from one on; scale and bias are elementwise. Further outputs are for training. */
function layerNormalization(tensor: Tensor, parameters: readonly Tensor[], axis: number): Outcome {
  const axes = axesFrom(tensor, axis);
  const normal = axes === null ? 'unknown' : along(tensor, axes);
  return typeof normal === 'string' ? normal : broadcast([normal, ...parameters]);
}

const layer: OnnxRule = {
  anywhere: true,
  apply: (call) => {
    const [tensor, ...parameters] = given(call);
    return [layerNormalization(tensor!, parameters, intOf(call, 'axis') ?? -1)];
  },
};

/** A layer normalisation of the sum of inputs; gamma, beta and bias are elementwise too. */
const skipLayer: OnnxRule = {
  anywhere: true,
  apply: (call) => {
    const sum = broadcast(given(call));
    return [typeof sum === 'string' ? sum : layerNormalization(sum, [], -1)];
  },
};

/** What is applied by channel, with parameters that have one number for each. */
function perChannel(tensor: Tensor, axis: number): Outcome {
  return tensor.dims === null || rowsAxis(tensor) === axis ? 'unknown' : moved(tensor, tensor.dims);
}

const from = (start: number, { dims }: Tensor): number[] => (dims ?? []).map((_, axis) => axis).slice(start);

/** Operators of ONNX that let what stands along an axis meet. */
export const AXIS_RULES: Readonly<Record<string, OnnxRule>> = {
  Softmax: softmax,
  LogSoftmax: softmax,
  Hardmax: softmax,
  ReduceL1: reduction,
  ReduceL2: reduction,
  ReduceLogSum: reduction,
  ReduceLogSumExp: reduction,
  ReduceMax: reduction,
  ReduceMean: reduction,
  ReduceMin: reduction,
  ReduceProd: reduction,
  ReduceSum: reduction,
  ReduceSumSquare: reduction,
  ArgMax: best,
  ArgMin: best,
  CumSum: cumulative,
  CumProd: cumulative,
  TopK: {
    settings: [1],
    sizes: true,
    apply: (call) => {
      const count = valuesAt(call, 1)?.[0];
      const picked = resized(first(call), intOf(call, 'axis') ?? -1, intOf(call, 'k') ?? numberOf(count));
      // As many as there are rows: the size of another axis would grow with the batch.
      const result = picked !== 'mixes' && count !== undefined && numberOf(count) === null ? 'unknown' : picked;
      return [result, result];
    },
  },
  LpNormalization: { apply: (call) => along(first(call), [intOf(call, 'axis') ?? -1]) },
  MeanVarianceNormalization: { apply: (call) => along(first(call), intsOf(call, 'axes') ?? [0, 2, 3]) },
  LRN: { apply: (call) => along(first(call), [1]) },
  LayerNormalization: layer,
  RMSNormalization: layer,
  SimplifiedLayerNormalization: layer,
  'com.microsoft.LayerNormalization': layer,
  'com.microsoft.SimplifiedLayerNormalization': layer,
  'com.microsoft.SkipLayerNormalization': skipLayer,
  'com.microsoft.SkipSimplifiedLayerNormalization': skipLayer,
  BatchNormalization: {
    apply: (call) => {
      if (intOf(call, 'training_mode') === 1) return Array.from({ length: call.outputs }, () => 'mixes');
      return [perChannel(first(call), 1)];
    },
  },
  InstanceNormalization: {
    apply: (call) => {
      const normal = along(first(call), from(2, first(call)));
      return typeof normal === 'string' ? normal : perChannel(normal, 1);
    },
  },
  GroupNormalization: {
    apply: (call) => {
      const normal = along(first(call), from(1, first(call)));
      return typeof normal === 'string' ? normal : perChannel(normal, 1);
    },
  },
  'com.microsoft.QLinearSoftmax': softmax,
  // Each row of a table.
  'ai.onnx.ml.Normalizer': { apply: (call) => along(first(call), [-1]) },
};
