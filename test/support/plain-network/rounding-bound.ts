import { forEachProduct, type LayerPass, productsOf } from './forward-pass.ts';
import { sizeOf } from './plain-network.ts';

/** Unit roundoff of float32, rounding to nearest. */
const UNIT = 2 ** -24;

/**
 * Standard deviations. Independent roundings with mean 0 leave them with a probability of at most 2·exp(-8²/2) = 2.6e-14
 * (Hoeffding's inequality).
 */
const LAMBDA = 8;

/**
 * How far float32 arithmetic may move the difference of two scores, to first order in the unit roundoff, where roundings are
 * independent and have mean 0: the model of Higham and Mary, A New Approach to Probabilistic Rounding Error Analysis, SIAM
 * J. Sci. Comput. 41(5), 2019.
 *
 * A sum of k products and a bias meets at most k roundings of products and k of additions, each of at most the unit
 * roundoff times the sum of magnitudes, in whatever order it is added and with or without fused operations. How much of a
 * layer's roundings arrives in the difference of the scores is its derivative.
 */
export function roundingBound(passes: readonly LayerPass[], one: number, other: number): number {
  const last = passes.at(-1)!;
  let slopes = new Float64Array(sizeOf(last.to));
  slopes[one]! += 1;
  slopes[other]! -= 1;
  let variance = 0;
  for (const [index, pass] of [...passes.entries()].reverse()) {
    const { layer, from, magnitudes, sums } = pass;
    // A ReLU lets nothing of a negative sum through.
    const passed = slopes.map((slope, sum) => (layer.relu && sums[sum]! <= 0 ? 0 : slope));
    const products = productsOf(pass);
    for (const [sum, slope] of passed.entries()) variance += 2 * products * (slope * magnitudes[sum]!) ** 2;
    if (index === 0) break;
    const before = new Float64Array(sizeOf(from));
    forEachProduct(pass, (sum, weight, input) => {
      before[input]! += passed[sum]! * layer.weights[weight]!;
    });
    slopes = before;
  }
  return LAMBDA * UNIT * Math.sqrt(variance);
}
