import { divide, multiply, numberOf, type Size, size } from '../size.ts';
import { type Dims, elements, fixed, lostOf, moved, type Outcome, rows, type RowsTrace, sizesOf, type Tensor } from '../tensor.ts'; // prettier-ignore

export interface ReshapeOptions {
  /** Rows of the batch where the file fixes them. */
  readonly batch: number | null;
  /** Whether 0 takes the size that the input has there, as ONNX does. */
  readonly zeroCopies: boolean;
}

/** Other sizes for the same elements in the same order; -1 takes what is left. */
export function reshape(tensor: Tensor, target: readonly Size[], options: ReshapeOptions): Outcome {
  const { trace, dims } = tensor;
  if (trace.kind === 'lost') return lostOf([tensor]);
  const own = sizesOf(tensor, options.batch);
  const wanted = target.map((each, axis) =>
    options.zeroCopies && numberOf(each) === 0 ? (own?.[axis] ?? null) : each,
  );
  if (trace.kind === 'fixed') {
    const numbers = wanted.map(numberOf);
    if (wanted.some((each) => each !== null && each.rows !== 0)) return 'unknown';
    return { ...fixed(completed(numbers, dims)), values: tensor.values, whole: tensor.whole };
  }
  if (own === null || own.includes(null) || wanted.includes(null)) {
    return keepsBatchFirst(tensor, wanted, options.batch) ?? 'unknown';
  }
  const known = filled(wanted, own);
  if (known === null) return 'unknown';
  return placed(trace, dims!, known, options.batch) ?? 'unknown';
}

function completed(numbers: readonly (number | null)[], dims: Dims | null): Dims {
  const open = numbers.indexOf(-1);
  if (open === -1) return numbers;
  const total = dims === null ? null : elements(dims);
  const others = elements(numbers.with(open, 1));
  return numbers.with(open, total === null || others === null || others === 0 ? null : total / others);
}

/** The target with its -1 resolved, or null where a size is not known or does not come out even for every batch. */
function filled(wanted: readonly (Size | null)[], own: readonly (Size | null)[] | null): Size[] | null {
  const product = (sizes: readonly (Size | null)[]): Size | null =>
    sizes.reduce<Size | null>(
      (all, each) => (all === null || each === null ? null : multiply(all, each)),
      size(1),
    );
  const total = own === null ? null : product(own);
  const open = wanted.findIndex((each) => numberOf(each) === -1);
  const others = product(open === -1 ? wanted : wanted.with(open, size(1)));
  if (total === null || others === null) return null;
  const rest = divide(total, others, false);
  if (rest === null || !Number.isInteger(rest.plus) || !Number.isInteger(rest.rows)) return null;
  if (open === -1 && !(rest.rows === 0 && rest.plus === 1)) return null;
  const all = open === -1 ? wanted : wanted.with(open, rest);
  return all.every((each) => each !== null) ? [...all] : null;
}

/** Finds the axis of the target in which the rows stand now: they lie as far apart as before. */
function placed(
  { axis, inner }: RowsTrace,
  dims: Dims,
  target: readonly Size[],
  batch: number | null,
): Tensor | null {
  const behind = elements(dims.slice(axis + 1));
  if (behind === null) return null;
  const apart = inner * behind;
  let suffix = 1;
  for (let at = target.length - 1; at >= 0; at -= 1) {
    const here = target[at]!;
    const places = batch === null ? here.rows : here.plus / batch;
    if (apart % suffix === 0 && places > 0) {
      const newInner = apart / suffix;
      if (Number.isInteger(places / newInner) && (batch !== null || here.plus === 0)) {
        const sizes = target.map(({ plus }) => plus);
        return rows(sizes, at, places / newInner, newInner);
      }
    }
    if (here.rows !== 0) return null;
    suffix *= here.plus;
  }
  return null;
}

/** Where sizes are not known: rows that stand first and stay first, as one axis of N. */
function keepsBatchFirst(
  tensor: Tensor,
  wanted: readonly (Size | null)[],
  batch: number | null,
): Tensor | null {
  const { trace } = tensor;
  const first = wanted[0];
  if (trace.kind !== 'rows' || trace.axis !== 0 || trace.outer !== 1 || trace.inner !== 1) return null;
  if (first == null || batch !== null) return null;
  if (first.rows !== 1 || first.plus !== 0) return null;
  return moved(
    tensor,
    wanted.map((each) => (numberOf(each) === -1 ? null : numberOf(each))),
    0,
  );
}
