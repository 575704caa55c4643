import { type Dims, fixed, lostOf, type Outcome, rows, type RowsTrace, type Tensor } from '../tensor.ts';

const one = (a: number | null, b: number | null): number | null => {
  if (a === 1) return b;
  if (b === 1) return a;
  return a ?? b;
};

/** The sizes of what several tensors give together, aligned at their last axes. */
export function broadcastDims(all: readonly Dims[]): Dims {
  const rank = Math.max(...all.map((dims) => dims.length));
  return Array.from({ length: rank }, (_, axis) =>
    all.reduce<number | null>((size, dims) => one(size, at(dims, axis, rank)), 1),
  );
}

/** Size at an axis of the broadcast result; 1 where the tensor has no such axis. */
const at = (dims: Dims, axis: number, rank: number): number | null => {
  const own = axis - (rank - dims.length);
  return own < 0 ? 1 : dims[own]!;
};

/**
 * An operator that works on each element, with NumPy's broadcasting. Rows must meet at the same axis in the same order,
 * and what is fixed must be the same for each row: two batch axes that meet elsewhere pair every row with every other.
 */
export function broadcast(tensors: readonly Tensor[]): Outcome {
  if (tensors.some(({ trace }) => trace.kind === 'lost')) return lostOf(tensors);
  const dims = tensors.map((tensor) => tensor.dims);
  if (dims.some((each) => each === null)) {
    return tensors.every(({ trace }) => trace.kind === 'fixed') ? fixed(null) : 'unknown';
  }
  const all = dims as readonly Dims[];
  const rank = Math.max(...all.map((each) => each.length));
  let found: RowsTrace | null = null;
  for (const [index, { trace }] of tensors.entries()) {
    if (trace.kind !== 'rows') continue;
    const here: RowsTrace = { ...trace, axis: trace.axis + rank - all[index]!.length };
    if (found !== null && !sameRows(found, here)) return 'mixes';
    found = here;
  }
  const together = broadcastDims(all);
  if (found === null) return fixed(together);
  for (const [index, tensor] of tensors.entries()) {
    if (tensor.trace.kind === 'rows') continue;
    const met = meets(tensor, found.axis - (rank - all[index]!.length));
    if (met !== 'ok') return met;
  }
  return rows(together, found.axis, found.outer, found.inner);
}

/** Whether a fixed tensor is the same for each row when `axis` of it meets the axis of the rows. */
export function meets({ dims, equalAlong }: Tensor, axis: number): 'ok' | 'mixes' | 'unknown' {
  if (dims === null) return 'unknown';
  const count = axis < 0 ? 1 : dims[axis]!;
  if (count === 1) return 'ok';
  if (count === null) return 'unknown';
  return equalAlong?.(axis) === true ? 'ok' : 'mixes';
}

export function sameRows(a: RowsTrace, b: RowsTrace): boolean {
  return a.axis === b.axis && a.outer === b.outer && a.inner === b.inner;
}
