import { MAX_SIGMA } from './limits.ts';
import { exactRatio, roundedNormalCdf } from './normal-fixed-point.ts';
import { NoiseRangeError, integerWithin } from './noise-range-error.ts';

/**
 * A law of integer noise K as 96-bit cutpoints: with U uniform on 0 … 2⁹⁶ − 1, K = max{k : C_k ≤ U}, so that
 * P[K = k] = (C_{k+1} − C_k) / 2⁹⁶ exactly.
 *
 * `values[i]` is C_{kmin+i}; there are kmax − kmin + 2 of them, from C_kmin = 0 to C_{kmax+1} = 2⁹⁶, never decreasing.
 */
export interface Cutpoints {
  readonly kmin: number;
  readonly kmax: number;
  readonly values: readonly bigint[];
}

/** 2⁹⁶, the number of values of U. */
export const CUTPOINT_ONE = 1n << 96n;

/** Grid steps a unit: pixels are k/255. */
const LEVELS = 255n;

const ELEMENTS_LIMIT = 2 ** 35;
const REMEMBERED_LAWS = 16;
const remembered = new Map<number, Cutpoints>();

/**
 * The law of K = round(255 ε), ε ~ N(0, σ²): C_k = round(2⁹⁶ · Φ((k − ½) / (255 σ))), every one correct to the last
 * bit, and C_{1−k} = 2⁹⁶ − C_k. The result is frozen, and the same object for the same σ among the last few asked for.
 *
 * Takes 10 to 300 ms for a σ not asked for lately.
 *
 * @param sigma noise standard deviation in pixel units of the [0, 1] image, above 0 and at most 2.84; taken as the
 *   exact double
 * @throws {NoiseRangeError} for any other σ
 */
export function gaussianCutpoints(sigma: number): Cutpoints {
  if (!(sigma > 0 && sigma <= MAX_SIGMA)) {
    throw new NoiseRangeError('sigma', sigma, `above 0 and at most ${MAX_SIGMA}`);
  }
  const known = remembered.get(sigma);
  if (known !== undefined) {
    remembered.delete(sigma);
    remembered.set(sigma, known);
    return known;
  }
  const law = computeGaussian(sigma);
  remembered.set(sigma, law);
  if (remembered.size > REMEMBERED_LAWS) remembered.delete(remembered.keys().next().value!);
  return law;
}

function computeGaussian(sigma: number): Cutpoints {
  const { numerator, denominator } = exactRatio(sigma);
  const scale = 2n * LEVELS * numerator;
  const upper: bigint[] = []; // C_1, C_2, … below 2⁹⁶
  for (let k = 1n; ; k++) {
    const cutpoint = roundedNormalCdf({ numerator: (2n * k - 1n) * denominator, denominator: scale });
    if (cutpoint >= CUTPOINT_ONE) break;
    upper.push(cutpoint);
  }
  const lower = upper.map((cutpoint) => CUTPOINT_ONE - cutpoint).reverse();
  const kmax = upper.length;
  return Object.freeze({
    kmin: 0 - kmax, // never −0
    kmax,
    values: Object.freeze([0n, ...lower, ...upper, CUTPOINT_ONE]),
  });
}

/**
 * An upper bound of the total variation distance between `elements` independent draws of a law and of the real law it
 * was rounded from; it is to be subtracted from p̲_A once.
 *
 * Derivation, with G the exact distribution function at the cutpoints and δ_k = C_k/2⁹⁶ − G_k. Rounding to the nearest
 * gives |δ_k| ≤ 2⁻⁹⁷ for every k, and the two tails beyond the first and the last cutpoint, where C says 0 and 1, weigh
 * at most 2⁻⁹⁷ each. The distance of one draw is half the sum of |ΔP[K = k]|: for each of the m = kmax − kmin + 1
 * values this is at most |δ_k| + |δ_{k+1}| ≤ 2⁻⁹⁶, and the tails add 2⁻⁹⁷ each, hence TV ≤ (m + 1) · 2⁻⁹⁷; independent
 * draws add up (Levin & Peres, "Markov Chains and Mixing Times", 2nd ed., exercise 4.4). The product of integers below
 * 2⁵³ and a power of two is exact in a double.
 *
 * @param cutpoints a law of cutpoints rounded to the nearest, such as `gaussianCutpoints` gives
 * @param elements draws of one sample (pixels times channels), 0 to 2³⁵
 * @throws {NoiseRangeError} for any other number of elements
 */
export function totalVariationBound(cutpoints: Cutpoints, elements: number): number {
  integerWithin('elements', elements, 0, ELEMENTS_LIMIT);
  return elements * (cutpoints.kmax - cutpoints.kmin + 2) * 2 ** -97;
}
