import { type NamedTensor, shardedModel } from '../tensorflow-graph.ts';
import {
  type Convolution,
  type Extent,
  extentsOf,
  type Layer,
  type PlainNetwork,
  sizeOf,
} from './plain-network.ts';

type Pads = Convolution['pads'];

interface LayerConfig {
  readonly name: string;
  readonly activation?: string;
  readonly use_bias?: boolean;
  readonly filters?: number;
  readonly units?: number;
  readonly kernel_size?: [number, number];
  readonly strides?: [number, number];
  readonly padding?: string | [[number, number], [number, number]];
  readonly data_format?: string;
  readonly dilation_rate?: [number, number];
  readonly batch_input_shape?: (number | null)[];
}

interface LayerJson {
  readonly class_name: string;
  readonly config: LayerConfig;
}

interface ModelJson {
  readonly modelTopology: Record<string, unknown>;
  readonly weightsManifest: readonly {
    readonly paths: readonly string[];
    readonly weights: readonly {
      readonly name: string;
      readonly shape: readonly number[];
      readonly dtype: string;
    }[];
  }[];
}

/**
 * The zeros that TensorFlow adds for 'same': as few as give ⌈size / stride⌉ steps, half of them, rounded down, before and
 * the others after (tensorflow.org, tf.nn, "Notes on padding"). With a stride of 2 and an even size they are not as many on
 * both sides.
 */
export function samePads(
  { height, width }: Extent,
  kernel: readonly number[],
  strides: readonly number[],
): Pads {
  const total = (size: number, axis: number): number =>
    Math.max(0, (Math.ceil(size / strides[axis]!) - 1) * strides[axis]! + kernel[axis]! - size);
  const [vertical, horizontal] = [total(height, 0), total(width, 1)];
  const [top, left] = [Math.floor(vertical / 2), Math.floor(horizontal / 2)];
  return [top, left, vertical - top, horizontal - left];
}

/** For each element in the order row, column, channel its place in the order channel, row, column. */
function planarPlaces({ channels, height, width }: Extent): number[] {
  return Array.from({ length: channels * height * width }, (_, index) => {
    const pixel = Math.floor(index / channels);
    return (index % channels) * height * width + pixel;
  });
}

/** [filter][channel][tap] as [tap][channel][filter], or, with the sizes in opposite order, the way back. */
function reversedAxes(
  weights: Float32Array,
  [first, second, third]: readonly [number, number, number],
): Float32Array {
  const reversed = new Float32Array(weights.length);
  for (let a = 0; a < first; a += 1)
    for (let b = 0; b < second; b += 1)
      for (let c = 0; c < third; c += 1)
        reversed[(c * second + b) * first + a] = weights[(a * second + b) * third + c]!;
  return reversed;
}

/** The files of a LayersModel of TensorFlow.js with this network; the first is the model. */
export function tensorflowNetworkFiles(network: PlainNetwork): Record<string, Uint8Array> {
  const { channels, height, width } = network.input;
  const extents = extentsOf(network);
  const json: LayerJson[] = [
    {
      class_name: 'InputLayer',
      config: { name: 'image', batch_input_shape: [null, height, width, channels] },
    },
  ];
  const tensors: NamedTensor[] = [];
  network.layers.forEach((layer, index) => {
    const name = `layer_${index}`;
    const from = extents[index]!;
    const common = { name, activation: layer.relu ? 'relu' : 'linear', use_bias: true };
    const store = (part: string, dims: readonly number[], values: Float32Array): void =>
      void tensors.push({
        name: `${name}/${part}`,
        tensor: { dtype: 'DT_FLOAT', dims, values: [...values] },
      });
    if (layer.kind === 'dense') {
      if (network.layers[index - 1]?.kind !== 'dense')
        json.push({ class_name: 'Flatten', config: { name: 'flat' } });
      json.push({ class_name: 'Dense', config: { ...common, units: layer.units } });
      const [elements, places] = [sizeOf(from), planarPlaces(from)];
      const kernel = Float32Array.from(
        { length: elements * layer.units },
        (_, at) => layer.weights[(at % layer.units) * elements + places[Math.floor(at / layer.units)]!]!,
      );
      store('kernel', [elements, layer.units], kernel);
    } else {
      const { kernel, strides, filters } = layer;
      const [top, left, bottom, right] = layer.pads;
      const same = samePads(from, kernel, strides).join() === layer.pads.join();
      if (!same)
        json.push({
          class_name: 'ZeroPadding2D',
          config: {
            name: `pad_${index}`,
            padding: [
              [top, bottom],
              [left, right],
            ],
            data_format: 'channels_last',
          },
        });
      json.push({
        class_name: 'Conv2D',
        config: {
          ...common,
          filters,
          kernel_size: [...kernel],
          strides: [...strides],
          padding: same ? 'same' : 'valid',
          data_format: 'channels_last',
        },
      });
      const taps = kernel[0] * kernel[1];
      store(
        'kernel',
        [...kernel, from.channels, filters],
        reversedAxes(layer.weights, [filters, from.channels, taps]),
      );
    }
    store('bias', [layer.biases.length], layer.biases);
  });
  const topology = { class_name: 'Sequential', config: { name: 'network', layers: json } };
  return shardedModel('layers-model', { model_config: topology }, tensors);
}

/**
 * Reads a Sequential LayersModel of Conv2D, ZeroPadding2D, Flatten and Dense, and refuses other layers and activations.
 *
 * @param files by name, as a manifest lists them; the first is model.json
 */
export function readTensorflowNetwork(files: Readonly<Record<string, Uint8Array>>): PlainNetwork {
  const { modelTopology, weightsManifest } = JSON.parse(
    Buffer.from(Object.values(files)[0]!).toString(),
  ) as ModelJson;
  const topology = (modelTopology['model_config'] ?? modelTopology) as { config: { layers: LayerJson[] } };
  const weights = new Map<string, Float32Array>();
  for (const group of weightsManifest) {
    const bytes = Uint8Array.from(Buffer.concat(group.paths.map((path) => files[path]!)));
    let offset = 0;
    for (const { name, shape } of group.weights) {
      const length = shape.reduce((product, size) => product * size, 1);
      weights.set(name, new Float32Array(bytes.buffer, offset, length));
      offset += 4 * length;
    }
  }
  const [image, ...rest] = topology.config.layers;
  const [, height, width, channels] = image!.config.batch_input_shape!;
  const input = { channels: channels!, height: height!, width: width! };
  const layers: Layer[] = [];
  let padded: Pads = [0, 0, 0, 0];
  for (const { class_name: kind, config } of rest) {
    if (kind === 'Flatten') continue;
    if (kind === 'ZeroPadding2D' && typeof config.padding === 'object') {
      const [[top, bottom], [left, right]] = config.padding;
      padded = [top, left, bottom, right];
      continue;
    }
    const from = extentsOf({ input, layers }).at(-1)!;
    layers.push(readLayer(kind, config, from, padded, weights));
    padded = [0, 0, 0, 0];
  }
  return { input, layers };
}

function readLayer(
  kind: string,
  config: LayerConfig,
  from: Extent,
  padded: Pads,
  weights: ReadonlyMap<string, Float32Array>,
): Layer {
  const { name, activation = 'linear', kernel_size: kernel, strides, padding, units, filters } = config;
  const [stored, biases] = [weights.get(`${name}/kernel`), weights.get(`${name}/bias`)];
  const relu = activation === 'relu';
  if (stored === undefined || biases === undefined || !['relu', 'linear'].includes(activation))
    throw new Error(`${kind} ${name} is in no plain network`);
  if (kind === 'Dense' && units !== undefined) {
    const [elements, places] = [sizeOf(from), planarPlaces(from)];
    const planar = new Float32Array(stored.length);
    for (let element = 0; element < elements; element += 1)
      for (let unit = 0; unit < units; unit += 1)
        planar[unit * elements + places[element]!] = stored[element * units + unit]!;
    return { kind: 'dense', units, weights: planar, biases, relu };
  }
  const dilated = config.dilation_rate?.some((rate) => rate !== 1) ?? false;
  if (
    kind !== 'Conv2D' ||
    !kernel ||
    !strides ||
    !filters ||
    dilated ||
    config.data_format !== 'channels_last'
  )
    throw new Error(`${kind} ${name} is in no plain network`);
  return {
    kind: 'convolution',
    filters,
    kernel,
    strides,
    pads: padding === 'same' ? samePads(from, kernel, strides) : padded,
    weights: reversedAxes(stored, [kernel[0] * kernel[1], from.channels, filters]),
    biases,
    relu,
  };
}
