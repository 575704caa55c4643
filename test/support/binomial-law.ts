/**
 * P[X = k] of X ~ Binomial(n, p) for k = 0 … n, by the recurrence between neighbours from the mode outwards, normalised
 * by its sum: no gamma function, no continued fraction, nothing of src/statistics.
 *
 * @param p in (0, 1)
 */
export function binomialLaw(n: number, p: number): Float64Array {
  const law = new Float64Array(n + 1);
  const mode = Math.min(n, Math.floor((n + 1) * p));
  law[mode] = 1;
  for (let k = mode; k < n; k++) law[k + 1] = (law[k]! * (n - k) * p) / ((k + 1) * (1 - p));
  for (let k = mode; k > 0; k--) law[k - 1] = (law[k]! * k * (1 - p)) / ((n - k + 1) * p);
  const sum = law.reduce((total, each) => total + each, 0);
  return law.map((each) => each / sum);
}

/** The least c with P[X > c] <= tail: more than this is a false alarm with at most that probability. */
export function binomialMost(n: number, p: number, tail: number): number {
  const law = binomialLaw(n, p);
  let above = 0;
  for (let k = n; k > 0; k--) {
    above += law[k]!;
    if (above > tail) return k;
  }
  return 0;
}

/** The largest c with P[X < c] <= tail. */
export function binomialLeast(n: number, p: number, tail: number): number {
  return n - binomialMost(n, 1 - p, tail);
}
