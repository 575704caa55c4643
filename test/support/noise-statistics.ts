import { type Cutpoints } from '../../src/random/cutpoints.ts';
import { chiSquaredTail } from './chi-squared.ts';

/** Cells of less than this expected count are pooled; from there on χ² is good far out in its tail. */
const LEAST_EXPECTED = 200;

/** Cells a side of the contingency tables; each holds about an eighth of the law. */
const SIDE = 8;

/** P[K = kmin + i], from the integers. */
function probabilities({ values }: Cutpoints): Float64Array {
  return Float64Array.from(
    { length: values.length - 1 },
    (_, i) => Number(values[i + 1]! - values[i]!) / 2 ** 96,
  );
}

/** The cell of each K when neighbouring integers are pooled until a cell has at least the wanted probability. */
function pool(law: Cutpoints, wanted: number): { cells: Uint16Array; weights: number[] } {
  const single = probabilities(law);
  const cells = new Uint16Array(single.length);
  const weights = [0];
  for (let i = 0; i < single.length; i++) {
    if (weights.at(-1)! >= wanted) weights.push(0);
    cells[i] = weights.length - 1;
    weights[weights.length - 1]! += single[i]!;
  }
  // what is left at the end joins the cell before
  const last = weights.length - 1;
  if (last > 0 && weights[last]! < wanted) {
    weights[last - 1]! += weights.pop()!;
    for (let i = 0; i < cells.length; i++) if (cells[i] === last) cells[i] = last - 1;
  }
  return { cells, weights };
}

/** Pearson's test of counts against fully specified probabilities. */
function pearson(counts: ArrayLike<number>, weights: readonly number[], total: number): number {
  let statistic = 0;
  for (const [i, weight] of weights.entries())
    statistic += (counts[i]! - weight * total) ** 2 / (weight * total);
  return chiSquaredTail(statistic, weights.length - 1);
}

/** p-value of "these are independent draws of the law", by their frequencies. */
export function fitPValue(law: Cutpoints, noise: Int16Array): number {
  const { cells, weights } = pool(law, LEAST_EXPECTED / noise.length);
  const counts = new Float64Array(weights.length);
  for (const k of noise) counts[cells[k - law.kmin]!]! += 1;
  return pearson(counts, weights, noise.length);
}

/** p-value of "a[i] and b[i] are independent draws of the law", by an 8 by 8 table: dependence of any kind. */
export function independencePValue(law: Cutpoints, a: Int16Array, b: Int16Array): number {
  const { cells, weights } = pool(law, 1 / SIDE - 0.01);
  const side = weights.length;
  const counts = new Float64Array(side * side);
  for (let i = 0; i < a.length; i++) {
    counts[cells[a[i]! - law.kmin]! * side + cells[b[i]! - law.kmin]!]! += 1;
  }
  const joint = weights.flatMap((first) => weights.map((second) => first * second));
  return pearson(counts, joint, a.length);
}

/**
 * p-value of "a[i] and b[i] are uncorrelated draws of the law": with the law's own mean 0 and variance v, the sum of
 * a·b has variance n·v², so z = Σab/(v√n) is standard normal and z² χ² with one degree of freedom.
 */
export function correlationPValue(law: Cutpoints, a: Int16Array, b: Int16Array): number {
  const variance = probabilities(law).reduce((sum, p, i) => sum + p * (law.kmin + i) ** 2, 0);
  let products = 0;
  for (let i = 0; i < a.length; i++) products += a[i]! * b[i]!;
  return chiSquaredTail(products ** 2 / (variance ** 2 * a.length), 1);
}
