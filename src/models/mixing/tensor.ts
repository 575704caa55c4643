import { type Size, size } from './size.ts';

/**
 * What a tensor's values depend on.
 *
 * - `fixed`: neither on the images nor on their number.
 * - `rows`: along one axis stand the rows of the batch, and what belongs to a row depends on that row alone, in the same
 *   way for every row and any number of them. The axis counts `outer`·N·`inner` places; place (a·N + i)·inner + b
 *   belongs to row i. A plain batch axis has outer = inner = 1; heads folded into the batch have inner > 1.
 * - `lost`: on more than that, or nobody knows. `mixes` where an operator makes it depend on other rows, on their number or on
 *   the place for certain.
 */
export type Trace =
  | { readonly kind: 'fixed' }
  | {
      readonly kind: 'rows';
      readonly axis: number;
      readonly outer: number;
      readonly inner: number;
    }
  | { readonly kind: 'lost'; readonly mixes: boolean; readonly operators: readonly string[] };

export type RowsTrace = Extract<Trace, { kind: 'rows' }>;

/** Sizes by axis; null for one that is not known, which is the same number for every batch. */
export type Dims = readonly (number | null)[];

/** What is known of a tensor without running the graph. */
export interface Tensor {
  readonly trace: Trace;
  /** Null where the rank is not known. The axis of the rows has outer·inner here. */
  readonly dims: Dims | null;
  /** The values of a small tensor, flat, where all are known. */
  readonly values: readonly Size[] | null;
  /** Whether `values` are integers. */
  readonly whole: boolean;
  /** Whether slices along an axis are the same bytes; only for weights of the file. */
  readonly equalAlong?: (axis: number) => boolean;
}

/** What a rule says of an operator's output: a tensor, or that its rows are mixed for certain, or that it is not known. */
export type Outcome = Tensor | 'mixes' | 'unknown';

const base = { values: null, whole: false } as const;

export const fixed = (dims: Dims | null): Tensor => ({ ...base, trace: { kind: 'fixed' }, dims });

export const lost = (mixes: boolean, operators: readonly string[]): Tensor => ({
  ...base,
  trace: { kind: 'lost', mixes, operators },
  dims: null,
});

/** A tensor of rows; its axis has outer·inner whatever `dims` says there. */
export function rows(dims: Dims, axis: number, outer = 1, inner = 1): Tensor {
  return { ...base, trace: { kind: 'rows', axis, outer, inner }, dims: dims.with(axis, outer * inner) };
}

/** The same trace with other sizes, and perhaps with its rows along another axis. */
export function moved(tensor: Tensor, dims: Dims | null, axis?: number): Tensor {
  const { trace } = tensor;
  if (trace.kind !== 'rows') return { ...base, trace, dims };
  if (dims === null) throw new Error('the rank of rows is known');
  return rows(dims, axis ?? trace.axis, trace.outer, trace.inner);
}

export const isLost = ({ trace }: Tensor): boolean => trace.kind === 'lost';

/** A tensor with known values; where they depend on the number of rows, that is said by the operator that read it. */
export function known(values: readonly Size[], dims: Dims, whole: boolean, reader = 'Shape'): Tensor {
  const trace: Trace = values.every((each) => each.rows === 0)
    ? { kind: 'fixed' }
    : { kind: 'lost', mixes: true, operators: [reader] };
  return { trace, dims, values, whole };
}

/** What depends on several tensors of which one is lost at least. */
export function lostOf(tensors: readonly Tensor[]): Tensor {
  const traces = tensors.map(({ trace }) => trace).filter((trace) => trace.kind === 'lost');
  // A certain mixture is named alone: what could not be followed beside it changes nothing.
  const certain = traces.filter(({ mixes }) => mixes);
  const named = certain.length > 0 ? certain : traces;
  return lost(certain.length > 0, [...new Set(named.flatMap(({ operators }) => operators))]);
}

/** The sizes of a tensor as the graph reads them; null for each that is not known, or for an unknown rank. */
export function sizesOf({ trace, dims, values }: Tensor, batch: number | null): (Size | null)[] | null {
  // What is computed of shapes has a shape itself.
  if (dims === null || (trace.kind === 'lost' && values === null)) return null;
  return dims.map((each, axis) => {
    if (each === null) return null;
    if (trace.kind !== 'rows' || axis !== trace.axis) return size(each);
    return batch === null ? size(0, each) : size(each * batch);
  });
}

/** An axis counted from the front, or null where it is outside. */
export function axisOf(axis: number, rank: number): number | null {
  const at = axis < 0 ? axis + rank : axis;
  return at >= 0 && at < rank ? at : null;
}

/** The product of sizes, or null where one is not known. */
export function elements(dims: Dims): number | null {
  return dims.reduce<number | null>((all, each) => (all === null || each === null ? null : all * each), 1);
}
