import { fixed, type Outcome, rows, type RowsTrace, type Tensor } from '../tensor.ts';
import { rowsAxis, squeeze, unsqueeze } from './axes.ts';
import { broadcastDims, meets } from './broadcast.ts';

// Sums of products. Rows may stand in any axis that is not summed over.

/** A product of matrices, with NumPy's batch axes before the last two. */
export function matmul(a: Tensor, b: Tensor): Outcome {
  if (a.dims === null || b.dims === null) {
    return [a, b].every(({ trace }) => trace.kind === 'fixed') ? fixed(null) : 'unknown';
  }
  if (a.dims.length === 0 || b.dims.length === 0) return 'unknown';
  // A vector is a matrix of one row, or of one column, whose axis goes again.
  if (a.dims.length === 1) return chained(unsqueeze(a, [0]), (it) => chained(matmul(it, b), (it) => squeeze(it, [-2])));
  if (b.dims.length === 1) return chained(unsqueeze(b, [1]), (it) => chained(matmul(a, it), (it) => squeeze(it, [-1])));
  const rank = Math.max(a.dims.length, b.dims.length);
  const dims = [
    ...broadcastDims([a.dims.slice(0, -2), b.dims.slice(0, -2), Array.from({ length: rank - 2 }, () => 1)]),
    a.dims.at(-2)!,
    b.dims.at(-1)!,
  ];
  const places: { trace: RowsTrace; axis: number }[] = [];
  for (const [tensor, summed, other] of [
    [a, -1, -2],
    [b, -2, -1],
  ] as const) {
    if (tensor.trace.kind !== 'rows') continue;
    const fromEnd = tensor.trace.axis - tensor.dims!.length;
    if (fromEnd === summed) return 'mixes';
    places.push({ trace: tensor.trace, axis: rank + (fromEnd === other ? (tensor === a ? -2 : -1) : fromEnd) });
  }
  const [first, second] = places;
  if (first === undefined) return fixed(dims);
  if (second !== undefined) {
    const alike = first.trace.outer === second.trace.outer && first.trace.inner === second.trace.inner;
    if (first.axis !== second.axis || !alike) return 'mixes';
  } else if (first.axis < rank - 2) {
    const still = a.trace.kind === 'rows' ? b : a;
    const met = meets(still, first.axis - (rank - still.dims!.length));
    if (met !== 'ok') return met;
  }
  return rows(dims, first.axis, first.trace.outer, first.trace.inner);
}

function chained(outcome: Outcome, next: (tensor: Tensor) => Outcome): Outcome {
  return typeof outcome === 'string' ? outcome : next(outcome);
}

/** Einstein's summation. An ellipsis stands for the leading axes that no letter names. */
export function einsum(equation: string, tensors: readonly Tensor[]): Outcome {
  if (tensors.some(({ dims }) => dims === null)) {
    return tensors.every(({ trace }) => trace.kind === 'fixed') ? fixed(null) : 'unknown';
  }
  const [left = '', right] = equation.replaceAll(/\s/g, '').split('->');
  const terms = left.split(',');
  if (right === undefined || terms.length !== tensors.length) return 'unknown';
  // Axes of an ellipsis get names that are no letters, counted from its end.
  const dots = Math.max(
    0,
    ...terms.map((term, index) => (term.includes('...') ? tensors[index]!.dims!.length - (term.length - 3) : 0)),
  );
  const names = (term: string, count: number): string[] => {
    const [before = '', after] = term.split('...');
    if (after === undefined) return before.split('');
    const inside = count - before.length - after.length;
    const dotted = Array.from({ length: Math.max(0, inside) }, (_, index) => `.${inside - index}`);
    return [...before.split(''), ...dotted, ...after.split('')];
  };
  const named = terms.map((term, index) => names(term, tensors[index]!.dims!.length));
  const output = names(right, right.includes('...') ? right.length - 3 + dots : right.length);
  const sizes = new Map<string, number | null>();
  const carrying = new Map<string, RowsTrace>();
  for (const [index, axes] of named.entries()) {
    const { dims, trace } = tensors[index]!;
    if (axes.length !== dims!.length) return 'unknown';
    axes.forEach((name, axis) => sizes.set(name, sizes.get(name) === 1 ? dims![axis]! : (sizes.get(name) ?? dims![axis]!)));
    if (trace.kind !== 'rows') continue;
    const letter = axes[trace.axis]!;
    if (axes.filter((name) => name === letter).length > 1) return 'unknown';
    const other = carrying.get(letter);
    if (other !== undefined && (other.outer !== trace.outer || other.inner !== trace.inner)) return 'mixes';
    carrying.set(letter, trace);
  }
  const dims = output.map((name) => sizes.get(name) ?? null);
  const [letter, ...others] = carrying.keys();
  if (letter === undefined) return fixed(dims);
  const at = output.indexOf(letter);
  if (others.length > 0 || at === -1) return 'mixes';
  if (output.lastIndexOf(letter) !== at) return 'unknown';
  for (const [index, axes] of named.entries()) {
    const tensor = tensors[index]!;
    if (tensor.trace.kind === 'rows' || !axes.includes(letter)) continue;
    const met = meets(tensor, axes.indexOf(letter));
    if (met !== 'ok') return met;
  }
  const { outer, inner } = carrying.get(letter)!;
  return rows(dims, at, outer, inner);
}

export interface Window {
  /** Sizes of the window along the spatial axes, or null where they are not known. */
  readonly window: readonly (number | null)[] | null;
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Elements put before and behind all of an axis together; null where the padding keeps size / stride. */
  readonly padding: readonly number[] | null;
  readonly ceil: boolean;
}

/** Axes of an image tensor that carry channels and space. */
export interface ImageAxes {
  readonly channels: number;
  readonly space: readonly number[];
}

export function imageAxes(rank: number, channelsLast: boolean): ImageAxes {
  const space = Array.from({ length: Math.max(0, rank - 2) }, (_, index) => index + (channelsLast ? 1 : 2));
  return { channels: channelsLast ? rank - 1 : 1, space };
}

/**
 * A window that moves over space: a convolution (`channels` its outputs) or a pool (`channels` undefined: each channel by
 * itself).
 */
export function windowed(
  tensor: Tensor,
  { channels: channelAxis, space }: ImageAxes,
  window: Window,
  channels?: number | null,
): Outcome {
  const { dims } = tensor;
  if (dims === null) return tensor.trace.kind === 'fixed' ? fixed(null) : 'unknown';
  const own = rowsAxis(tensor);
  if (own === channelAxis && channels !== undefined) return 'mixes';
  if (own !== null && space.includes(own)) {
    // A window of one place in steps of one meets no neighbour.
    const at = space.indexOf(own);
    return window.window?.[at] === 1 && window.strides[at] === 1 ? 'unknown' : 'mixes';
  }
  const sizes: (number | null)[] = [...dims];
  if (channels !== undefined) sizes[channelAxis] = channels;
  space.forEach((axis, index) => {
    sizes[axis] = covered(dims[axis]!, index, window);
  });
  const { trace } = tensor;
  return trace.kind === 'rows' ? rows(sizes, trace.axis, trace.outer, trace.inner) : fixed(sizes);
}

function covered(length: number | null, at: number, { window, strides, dilations, padding, ceil }: Window): number | null {
  const stride = strides[at] ?? 1;
  if (length === null) return null;
  if (padding === null) return Math.ceil(length / stride);
  const span = window?.[at];
  if (span == null) return null;
  const steps = (length + padding[at]! - ((span - 1) * (dilations[at] ?? 1) + 1)) / stride;
  // How a last window that hangs over is counted differs between versions; then the size is left open.
  if (ceil && !Number.isInteger(steps)) return null;
  return Math.floor(steps) + 1;
}
