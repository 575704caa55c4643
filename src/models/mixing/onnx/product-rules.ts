import { numberOf } from '../size.ts';
import { moved, type Outcome, type Tensor } from '../tensor.ts';
import { rowsAxis, transpose } from '../rules/axes.ts';
import { broadcast } from '../rules/broadcast.ts';
import { einsum, imageAxes, matmul, type Window, windowed } from '../rules/products.ts';
import { given, intOf, intsOf, type OnnxCall, type OnnxRule, textOf, valuesAt } from './call.ts';

const then = (outcome: Outcome, next: (tensor: Tensor) => Outcome): Outcome =>
  typeof outcome === 'string' ? outcome : next(outcome);

const allFixed = (tensors: readonly (Tensor | undefined)[]): boolean =>
  tensors.every((each) => each === undefined || each.trace.kind === 'fixed');

/** The last two axes exchanged. */
function flipped(tensor: Tensor, flip: boolean): Outcome {
  if (!flip) return tensor;
  const rank = tensor.dims?.length;
  if (rank === undefined || rank < 2) return 'unknown';
  const order = Array.from({ length: rank }, (_, axis) => axis);
  return transpose(tensor, [...order.slice(0, -2), rank - 1, rank - 2]);
}

/** A product of matrices, of which the file may say that they are transposed. */
function product(call: OnnxCall, a: Tensor, b: Tensor): Outcome {
  // Batch axes that FusedMatMul moves are left alone.
  if (intOf(call, 'transBatchA') === 1 || intOf(call, 'transBatchB') === 1) return 'unknown';
  const flip = (name: string): boolean => intOf(call, name) === 1;
  return then(flipped(a, flip('transA')), (a) => then(flipped(b, flip('transB')), (b) => matmul(a, b)));
}

/** A product of integers; scales, zero points and a bias are one number, or one for each column. */
const quantized = (second: number): OnnxRule => ({
  apply: (call) =>
    then(product(call, call.inputs[0]!, call.inputs[second]!), (result) => {
      const parameters = call.inputs.filter((each, index) => each !== undefined && index !== 0 && index !== second);
      const own = rowsAxis(result);
      if (own === null) return result;
      // With as many rows as the file fixes, one number for each could be one for each place.
      const single = parameters.every((each) => each!.dims?.every((count) => count === 1) === true);
      const columns = call.batch === null && own !== result.dims!.length - 1;
      return single || (columns && parameters.every((each) => (each!.dims?.length ?? 2) <= 1)) ? result : 'unknown';
    }),
});

const gemm: OnnxRule = {
  anywhere: true,
  apply: (call) => {
    const [a, b, c] = call.inputs;
    if (a === undefined || b === undefined) return 'unknown';
    return then(product(call, a, b), (result) => {
      if (c === undefined || result.dims === null) return result;
      // The third is spread to the product, never the other way.
      return (c.dims?.length ?? 3) > 2 ? 'unknown' : broadcast([result, c]);
    });
  },
};

const sum = (values: readonly number[] | undefined): number[] | null => {
  if (values === undefined) return null;
  const half = values.length / 2;
  return Array.from({ length: half }, (_, index) => values[index]! + values[half + index]!);
};

function windowOf(call: OnnxCall, weights?: Tensor): Window {
  const window = intsOf(call, 'kernel_shape') ?? weights?.dims?.slice(2) ?? null;
  const count = window?.length ?? 0;
  const same = (textOf(call, 'auto_pad') ?? 'NOTSET').startsWith('SAME');
  return {
    window,
    strides: intsOf(call, 'strides') ?? Array.from({ length: count }, () => 1),
    dilations: intsOf(call, 'dilations') ?? [],
    padding: same ? null : (sum(intsOf(call, 'pads')) ?? Array.from({ length: count }, () => 0)),
    ceil: intOf(call, 'ceil_mode') === 1,
  };
}

/** A convolution of the input at 0 with the weights at `at`; whatever else is given is fixed, but what is added at `added`. */
const convolution = (at: number, added?: number): OnnxRule => ({
  ...(added === undefined ? {} : { anywhere: true }),
  apply: (call) => {
    const tensor = call.inputs[0]!;
    const weights = call.inputs[at];
    const others = call.inputs.filter((_, index) => index !== 0 && index !== added);
    if (!allFixed(others) || tensor.dims === null) return 'unknown';
    // Groups of channels do not meet.
    if (rowsAxis(tensor) === 1 && (intOf(call, 'group') ?? 1) !== 1) return 'unknown';
    const channels = weights?.dims?.[0] ?? null;
    const result = windowed(tensor, imageAxes(tensor.dims.length, false), windowOf(call, weights), channels);
    const other = added === undefined ? undefined : call.inputs[added];
    return other === undefined ? result : then(result, (result) => broadcast([result, other]));
  },
});

const transposed: OnnxRule = {
  apply: (call) => {
    const [tensor, ...others] = call.inputs;
    if (tensor?.dims == null || (rowsAxis(tensor) ?? 0) !== 0) return 'unknown';
    const { window, strides, dilations, padding } = windowOf(call, others[0]);
    const stated = intsOf(call, 'output_shape');
    const extra = intsOf(call, 'output_padding');
    const space = tensor.dims.slice(2).map((each, at) => {
      const span = window?.[at];
      if (stated !== undefined) return stated[at] ?? null;
      if (each === null || span == null || padding === null) return null;
      return (each - 1) * (strides[at] ?? 1) + (extra?.[at] ?? 0) + ((span - 1) * (dilations[at] ?? 1) + 1) - padding[at]!; // prettier-ignore
    });
    const group = intOf(call, 'group') ?? 1;
    const channels = others[0]?.dims?.[1];
    return moved(tensor, [tensor.dims[0]!, channels == null ? null : channels * group, ...space]);
  },
};

const pool: OnnxRule = {
  apply: (call) => {
    const tensor = call.inputs[0]!;
    if (tensor.dims === null) return 'unknown';
    const last = intOf(call, 'channels_last') === 1;
    // The second output, the places of the maxima, counts them through the whole batch.
    return [windowed(tensor, imageAxes(tensor.dims.length, last), windowOf(call))];
  },
};

const globalPool: OnnxRule = {
  apply: (call) => {
    const tensor = call.inputs[0]!;
    if (tensor.dims === null) return 'unknown';
    const { space } = imageAxes(tensor.dims.length, intOf(call, 'channels_last') === 1);
    if (space.includes(rowsAxis(tensor) ?? -1)) return 'mixes';
    return moved(
      tensor,
      tensor.dims.map((each, axis) => (space.includes(axis) ? 1 : each)),
    );
  },
};

const resize: OnnxRule = {
  settings: [1, 2, 3],
  sizes: true,
  apply: (call) => {
    const tensor = call.inputs[0]!;
    const { dims } = tensor;
    if (dims === null) return 'unknown';
    const policy = textOf(call, 'keep_aspect_ratio_policy') ?? 'stretch';
    const cropping = textOf(call, 'coordinate_transformation_mode') === 'tf_crop_and_resize';
    if (policy !== 'stretch' || cropping) return 'unknown';
    // Opset 10 has its scales where 11 has the region.
    const scalesAt = call.name === 'Upsample' || call.opset < 11 ? 1 : 2;
    const axes = intsOf(call, 'axes') ?? dims.map((_, axis) => axis);
    const scales = call.attribute('scales')?.floats ?? valuesAt(call, scalesAt)?.map(numberOf);
    const sizes = scalesAt === 2 ? valuesAt(call, 3) : undefined;
    const own = rowsAxis(tensor);
    const { trace } = tensor;
    const result: (number | null)[] = [...dims];
    for (const [index, axis] of axes.entries()) {
      const at = axis < 0 ? axis + dims.length : axis;
      const scale = scales === undefined || scales.length === 0 ? undefined : scales[index];
      const size = sizes?.[index];
      if (at === own && trace.kind === 'rows') {
        const whole = dims[at]!;
        const kept = size != null && (call.batch === null ? size.rows === whole && size.plus === 0 : size.plus === whole * call.batch); // prettier-ignore
        if (scale === undefined && size == null) return 'unknown';
        if (!(scale === 1 || kept)) return 'mixes';
        continue;
      }
      // A size that grows with the batch makes the scores depend on it.
      if (size != null && size.rows !== 0) return 'mixes';
      if (scale == null && size == null) return 'unknown';
      result[at] = size != null ? size.plus : dims[at] == null ? null : Math.floor(Math.fround(scale! * dims[at]));
    }
    return moved(tensor, result);
  },
};

/** One scale for all of it, or one for each place of an axis in which no rows stand. */
const quantization: OnnxRule = {
  apply: (call) => {
    const [tensor, ...parameters] = given(call);
    if (tensor?.dims == null) return 'unknown';
    const own = rowsAxis(tensor);
    const axis = intOf(call, 'axis') ?? 1;
    const at = axis < 0 ? axis + tensor.dims.length : axis;
    const single = parameters.every(({ dims }) => dims !== null && dims.every((each) => each === 1));
    const apart = own !== at && (intOf(call, 'block_size') ?? 0) === 0 && parameters.every(({ dims }) => dims?.length === 1); // prettier-ignore
    return own === null || single || apart ? moved(tensor, tensor.dims) : 'unknown';
  },
};

const mixing: OnnxRule = { apply: (call) => Array.from({ length: Math.max(1, call.outputs) }, () => (call.inputs[0]?.trace.kind === 'rows' ? 'mixes' : 'unknown')) }; // prettier-ignore

/** Operators of ONNX that sum products, move windows, or quantize. */
export const PRODUCT_RULES: Readonly<Record<string, OnnxRule>> = {
  MatMul: { anywhere: true, apply: (call) => matmul(call.inputs[0]!, call.inputs[1]!) },
  MatMulInteger: quantized(1),
  QLinearMatMul: quantized(3),
  Gemm: gemm,
  Einsum: { anywhere: true, apply: (call) => einsum(textOf(call, 'equation') ?? '', given(call)) },
  Conv: convolution(1),
  ConvInteger: convolution(1),
  QLinearConv: convolution(3),
  ConvTranspose: transposed,
  MaxPool: pool,
  AveragePool: pool,
  LpPool: pool,
  GlobalMaxPool: globalPool,
  GlobalAveragePool: globalPool,
  GlobalLpPool: globalPool,
  Resize: resize,
  Upsample: resize,
  QuantizeLinear: quantization,
  DequantizeLinear: quantization,
  DynamicQuantizeLinear: mixing,
  'com.microsoft.DynamicQuantizeMatMul': mixing,
  'com.microsoft.DynamicQuantizeLSTM': mixing,
  'com.microsoft.QuantizeLinear': quantization,
  'com.microsoft.DequantizeLinear': quantization,
  'com.microsoft.FusedMatMul': { anywhere: true, apply: (call) => product(call, call.inputs[0]!, call.inputs[1]!) },
  'com.microsoft.FusedGemm': gemm,
  'com.microsoft.MatMulIntegerToFloat': quantized(1),
  'com.microsoft.QGemm': quantized(3),
  'com.microsoft.FusedConv': convolution(1, 3),
  'com.microsoft.QLinearConv': convolution(3),
  'com.microsoft.QLinearAveragePool': pool,
  'com.microsoft.QLinearGlobalAveragePool': globalPool,
  'com.microsoft.nchwc.Conv': convolution(1, 3),
  'com.microsoft.nchwc.MaxPool': pool,
  'com.microsoft.nchwc.AveragePool': pool,
  'com.microsoft.nchwc.GlobalMaxPool': globalPool,
  'com.microsoft.nchwc.GlobalAveragePool': globalPool,
  'com.microsoft.nchwc.ReorderInput': { apply: (call) => channelsOf(call, undefined) },
  'com.microsoft.nchwc.ReorderOutput': { apply: (call) => channelsOf(call, intOf(call, 'channels')) },
};

/** Blocks of channels hold some that are padding; how many is left open. */
function channelsOf(call: OnnxCall, channels: number | undefined): Outcome {
  const tensor = call.inputs[0]!;
  if (tensor.dims === null || (rowsAxis(tensor) ?? 0) !== 0 || intOf(call, 'channels_last') === 1) return 'unknown';
  return moved(tensor, tensor.dims.with(1, channels ?? null));
}
