import { moved, type Outcome, rows, type Tensor } from '../tensor.ts';
import { AXIS_RULES } from './axis-rules.ts';
import { elementwise, LAYOUT_RULES } from './layout-rules.ts';
import { PRODUCT_RULES } from './product-rules.ts';
import { SEQUENCE_RULES } from './sequence-rules.ts';
import type { OnnxCall, OnnxRule } from './call.ts';

/** Operators that compute each element from the elements at its place, with broadcasting. */
const ELEMENTWISE = `
  Abs Acos Acosh Add And Asin Asinh Atan Atanh BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor Cast Ceil Celu Clip Cos Cosh
  Div Elu Equal Erf Exp Floor Gelu Greater GreaterOrEqual HardSigmoid HardSwish Identity IsInf IsNaN LeakyRelu Less LessOrEqual
  Log Max Mean Min Mish Mod Mul Neg Not Or PRelu Pow Reciprocal Relu Round Selu Shrink Sigmoid Sign Sin Sinh Softplus Softsign
  Sqrt Sub Sum Swish Tan Tanh ThresholdedRelu Where Xor
  ai.onnx.ml.Binarizer
  com.microsoft.Gelu com.microsoft.BiasGelu com.microsoft.FastGelu com.microsoft.QuickGelu
  com.microsoft.QLinearAdd com.microsoft.QLinearMul com.microsoft.QLinearSigmoid com.microsoft.QLinearLeakyRelu
`
  .trim()
  .split(/\s+/);

/** The first input as it is; the others, which only say how, are fixed. Masks beside it are of the same rows. */
const alike: OnnxRule = {
  apply: (call) => {
    const same = moved(call.inputs[0]!, call.inputs[0]!.dims);
    return Array.from({ length: Math.max(1, call.outputs) }, () => same);
  },
};

/** Tables of scikit-learn's classifiers: one label and some scores for each row of [rows, features]. */
const table =
  (shapes: readonly (readonly (number | null)[])[]): OnnxRule['apply'] =>
  ({ inputs: [tensor] }: OnnxCall): readonly Outcome[] => {
    if (tensor?.dims?.length !== 2 || tensor.trace.kind !== 'rows' || tensor.trace.axis !== 0) return ['unknown'];
    const { outer, inner } = tensor.trace;
    return shapes.map((shape): Tensor => rows([1, ...shape], 0, outer, inner));
  };
/** One parameter for each feature. */
const byFeature: OnnxRule = {
  apply: ({ inputs: [tensor] }) =>
    tensor?.dims?.length === 2 && tensor.trace.kind === 'rows' && tensor.trace.axis === 0
      ? moved(tensor, tensor.dims)
      : 'unknown',
};
const classifier: OnnxRule = { apply: table([[], [null]]) };
const regressor: OnnxRule = { apply: table([[null]]) };

/**
 * What each operator does to the rows of a batch, by name; those of ONNX itself without a domain. An operator that is not listed
 * is not known, and random ones never are.
 */
export const ONNX_RULES: ReadonlyMap<string, OnnxRule> = new Map<string, OnnxRule>([
  ...ELEMENTWISE.map((name) => [name, elementwise] as const),
  ...Object.entries(LAYOUT_RULES),
  ...Object.entries(AXIS_RULES),
  ...Object.entries(PRODUCT_RULES),
  ...Object.entries(SEQUENCE_RULES),
  ['Dropout', alike],
  ['CastLike', { ...alike, anywhere: true }],
  ['ai.onnx.ml.Scaler', byFeature],
  ['ai.onnx.ml.Imputer', byFeature],
  ['ai.onnx.ml.LinearClassifier', classifier],
  ['ai.onnx.ml.SVMClassifier', classifier],
  ['ai.onnx.ml.TreeEnsembleClassifier', classifier],
  ['ai.onnx.ml.LinearRegressor', regressor],
  ['ai.onnx.ml.SVMRegressor', regressor],
  ['ai.onnx.ml.TreeEnsembleRegressor', regressor],
]);
