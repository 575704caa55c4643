import { numberOf, type Size, size, subtract } from '../size.ts';
import { axisOf, type Dims, fixed, moved, type Outcome, rows, type RowsTrace, sizesOf, type Tensor } from '../tensor.ts'; // prettier-ignore
import { meets, sameRows } from './broadcast.ts';
import { rowsAxis } from './axes.ts';

// Operators that cut tensors and put them together.

const orFixed = (tensors: readonly Tensor[]): Outcome =>
  tensors.every(({ trace }) => trace.kind === 'fixed') ? fixed(null) : 'unknown';

/** Joins tensors along an axis. Whole batches that are joined along their rows stay rows: [batch; batch] is outer 2. */
export function concat(tensors: readonly Tensor[], axis: number): Outcome {
  const dims = tensors.map((tensor) => tensor.dims);
  const [first] = dims;
  if (first == null || dims.some((each) => each === null || each.length !== first.length))
    return orFixed(tensors);
  const at = axisOf(axis, first.length);
  if (at === null) return 'unknown';
  const all = dims as readonly Dims[];
  const sum = all.reduce<number | null>(
    (total, each) => (total === null || each[at] == null ? null : total + each[at]),
    0,
  );
  const traces = tensors.map(({ trace }) => trace).filter((trace): trace is RowsTrace => trace.kind === 'rows');
  const [own] = traces;
  const joined = first.with(at, sum);
  if (own === undefined) return fixed(joined);
  if (own.axis === at) {
    if (traces.length < tensors.length) return 'unknown';
    if (traces.some((trace) => trace.axis !== at)) return 'mixes';
    if (traces.some((trace) => trace.inner !== own.inner)) return 'unknown';
    const outer = traces.reduce((total, trace) => total + trace.outer, 0);
    return rows(joined, at, outer, own.inner);
  }
  if (traces.some((trace) => !sameRows(trace, own))) return 'mixes';
  for (const tensor of tensors) {
    if (tensor.trace.kind === 'rows') continue;
    const met = meets(tensor, own.axis);
    // Joining does not broadcast: one row beside N fits for N = 1 alone.
    if (met !== 'ok' || tensor.dims![own.axis] === 1) return met === 'unknown' ? met : 'mixes';
  }
  return rows(joined, own.axis, own.outer, own.inner);
}

/**
 * The places of an axis from `start` to before `end` in steps; null for what is not known. Whole copies of the batch may
 * be cut out of several.
 */
export function slice(
  tensor: Tensor,
  axis: number,
  [start, end, step]: readonly [Size | null, Size | null, Size | null],
  batch: number | null,
): Outcome {
  const { dims, trace } = tensor;
  if (dims === null) return orFixed([tensor]);
  const at = axisOf(axis, dims.length);
  if (at === null) return 'unknown';
  const stride = numberOf(step);
  const count = sizesOf(tensor, batch)![at] ?? null;
  if (trace.kind === 'rows' && trace.axis === at) {
    if (start === null || end === null || stride === null || count === null) return 'unknown';
    return cutRows(tensor, trace, [start, end, stride], count, batch);
  }
  const [from, to, size] = [numberOf(start), numberOf(end), numberOf(count)];
  const grows = (each: Size | null, number: number | null): boolean => each !== null && number === null;
  if (grows(start, from) || grows(end, to) || grows(step, stride)) return 'unknown';
  if (from === null || to === null || stride === null || size === null) return moved(tensor, dims.with(at, null));
  return moved(tensor, dims.with(at, sliceCount(size, from, to, stride)));
}

/** How many places ONNX and NumPy cut. */
export function sliceCount(size: number, start: number, end: number, step: number): number {
  const clamp = (value: number): number => {
    const place = value < 0 ? value + size : value;
    return step > 0 ? Math.min(Math.max(place, 0), size) : Math.min(Math.max(place, -1), size - 1);
  };
  return Math.max(0, Math.ceil((clamp(end) - clamp(start)) / step));
}

/** Numbers from here on mean "to the end", whatever the size. */
const END = 2 ** 30;

function cutRows(
  tensor: Tensor,
  trace: RowsTrace,
  [start, end, step]: readonly [Size, Size, number],
  count: Size,
  batch: number | null,
): Outcome {
  if (step !== 1) return 'mixes';
  const negative = (each: Size): boolean => (batch === null ? each.rows < 0 : false) || (each.rows === 0 && each.plus < 0);
  const fromFront = (each: Size): Size => (negative(each) ? size(each.plus + count.plus, each.rows + count.rows) : each);
  // A batch of rows that the file fixes has its numbers without N.
  const copies = (each: Size): number | null => {
    const places = batch === null ? each.rows : each.plus / batch;
    if (batch === null && each.plus !== 0) return null;
    const whole = places / trace.inner;
    return Number.isInteger(whole) ? whole : null;
  };
  const first = copies(fromFront(start));
  const last = end.rows === 0 && end.plus >= END ? trace.outer : copies(fromFront(end));
  if (first === null || last === null) return 'mixes';
  const outer = Math.min(last, trace.outer) - Math.max(first, 0);
  if (first < 0 || outer < 1) return 'mixes';
  return rows(tensor.dims!, trace.axis, outer, trace.inner);
}

/** Cuts an axis into pieces of these sizes. */
export function split(
  tensor: Tensor,
  axis: number,
  sizes: readonly (Size | null)[],
  batch: number | null,
): Outcome[] {
  let start: Size | null = size(0);
  return sizes.map((each) => {
    const from: Size | null = start;
    start = from === null || each === null ? null : subtract(from, size(-each.plus, -each.rows));
    return slice(tensor, axis, [from, start, size(1)], batch);
  });
}

/** Cuts an axis into so many equal pieces; of batches that were joined whole ones come apart again. */
export function splitEvenly(tensor: Tensor, axis: number, count: number): Outcome {
  const { dims, trace } = tensor;
  if (dims === null) return orFixed([tensor]);
  const at = axisOf(axis, dims.length);
  if (at === null) return 'unknown';
  if (trace.kind === 'rows' && trace.axis === at) {
    const outer = trace.outer / count;
    return Number.isInteger(outer) ? rows(dims, at, outer, trace.inner) : 'mixes';
  }
  const whole = dims[at]!;
  return moved(tensor, dims.with(at, whole === null ? null : whole / count));
}

/** Elements put before and behind each axis. */
export function pad(tensor: Tensor, before: readonly number[], after: readonly number[]): Outcome {
  const { dims } = tensor;
  if (dims === null || before.length !== dims.length) return orFixed([tensor]);
  const own = rowsAxis(tensor);
  if (own !== null && (before[own] !== 0 || after[own] !== 0)) return 'mixes';
  return moved(
    tensor,
    dims.map((each, axis) => (each === null ? null : each + before[axis]! + after[axis]!)),
  );
}

/** Repeats each axis. */
export function tile(tensor: Tensor, repeats: readonly (Size | null)[]): Outcome {
  const { dims, trace } = tensor;
  if (dims === null || repeats.length !== dims.length) return orFixed([tensor]);
  if (trace.kind === 'rows') {
    const times = repeats.map(numberOf);
    const own = times[trace.axis];
    if (own == null || own < 1 || repeats.some((each) => each !== null && each.rows !== 0)) return 'unknown';
    const grown = dims.map((each, axis) => (each === null || times[axis] == null ? null : each * times[axis]));
    return rows(grown, trace.axis, trace.outer * own, trace.inner);
  }
  return grownByRows(
    dims.map((each, axis) => {
      const times = repeats[axis];
      return times == null || each === null ? null : size(each * times.plus, each * times.rows);
    }),
    dims,
    null,
  );
}

/** What is fixed, spread to other sizes by copying along axes of size 1; it becomes rows where a size is N. */
export function spread(tensor: Tensor, target: readonly (Size | null)[], batch: number | null): Outcome {
  const { dims, trace } = tensor;
  if (dims === null) return target.every((each) => numberOf(each) !== null) ? orFixed([tensor]) : 'unknown';
  const own = sizesOf(tensor, batch)!;
  const rank = Math.max(dims.length, target.length);
  const shift = rank - dims.length;
  const wanted = Array.from({ length: rank }, (_, axis) => {
    const asked = axis < rank - target.length ? size(1) : target[axis - (rank - target.length)]!;
    const here = axis < shift ? size(1) : own[axis - shift]!;
    if (numberOf(asked) === 1) return here;
    return asked;
  });
  if (trace.kind === 'fixed') {
    return grownByRows(
      wanted,
      Array.from({ length: rank }, (_, axis) => (axis < shift ? 1 : dims[axis - shift]!)),
      batch,
    );
  }
  if (trace.kind === 'lost') return 'unknown';
  const axis = trace.axis + shift;
  const count = own[trace.axis]!;
  const asked = wanted[axis];
  if (asked == null || asked.rows !== count.rows || asked.plus !== count.plus) return 'unknown';
  const sizes = wanted.map((each, at) => (at === axis ? 1 : numberOf(each)));
  if (wanted.some((each, at) => at !== axis && each !== null && each.rows !== 0)) return 'mixes';
  return rows(sizes, axis, trace.outer, trace.inner);
}

/** What is fixed with these sizes: rows that are all the same, where exactly one of them is N and was 1 before. */
function grownByRows(sizes: readonly (Size | null)[], before: Dims, batch: number | null): Outcome {
  const growing = sizes.flatMap((each, axis) => (each !== null && each.rows !== 0 ? [axis] : []));
  const numbers = sizes.map((each) => (each?.rows === 0 ? each.plus : null));
  // An axis that was copied is the same all along, however many rows a file fixes.
  if (growing.length === 0) return batch === null ? fixed(numbers) : { ...fixed(numbers), equalAlong: (at) => before[at] === 1 };
  const [axis] = growing;
  if (growing.length > 1 || before[axis!] !== 1) return 'unknown';
  const { rows: times, plus } = sizes[axis!]!;
  return times === 1 && plus === 0 ? rows(numbers, axis!) : 'unknown';
}
