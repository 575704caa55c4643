import { broadcast } from '../rules/broadcast.ts';
import { COMPUTE_RULES } from './compute-rules.ts';
import { LAYOUT_RULES, unchanged } from './layout-rules.ts';
import type { TensorflowRule } from './call.ts';

/** Operators that compute each element from the elements at its place, with broadcasting. */
const ELEMENTWISE = `
  Abs Acos Acosh Add AddN AddV2 Asin Asinh Atan Atan2 Atanh Cast Ceil ClipByValue Cos Cosh Div DivNoNan Elu Equal Erf Erfc Exp Expm1
  Floor FloorDiv FloorMod Greater GreaterEqual Inv IsFinite IsInf IsNan LeakyRelu Less LessEqual Log Log1p LogicalAnd LogicalNot
  LogicalOr Maximum Minimum Mod Mul MulNoNan Neg NotEqual Pow Prelu RealDiv Reciprocal Relu Relu6 Rint Round Rsqrt SelectV2 Selu
  Sigmoid Sign Sin Sinh Softplus Softsign Sqrt Square SquaredDifference Sub Tan Tanh TruncateDiv TruncateMod Xdivy Xlogy
`;
/** Operators that give their first input again, with nothing else that is not fixed. */
const UNCHANGED = `
  Identity StopGradient PreventGradient Snapshot EnsureShape CheckNumerics ReadVariableOp PlaceholderWithDefault
  ZerosLike OnesLike
`;
const names = (text: string): string[] => text.trim().split(/\s+/);

const elementwise: TensorflowRule = { anywhere: true, apply: (call) => broadcast(call.inputs) };

/** What each operator does to the rows of a batch, by name. An operator that is not listed is not known. */
export const TENSORFLOW_RULES: ReadonlyMap<string, TensorflowRule> = new Map<string, TensorflowRule>([
  ...names(ELEMENTWISE).map((name) => [name, elementwise] as const),
  ...names(UNCHANGED).map((name) => [name, unchanged] as const),
  ...Object.entries(LAYOUT_RULES),
  ...Object.entries(COMPUTE_RULES),
  ['IdentityN', { anywhere: true, apply: ({ inputs }) => inputs }],
]);
