import { axisOf, type Dims, fixed, moved, type Outcome, rows, type RowsTrace, type Tensor } from '../tensor.ts';
import { rowsAxis } from './axes.ts';
import { meets, sameRows } from './broadcast.ts';

// Operators that pick or put elements by indices.

const orFixed = (tensors: readonly Tensor[]): Outcome =>
  tensors.every(({ trace }) => trace.kind === 'fixed') ? fixed(null) : 'unknown';

/** Slices of `data` along an axis, picked by indices; the axes of the indices stand in place of the axis. */
export function gather(data: Tensor, indices: Tensor, axis: number): Outcome {
  if (data.dims === null || indices.dims === null) return orFixed([data, indices]);
  const at = axisOf(axis, data.dims.length);
  if (at === null) return 'unknown';
  const dims = [...data.dims.slice(0, at), ...indices.dims, ...data.dims.slice(at + 1)];
  const [own, theirs] = [rowsAxis(data), rowsAxis(indices)];
  // Rows picked by number: only what stands in the other axes of a table is the same for all.
  if (own === at) return 'mixes';
  if (own !== null && theirs !== null) return 'mixes';
  if (theirs !== null) return moved(indices, dims, at + theirs);
  if (own === null) return fixed(dims);
  return moved(data, dims, own < at ? own : own - 1 + indices.dims.length);
}

/** Single elements picked, or put, along an axis by indices of the same rank. */
export function elementwisePick(tensors: readonly Tensor[], axis: number): Outcome {
  const [first] = tensors;
  if (first?.dims == null || tensors.some(({ dims }) => dims?.length !== first.dims!.length)) return orFixed(tensors);
  const at = axisOf(axis, first.dims.length);
  if (at === null) return 'unknown';
  const moving = tensors.filter(({ trace }) => trace.kind === 'rows').map(({ trace }) => trace as RowsTrace);
  const [own] = moving;
  if (own === undefined) return fixed(null);
  if (own.axis === at) return tensors[0]!.trace.kind === 'rows' ? 'mixes' : 'unknown';
  if (moving.some((trace) => !sameRows(trace, own))) return 'mixes';
  for (const tensor of tensors) {
    if (tensor.trace.kind === 'rows') continue;
    if (meets(tensor, own.axis) !== 'ok' || tensor.dims![own.axis] === 1) return 'unknown';
  }
  const shaped: Dims = tensors.at(-1)!.dims!;
  return rows(shaped, own.axis, own.outer, own.inner);
}
