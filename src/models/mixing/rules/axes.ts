import { axisOf, fixed, moved, type Outcome, type Tensor } from '../tensor.ts';

// Operators on whole axes. Each takes a tensor that is fixed or of rows; `axes` may count from the back.

/** All axes as the tensor counts them, or null where the rank is not known or an axis is outside. */
function resolved(tensor: Tensor, axes: readonly number[]): number[] | null {
  const { dims } = tensor;
  if (dims === null) return null;
  const found = axes.map((axis) => axisOf(axis, dims.length));
  return found.some((axis) => axis === null) ? null : (found as number[]);
}

/** The axis along which rows stand, or null. */
export const rowsAxis = ({ trace }: Tensor): number | null => (trace.kind === 'rows' ? trace.axis : null);

const orFixed = (tensor: Tensor): Outcome => (tensor.trace.kind === 'fixed' ? fixed(null) : 'unknown');

/** Reduces axes (null: all of them): a mean, a maximum, a sum ... */
export function reduce(tensor: Tensor, axes: readonly number[] | null, keep: boolean): Outcome {
  const { dims } = tensor;
  if (dims === null) return orFixed(tensor);
  const all = axes === null ? dims.map((_, axis) => axis) : resolved(tensor, axes);
  if (all === null) return 'unknown';
  const own = rowsAxis(tensor);
  if (own !== null && all.includes(own)) return 'mixes';
  if (keep)
    return moved(
      tensor,
      dims.map((each, axis) => (all.includes(axis) ? 1 : each)),
    );
  return without(tensor, all);
}

/** Leaves out axes. */
function without(tensor: Tensor, axes: readonly number[]): Tensor {
  const own = rowsAxis(tensor);
  const dims = tensor.dims!.filter((_, axis) => !axes.includes(axis));
  return moved(tensor, dims, own === null ? undefined : own - axes.filter((axis) => axis < own).length);
}

/** An operator that keeps the shape and lets everything along these axes meet: softmax, cumulative sums, normalisation ... */
export function along(tensor: Tensor, axes: readonly number[]): Outcome {
  if (tensor.dims === null) return orFixed(tensor);
  const all = resolved(tensor, axes);
  if (all === null) return 'unknown';
  const own = rowsAxis(tensor);
  return own !== null && all.includes(own) ? 'mixes' : moved(tensor, tensor.dims);
}

/** The axes from one on to the last. */
export function axesFrom(tensor: Tensor, axis: number): number[] | null {
  if (tensor.dims === null) return null;
  const rank = tensor.dims.length;
  const first = axis < 0 ? axis + rank : axis;
  return Array.from({ length: Math.max(0, rank - first) }, (_, index) => first + index);
}

export function transpose(tensor: Tensor, order: readonly number[] | null): Outcome {
  const { dims } = tensor;
  if (dims === null) return orFixed(tensor);
  const to = order ?? dims.map((_, axis) => dims.length - 1 - axis);
  if (to.length !== dims.length || new Set(to).size !== to.length) return 'unknown';
  if (to.some((axis) => axisOf(axis, dims.length) !== axis)) return 'unknown';
  const own = rowsAxis(tensor);
  return moved(
    tensor,
    to.map((axis) => dims[axis]!),
    own === null ? undefined : to.indexOf(own),
  );
}

/** @param axes null: all of size 1, which for a batch of one row would be the batch too */
export function squeeze(tensor: Tensor, axes: readonly number[] | null): Outcome {
  const { dims } = tensor;
  if (dims === null) return orFixed(tensor);
  const own = rowsAxis(tensor);
  if (axes === null) {
    if (own !== null || dims.includes(null)) return orFixed(tensor);
    return without(
      tensor,
      dims.flatMap((each, axis) => (each === 1 ? [axis] : [])),
    );
  }
  const all = resolved(tensor, axes);
  if (all === null || (own !== null && all.includes(own))) return 'unknown';
  return without(tensor, all);
}

/** New axes of size 1, at these places of the result. */
export function unsqueeze(tensor: Tensor, axes: readonly number[]): Outcome {
  const { dims } = tensor;
  if (dims === null) return orFixed(tensor);
  const rank = dims.length + axes.length;
  const at = axes.map((axis) => axisOf(axis, rank));
  if (at.some((axis) => axis === null) || new Set(at).size !== at.length) return 'unknown';
  const from: number[] = [];
  for (let axis = 0, own = 0; axis < rank; axis += 1) from.push(at.includes(axis) ? -1 : own++);
  const own = rowsAxis(tensor);
  return moved(
    tensor,
    from.map((axis) => (axis === -1 ? 1 : dims[axis]!)),
    own === null ? undefined : from.indexOf(own),
  );
}

/** A tensor with another size along one axis that no row meets; `count` null where it is not known. */
export function resized(tensor: Tensor, axis: number, count: number | null): Outcome {
  const { dims } = tensor;
  if (dims === null) return orFixed(tensor);
  const at = axisOf(axis, dims.length);
  if (at === null) return 'unknown';
  return rowsAxis(tensor) === at ? 'mixes' : moved(tensor, dims.with(at, count));
}
