import type { PlainNetwork } from './plain-network.ts';

/** Each class a second time with weights that are neighbours in float32: which of the two is best is decided by rounding. */
export function twinned(network: PlainNetwork): PlainNetwork {
  const last = network.layers.at(-1)!;
  if (last.kind !== 'dense') throw new Error('the last layer is not dense');
  const neighbours = last.weights.map((each, index) => each * (1 + (index % 2 === 0 ? 1 : -1) * 2 ** -23));
  const twins = {
    ...last,
    units: 2 * last.units,
    weights: Float32Array.of(...last.weights, ...neighbours),
    biases: Float32Array.of(...last.biases, ...last.biases),
  };
  return { ...network, layers: [...network.layers.slice(0, -1), twins] };
}
