import {
  attribute,
  floats,
  type OnnxNode,
  type OnnxTensor,
  onnxFile,
  readOnnxFile,
  value,
} from '../onnx-file.ts';
import type { Convolution, Dense, Layer, PlainNetwork } from './plain-network.ts';

/** Reads an ONNX file of Conv, Relu, Flatten and Gemm in a row, and refuses what else a file may say. */
export function readOnnxNetwork(bytes: Uint8Array): PlainNetwork {
  const { node: nodes = [], initializer = [], input: inputs = [] } = readOnnxFile(bytes);
  const weights = new Map(initializer.map((tensor) => [tensor.name!, tensor]));
  const [, channels, height, width] = inputs[0]!.type.tensor_type.shape.dim.map(
    ({ dim_value: size }) => size,
  );
  const layers: Layer[] = [];
  let flowing = inputs[0]!.name;
  for (const node of nodes) {
    const [input, kernel, bias] = node.input ?? [];
    if (input !== flowing)
      throw new Error(`${node.op_type} takes ${input}, not ${flowing}: no plain network`);
    flowing = node.output![0]!;
    const last = layers.at(-1);
    if (node.op_type === 'Relu' && last?.relu === false) layers[layers.length - 1] = { ...last, relu: true };
    else if (node.op_type === 'Conv')
      layers.push(readConvolution(node, weights.get(kernel!)!, weights.get(bias!)!));
    else if (node.op_type === 'Gemm')
      layers.push(readDense(node, weights.get(kernel!)!, weights.get(bias!)!));
    else if (node.op_type !== 'Flatten') throw new Error(`${node.op_type} is in no plain network`);
  }
  return { input: { channels: channels!, height: height!, width: width! }, layers };
}

function attributesOf(
  node: OnnxNode,
  known: readonly string[],
): Map<string, { i?: number; ints?: number[] }> {
  const found = new Map(
    (node.attribute ?? []).map((each) => [each.name, each as { i?: number; ints?: number[] }]),
  );
  for (const name of found.keys()) if (!known.includes(name)) throw new Error(`${node.op_type} has ${name}`);
  return found;
}

function readConvolution(node: OnnxNode, kernel: OnnxTensor, bias: OnnxTensor): Convolution {
  const attributes = attributesOf(node, ['kernel_shape', 'pads', 'strides']);
  const [filters, , height, width] = kernel.dims!;
  const [vertical, horizontal] = attributes.get('strides')?.ints ?? [1, 1];
  const [top, left, bottom, right] = attributes.get('pads')?.ints ?? [0, 0, 0, 0];
  return {
    kind: 'convolution',
    filters: filters!,
    kernel: [height!, width!],
    strides: [vertical!, horizontal!],
    pads: [top!, left!, bottom!, right!],
    weights: values(kernel),
    biases: values(bias),
    relu: false,
  };
}

function readDense(node: OnnxNode, kernel: OnnxTensor, bias: OnnxTensor): Dense {
  if (attributesOf(node, ['transB']).get('transB')?.i !== 1) throw new Error('Gemm is without transB');
  return {
    kind: 'dense',
    units: kernel.dims![0]!,
    weights: values(kernel),
    biases: values(bias),
    relu: false,
  };
}

function values({ float_data: list = [], raw_data: raw = new Uint8Array() }: OnnxTensor): Float32Array {
  if (list.length > 0) return Float32Array.from(list);
  const view = new DataView(raw.buffer, raw.byteOffset, raw.length);
  return Float32Array.from({ length: raw.length / 4 }, (_, index) => view.getFloat32(4 * index, true));
}

/** The bytes of an ONNX file with this network, from `image` [batch, channels, height, width] to `logits`. */
export function onnxNetworkFile({ input, layers }: PlainNetwork): Uint8Array {
  const nodes: OnnxNode[] = [];
  const initializer: OnnxTensor[] = [];
  let flowing = 'image';
  let channels = input.channels;
  let flat = false;
  const append = (node: OnnxNode, output: string): void => {
    nodes.push({ ...node, input: [flowing, ...(node.input ?? [])], output: [output] });
    flowing = output;
  };
  layers.forEach((layer, index) => {
    const names = [`kernel_${index}`, `bias_${index}`] as const;
    const { weights, biases, relu } = layer;
    if (layer.kind === 'dense' && !flat) {
      append({ op_type: 'Flatten', attribute: [attribute.int('axis', 1)] }, 'flat');
      flat = true;
    }
    const dims =
      layer.kind === 'dense'
        ? [layer.units, weights.length / layer.units]
        : [layer.filters, channels, ...layer.kernel];
    initializer.push(floats(names[0], dims, [...weights]), floats(names[1], [biases.length], [...biases]));
    if (layer.kind === 'convolution') channels = layer.filters;
    const output = index === layers.length - 1 ? 'logits' : `layer_${index}`;
    const node =
      layer.kind === 'dense'
        ? { op_type: 'Gemm', input: names, attribute: [attribute.int('transB', 1)] }
        : {
            op_type: 'Conv',
            input: names,
            attribute: [
              attribute.ints('kernel_shape', layer.kernel),
              attribute.ints('pads', layer.pads),
              attribute.ints('strides', layer.strides),
            ],
          };
    append(node, relu ? `sum_${index}` : output);
    if (relu) append({ op_type: 'Relu' }, output);
  });
  return onnxFile({
    node: nodes,
    initializer,
    input: [value('image', ['batch', input.channels, input.height, input.width])],
    output: [value('logits', ['batch', layers.at(-1)!.biases.length])],
  });
}
