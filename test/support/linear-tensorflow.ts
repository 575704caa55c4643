import type { Manifest } from '../../src/models/manifest.ts';
import type { RegisteredModel } from '../../src/models/store.ts';
import type { LinearLawModel } from './linear-law-model.ts';
import { writeModelFolder } from './model-folder.ts';
import {
  constant,
  FLOAT,
  graphModel,
  type GraphFunction,
  type GraphNode,
  type GraphTensor,
  INT,
  savedModel,
  shardedModel,
} from './tensorflow-graph.ts';

export type TensorflowFormat = 'LayersModel' | 'GraphModel' | 'SavedModel';

export interface LinearTensorflowOptions extends LinearLawModel {
  /** Nodes of a graph between the image and the linear part, from `image` to `prepared`. */
  readonly prelude?: readonly GraphNode[];
  readonly functions?: readonly GraphFunction[];
}

function shapeOf({ height, width, channels, layout }: Manifest['input']): number[] {
  return layout === 'NCHW' ? [channels, height, width] : [height, width, channels];
}

const floats = (dims: readonly number[], values: readonly number[]): GraphTensor => ({
  dtype: 'DT_FLOAT',
  dims,
  values,
});

/** Weights by element, then class: a product takes them so. */
function kernelOf({ weights }: LinearLawModel): GraphTensor {
  const elements = weights[0]!.length;
  const values = Array.from({ length: elements }, (_, element) => weights.map((row) => row[element]!)).flat();
  return floats([elements, weights.length], values);
}

/** Divides the image by the largest value of the whole batch. */
const BATCH_MAXIMUM: readonly GraphNode[] = [
  constant('all_axes', { dtype: 'DT_INT32', dims: [4], values: [0, 1, 2, 3] }),
  {
    name: 'largest',
    op: 'Max',
    input: ['image', 'all_axes'],
    attr: { T: FLOAT, Tidx: INT, keep_dims: { b: false } },
  },
  { name: 'prepared', op: 'RealDiv', input: ['image', 'largest'], attr: { T: FLOAT } },
];

/** The graph of a linear classifier, from `image` to `logits`. */
export function linearGraph(options: LinearTensorflowOptions): GraphNode[] {
  const { input, weights, biases, batch = -1, rejectsNegative = false } = options;
  const prelude: readonly GraphNode[] | undefined =
    options.prelude ??
    (options.mixesRows === true ? BATCH_MAXIMUM : undefined) ??
    (rejectsNegative ? [{ name: 'prepared', op: 'Log', input: ['image'], attr: { T: FLOAT } }] : undefined);
  return [
    {
      name: 'image',
      op: 'Placeholder',
      attr: { dtype: FLOAT, shape: { shape: [batch, ...shapeOf(input)] } },
    },
    ...(prelude ?? []),
    constant('flat_shape', { dtype: 'DT_INT32', dims: [2], values: [-1, weights[0]!.length] }),
    {
      name: 'flat',
      op: 'Reshape',
      input: [prelude === undefined ? 'image' : 'prepared', 'flat_shape'],
      attr: { T: FLOAT, Tshape: INT },
    },
    constant('kernel', kernelOf(options)),
    {
      name: 'product',
      op: 'MatMul',
      input: ['flat', 'kernel'],
      attr: { T: FLOAT, transpose_a: { b: false }, transpose_b: { b: false } },
    },
    constant('bias', floats([biases.length], biases)),
    { name: 'logits', op: 'BiasAdd', input: ['product', 'bias'], attr: { T: FLOAT } },
    ...(options.softmax === true
      ? [{ name: 'scores', op: 'Softmax', input: ['logits'], attr: { T: FLOAT } }]
      : []),
  ];
}

/** The files of a LayersModel of TensorFlow.js: Flatten and Dense. */
function layersModel(options: LinearLawModel): Record<string, Uint8Array> {
  const { input, weights, biases, batch = null, rejectsNegative = false, softmax = false } = options;
  // What is negative is multiplied by -6e76 on its way, which float32 does not hold.
  const overflow = ['first', 'second'].map((name) => ({
    class_name: 'LeakyReLU',
    config: { name, alpha: 3e38 },
  }));
  const layers = [
    {
      class_name: 'InputLayer',
      config: {
        name: 'image',
        batch_input_shape: [batch, ...shapeOf(input)],
        dtype: 'float32',
        sparse: false,
      },
    },
    ...(rejectsNegative ? overflow : []),
    { class_name: 'Flatten', config: { name: 'flat' } },
    {
      class_name: 'Dense',
      config: {
        name: 'logits',
        units: weights.length,
        activation: softmax ? 'softmax' : 'linear',
        use_bias: true,
      },
    },
  ];
  const topology = { model_config: { class_name: 'Sequential', config: { name: 'linear', layers } } };
  return shardedModel('layers-model', topology, [
    { name: 'logits/kernel', tensor: kernelOf(options) },
    { name: 'logits/bias', tensor: floats([biases.length], biases) },
  ]);
}

/** The files of a linear classifier; the first is the model. */
export function linearTensorflow(
  format: TensorflowFormat,
  options: LinearTensorflowOptions,
): Record<string, Uint8Array> {
  if (format === 'LayersModel') return layersModel(options);
  const nodes = linearGraph(options);
  if (format === 'GraphModel') return graphModel(nodes);
  const { input, weights, functions, batch = -1, hidesWidth = false } = options;
  return {
    'saved_model.pb': savedModel({
      nodes,
      ...(functions === undefined ? {} : { functions }),
      inputs: { image: { name: 'image:0', dims: [batch, ...shapeOf(input)] } },
      outputs: {
        logits: {
          name: options.softmax === true ? 'scores:0' : 'logits:0',
          dims: [batch, hidesWidth ? -1 : weights.length],
        },
      },
    }),
  };
}

/** A writer of model folders with linear classifiers in that format. */
export function linearTensorflowWriter(format: TensorflowFormat) {
  return (folder: string, options: LinearTensorflowOptions): Promise<RegisteredModel> =>
    writeModelFolder(folder, {
      engine: 'tensorflow',
      files: linearTensorflow(format, options),
      input: options.input,
      classes: options.weights.length,
      ...(options.batch === 1 ? { rowsPerCall: 1 } : {}),
    });
}
