import { add, divide, equal, less, multiply, numberOf, type Size, size, subtract } from '../size.ts';
import { axisOf, type Dims, known, sizesOf, type Tensor } from '../tensor.ts';
import { sliceCount } from '../rules/pieces.ts';
import { broadcastDims } from '../rules/broadcast.ts';
import { intOf, intsOf, type OnnxCall, valuesAt, weight } from './call.ts';

/** More values are no shape. */
const MOST = 256;

/**
 * Computes what graphs compute of shapes: `Reshape(x, Concat(Gather(Shape(x), 0), [-1]))` and the like. Null where an
 * input's values are not known, or the operator is none that exporters use for this.
 */
export function fold(call: OnnxCall): Tensor | null {
  const [first] = call.inputs;
  if (call.name === 'Shape' || call.name === 'Size') return first === undefined ? null : shape(call, first);
  const rule = FOLDS[call.name];
  if (rule === undefined || call.inputs.length === 0) return null;
  if (call.inputs.some((each) => each !== undefined && each.values === null)) return null;
  return rule(call);
}

function shape(call: OnnxCall, tensor: Tensor): Tensor | null {
  const sizes = sizesOf(tensor, call.batch);
  if (sizes === null) return null;
  if (call.name === 'Size') {
    const all = sizes.reduce<Size | null>(
      (total, each) => (total === null || each === null ? null : multiply(total, each)),
      size(1),
    );
    return all === null ? null : known([all], [], true);
  }
  const part = sizes.slice(intOf(call, 'start') ?? 0, intOf(call, 'end') ?? sizes.length);
  return part.includes(null) ? null : known(part as Size[], [part.length], true);
}

type Fold = (call: OnnxCall) => Tensor | null;

const ordinal = (found: boolean | null): Size | null => (found === null ? null : size(found ? 1 : 0));

/** One value of each of two tensors, broadcast where one has a single element or both have the same shape. */
const pairs =
  (combine: (a: Size, b: Size, whole: boolean) => Size | null, truth = false): Fold =>
  ({ inputs: [a, b] }) => {
    if (a?.values == null || b?.values == null || a.dims === null || b.dims === null) return null;
    const [m, n] = [a.values.length, b.values.length];
    if (m !== n && m !== 1 && n !== 1) return null;
    if (m === n && m > 1 && a.dims.join() !== b.dims.join()) return null;
    const whole = a.whole && b.whole;
    const values = Array.from({ length: m === 0 || n === 0 ? 0 : Math.max(m, n) }, (_, index) =>
      combine(a.values![m === 1 ? 0 : index]!, b.values![n === 1 ? 0 : index]!, whole),
    );
    if (values.includes(null)) return null;
    return known(values as Size[], broadcastDims([a.dims, b.dims]), whole || truth);
  };

const single =
  (combine: (a: Size) => Size | null): Fold =>
  ({ inputs: [a] }) => {
    const values = a!.values!.map(combine);
    return values.includes(null) ? null : known(values as Size[], a!.dims!, a!.whole);
  };

const onNumbers =
  (round: (value: number) => number) =>
  (each: Size): Size | null => {
    if (each.rows === 0) return size(round(each.plus));
    return Number.isInteger(each.rows) && Number.isInteger(each.plus) && round(1) === 1 && round(-1) === -1 ? each : null;
  };

const extreme =
  (second: boolean) =>
  (a: Size, b: Size): Size | null => {
    const smaller = less(a, b);
    if (smaller !== null) return smaller === second ? b : a;
    return null;
  };

/** Values with other dimensions, in the same order. */
const same = (tensor: Tensor, dims: Dims): Tensor => known(tensor.values!, dims, tensor.whole);

const FLOAT_TYPES = new Set([1, 10, 11, 16]);

const FOLDS: Readonly<Record<string, Fold>> = {
  Identity: ({ inputs: [a] }) => a!,
  Cast: (call) => {
    const [a] = call.inputs;
    const to = intOf(call, 'to') ?? 0;
    // A truth value may be anything but 0.
    if (to === 9) return null;
    const whole = !FLOAT_TYPES.has(to);
    const values = a!.values!.map((each) => (whole && !a!.whole ? onNumbers(Math.trunc)(each) : each));
    return values.includes(null) ? null : known(values as Size[], a!.dims!, whole);
  },
  Add: pairs(add),
  Sub: pairs(subtract),
  Mul: pairs(multiply),
  Div: pairs(divide),
  Mod: pairs((a, b) => (a.rows === 0 && b.rows === 0 && b.plus > 0 ? size(((a.plus % b.plus) + b.plus) % b.plus) : null)),
  Min: pairs(extreme(false)),
  Max: pairs(extreme(true)),
  Equal: pairs((a, b) => ordinal(equal(a, b)), true),
  Less: pairs((a, b) => ordinal(less(a, b)), true),
  Greater: pairs((a, b) => ordinal(less(b, a)), true),
  And: pairs((a, b) => size(a.plus !== 0 && b.plus !== 0 ? 1 : 0), true),
  Or: pairs((a, b) => size(a.plus !== 0 || b.plus !== 0 ? 1 : 0), true),
  Not: single((a) => size(a.plus === 0 ? 1 : 0)),
  Neg: single((a) => subtract(size(0), a)),
  Floor: single(onNumbers(Math.floor)),
  Ceil: single(onNumbers(Math.ceil)),
  Where: ({ inputs: [condition, a, b] }) => {
    const counts = [condition, a, b].map((each) => each!.values!.length);
    const most = Math.max(...counts);
    if (counts.some((count) => count !== 1 && count !== most)) return null;
    const at = (tensor: Tensor, index: number): Size => tensor.values![tensor.values!.length === 1 ? 0 : index]!;
    const values = Array.from({ length: most }, (_, index) =>
      at(condition!, index).plus === 0 ? at(b!, index) : at(a!, index),
    );
    return known(values, broadcastDims([condition!.dims!, a!.dims!, b!.dims!]), a!.whole && b!.whole);
  },
  Gather: (call) => {
    const [data, indices] = call.inputs;
    if (data!.dims!.length !== 1) return null;
    const count = data!.values!.length;
    const picked = indices!.values!.map((each) => {
      const at = numberOf(each);
      return at === null ? null : (data!.values![at < 0 ? at + count : at] ?? null);
    });
    return picked.includes(null) ? null : known(picked as Size[], indices!.dims!, data!.whole);
  },
  Concat: ({ inputs }) => {
    const tensors = inputs as readonly Tensor[];
    if (tensors.some(({ dims }) => dims?.length !== 1)) return null;
    const values = tensors.flatMap((each) => each.values!);
    return known(values, [values.length], tensors.every(({ whole }) => whole));
  },
  Slice: (call) => {
    const [data, ...rest] = call.inputs;
    if (data!.dims!.length !== 1) return null;
    const stated = [intsOf(call, 'starts')?.[0], intsOf(call, 'ends')?.[0]];
    const read = (index: number): number | null | undefined => {
      const values = rest[index]?.values;
      return values == null ? undefined : numberOf(values[0]);
    };
    const [start, end, step] = [stated[0] ?? read(0), stated[1] ?? read(1), read(3) ?? 1];
    if (start == null || end == null || step === null) return null;
    const count = data!.values!.length;
    const first = step > 0 ? Math.max(0, start < 0 ? start + count : start) : Math.min(count - 1, start < 0 ? start + count : start); // prettier-ignore
    const values = Array.from(
      { length: sliceCount(count, start, end, step) },
      (_, index) => data!.values![first + index * step]!,
    );
    return known(values, [values.length], data!.whole);
  },
  Squeeze: (call) => {
    const [data] = call.inputs;
    const axes = (intsOf(call, 'axes') ?? call.inputs[1]?.values?.map(numberOf))?.map((axis) =>
      axisOf(axis ?? NaN, data!.dims!.length),
    );
    return same(
      data!,
      data!.dims!.filter((each, axis) => !(axes === undefined ? each === 1 : axes.includes(axis))),
    );
  },
  Unsqueeze: (call) => {
    const [data] = call.inputs;
    const axes = intsOf(call, 'axes') ?? call.inputs[1]?.values?.map(numberOf);
    // Only scalars become vectors in what is computed of shapes.
    return axes?.length === 1 && data!.dims!.length === 0 ? same(data!, [1]) : null;
  },
  Reshape: (call) => {
    const [data] = call.inputs;
    const target = valuesAt(call, 1)?.map(numberOf);
    if (target === undefined || target.length > 1) return null;
    return same(data!, target.length === 0 ? [] : [data!.values!.length]);
  },
  ConstantOfShape: (call) => {
    const counts = valuesAt(call, 0)!.map(numberOf);
    const count = counts.reduce<number | null>((all, each) => (all === null || each === null ? null : all * each), 1);
    if (count === null || count > MOST) return null;
    const stated = call.attribute('value')?.t;
    const value = stated === undefined ? { values: [size(0)], whole: false } : weight(stated, null);
    const [each] = value.values ?? [];
    if (each === undefined) return null;
    return known(Array.from({ length: count }, () => each), counts, value.whole);
  },
  Range: ({ inputs }) => {
    const [start, limit, delta] = inputs.map((each) => numberOf(each!.values![0]));
    if (start == null || limit == null || delta == null || delta === 0) return null;
    const count = Math.max(0, Math.ceil((limit - start) / delta));
    if (count > MOST) return null;
    const values = Array.from({ length: count }, (_, index) => size(start + index * delta));
    return known(values, [count], inputs[0]!.whole);
  },
  ReduceProd: (call) => {
    const [data] = call.inputs;
    if (data!.dims!.length !== 1) return null;
    const all = data!.values!.reduce<Size | null>((total, each) => (total === null ? null : multiply(total, each)), size(1));
    return all === null ? null : known([all], (intOf(call, 'keepdims') ?? 1) === 0 ? [] : [1], data!.whole);
  },
};
