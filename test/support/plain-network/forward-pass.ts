import { type Extent, extentsOf, type Layer, type PlainNetwork, sizeOf } from './plain-network.ts';

/** What a layer computes for one image in double precision. */
export interface LayerPass {
  readonly layer: Layer;
  readonly from: Extent;
  readonly to: Extent;
  /** Before the ReLU, in the order channel, row, column. */
  readonly sums: Float64Array;
  /** Of the products and the bias of each sum, their absolute values together. */
  readonly magnitudes: Float64Array;
}

/** Calls `visit` for each product of a layer with the places of sum, weight and input value; zeros outside are left out. */
export function forEachProduct(
  { layer, from, to }: Pick<LayerPass, 'layer' | 'from' | 'to'>,
  visit: (sum: number, weight: number, input: number) => void,
): void {
  if (layer.kind === 'dense') {
    const inputs = sizeOf(from);
    for (let unit = 0; unit < layer.units; unit += 1)
      for (let input = 0; input < inputs; input += 1) visit(unit, unit * inputs + input, input);
    return;
  }
  const { kernel, strides, pads } = layer;
  const taps = kernel[0] * kernel[1];
  for (let sum = 0; sum < sizeOf(to); sum += 1) {
    const filter = Math.floor(sum / (to.height * to.width));
    const top = (Math.floor(sum / to.width) % to.height) * strides[0] - pads[0];
    const left = (sum % to.width) * strides[1] - pads[1];
    for (let row = Math.max(0, -top); row < kernel[0] && top + row < from.height; row += 1) {
      for (let column = Math.max(0, -left); column < kernel[1] && left + column < from.width; column += 1) {
        for (let channel = 0; channel < from.channels; channel += 1) {
          const weight = (filter * from.channels + channel) * taps + row * kernel[1] + column;
          visit(sum, weight, (channel * from.height + top + row) * from.width + left + column);
        }
      }
    }
  }
}

/** How many products a sum of the layer has at most. */
export function productsOf({ layer, from }: Pick<LayerPass, 'layer' | 'from'>): number {
  return layer.kind === 'dense' ? sizeOf(from) : from.channels * layer.kernel[0] * layer.kernel[1];
}

/** One image through the network, layer by layer; the sums of the last layer are the scores. */
export function forwardPass(network: PlainNetwork, image: Float32Array): LayerPass[] {
  const extents = extentsOf(network);
  let values = Float64Array.from(image);
  return network.layers.map((layer, index) => {
    const [from, to] = [extents[index]!, extents[index + 1]!];
    const { weights, biases, relu } = layer;
    const share = sizeOf(to) / biases.length;
    const sums = Float64Array.from({ length: sizeOf(to) }, (_, sum) => biases[Math.floor(sum / share)]!);
    const magnitudes = sums.map(Math.abs);
    const inputs = values;
    forEachProduct({ layer, from, to }, (sum, weight, input) => {
      const product = weights[weight]! * inputs[input]!;
      sums[sum]! += product;
      magnitudes[sum]! += Math.abs(product);
    });
    values = relu ? sums.map((sum) => Math.max(0, sum)) : sums;
    return { layer, from, to, sums, magnitudes };
  });
}
