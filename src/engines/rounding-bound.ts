import type { Precision } from './compute-target.ts';

/** Half the distance of 1 to the next number: the largest relative error of one rounding to nearest. */
const UNIT: Readonly<Record<Precision, number>> = { fp32: 2 ** -24, tf32: 2 ** -11 };
/** Roundings in a row that one score may depend on: of sums in float32, of the factors of each layer's products in TF32. */
const ROUNDINGS: Readonly<Record<Precision, number>> = { fp32: 2 ** 20, tf32: 2 ** 6 };
/** Standard deviations that the sum of so many roundings is allowed. */
const DEVIATIONS = 8;
/** How far rounding inside a network may outdo a nudge of its pixels that is 256 times as large as a rounding of 1. */
const NUDGES = 4;
/** A network that is steeper than that has no bound worth the name: what lies further apart is not called rounding. */
const MOST = 2 ** -4;

/**
 * How far two computations of one row's scores may lie apart where nothing but rounding differs: the order of sums, the
 * width of the registers, fused operations. What lies further apart depends on something else than the row.
 *
 * A score is the end of a chain of sums. Whatever their order, n roundings with relative errors of at most u, which are as
 * good as independent and of mean zero, change it by more than λ√n·u of what was summed with probability below
 * 2·exp(−λ²/2) (Higham and Mary, SIAM J. Sci. Comput. 41(5), 2019, Theorem 2.4): λ = 8 makes that 3·10⁻¹⁴. In float32 u is
 * 2⁻²⁴, and n = 2²⁰ is more than the sums of any usual network are long together (VGG-19: 1.1·10⁵; ViT-L/16: 2.5·10⁵). Two
 * computations lie at most twice as far apart: 2·8·2¹⁰·2⁻²⁴ = 2⁻¹⁰. TF32 rounds the factors of products to 11 bits, one
 * rounding a layer on the way, n = 2⁶ layers: 2·8·2³·2⁻¹¹ = 2⁻⁴.
 *
 * "What was summed" is inside the network. The largest score of the probe's rows stands for it; and where a network
 * magnifies what happens early on (steep, saturated, or quantised in between, so that one rounding moves a value by a whole
 * step), four times what a change of each pixel by 2⁻¹⁶ does to the same scores, but no more than 2⁻⁴ of the largest.
 * Measured: 2·10⁻⁶ of the largest score at most, over 69 networks on ONNX Runtime's CPU kernels.
 *
 * @param largest absolute score of the probe's rows
 * @param nudged largest difference of a score after a nudge of 2⁻¹⁶ of each pixel
 */
export function roundingBound(precision: Precision, largest: number, nudged: number): number {
  const share = 2 * DEVIATIONS * Math.sqrt(ROUNDINGS[precision]) * UNIT[precision];
  return Math.max(share * largest, Math.min(NUDGES * nudged, MOST * largest));
}
