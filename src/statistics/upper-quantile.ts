/**
 * Wichura, "Algorithm AS 241: The Percentage Points of the Normal Distribution", Applied Statistics 37 (1988),
 * routine PPND16: coefficients of the three rational functions, highest power first,
 * in the shortest digits that denote the same doubles as the published ones.
 */
const CENTRE_TOP: readonly number[] = [
  2509.0809287301227, 33430.57558358813, 67265.7709270087, 45921.95393154987, 13731.69376550946,
  1971.5909503065513, 133.14166789178438, 3.3871328727963665,
];
const CENTRE_BOTTOM: readonly number[] = [
  5226.495278852854, 28729.085735721943, 39307.89580009271, 21213.794301586597, 5394.196021424751,
  687.1870074920579, 42.31333070160091, 1,
];
const MIDDLE_TOP: readonly number[] = [
  0.0007745450142783414, 0.022723844989269184, 0.2417807251774506, 1.2704582524523684, 3.6478483247632045,
  5.769497221460691, 4.630337846156546, 1.4234371107496835,
];
const MIDDLE_BOTTOM: readonly number[] = [
  1.0507500716444169e-9, 0.0005475938084995345, 0.015198666563616457, 0.14810397642748008, 0.6897673349851,
  1.6763848301838038, 2.053191626637759, 1,
];
const TAIL_TOP: readonly number[] = [
  2.0103343992922881e-7, 2.7115555687434876e-5, 0.0012426609473880784, 0.026532189526576124,
  0.29656057182850487, 1.7848265399172913, 5.463784911164114, 6.657904643501103,
];
const TAIL_BOTTOM: readonly number[] = [
  2.0442631033899397e-15, 1.421511758316446e-7, 1.8463183175100548e-5, 0.0007868691311456133,
  0.014875361290850615, 0.1369298809227358, 0.599832206555888, 1,
];

/** Half-width of the central region, and its square in AS 241. */
const CENTRE_WITHIN = 0.425;
const CENTRE_SQUARE = 0.180625;

/**
 * The z with 1 − Φ(z) = q for q in (0, 1/2], relative error below 2e-15 also where z is near 0.
 *
 * @param q in (0, 1/2]; not checked
 */
export function upperQuantile(q: number): number {
  // Exact where q is at least 1/4 (Sterbenz), the only place where the difference can be small.
  const distance = 0.5 - q;
  if (distance <= CENTRE_WITHIN) {
    const r = CENTRE_SQUARE - distance * distance;
    return (distance * horner(CENTRE_TOP, r)) / horner(CENTRE_BOTTOM, r);
  }
  const r = Math.sqrt(-Math.log(q));
  if (r <= 5) return horner(MIDDLE_TOP, r - 1.6) / horner(MIDDLE_BOTTOM, r - 1.6);
  return horner(TAIL_TOP, r - 5) / horner(TAIL_BOTTOM, r - 5);
}

/** The polynomial with these coefficients, highest power first, at x. */
function horner(coefficients: readonly number[], x: number): number {
  let sum = 0;
  for (const coefficient of coefficients) sum = sum * x + coefficient;
  return sum;
}
