import { attribute, ELEMENT, floats, onnxFile, type OnnxNode, type OnnxTensor, value } from './onnx-file.ts';

/** A linear classifier: `weights[c]` and `biases[c]` give the score of class c from the image's elements. */
export interface LinearClassifier {
  /** One row a class, in the order of the input tensor. */
  readonly weights: readonly (readonly number[])[];
  readonly biases: readonly number[];
}

/** Nodes that stand between the image and the linear part, from tensor `image` to tensor `prepared`. */
export interface Prelude {
  readonly nodes: readonly OnnxNode[];
  readonly initializers?: readonly OnnxTensor[];
}

export interface LinearOnnxOptions extends LinearClassifier {
  /** Shape of one image, in the order of the layout. */
  readonly shape: readonly number[];
  /** A number makes a model that takes exactly so many rows; left out: any number. */
  readonly batch?: number | string;
  readonly prelude?: Prelude;
  /** Keeps the weights in this file beside the model; the tensor's bytes are those of `weightBytes`. */
  readonly externalWeights?: string;
  /** Shape of the output as declared, where it is not [batch, classes]. */
  readonly declaredOutput?: readonly (number | string)[];
  readonly inputType?: number;
  /** Whether the output is the Softmax of the logits, "scores". */
  readonly softmax?: boolean;
}

/** Little-endian float32 bytes of the weights, as an external data file holds them. */
export function weightBytes({ weights }: LinearClassifier): Uint8Array {
  const values = weights.flat();
  const view = new DataView(new ArrayBuffer(4 * values.length));
  values.forEach((each, index) => view.setFloat32(4 * index, each, true));
  return new Uint8Array(view.buffer);
}

/**
 * An ONNX file of a linear classifier: Flatten and Gemm in float32, from "image" [batch, ...shape] to "logits"
 * [batch, classes].
 */
export function linearOnnx(options: LinearOnnxOptions): Uint8Array {
  const { weights, biases, shape, batch = 'batch', prelude, externalWeights, softmax = false } = options;
  const classes = weights.length;
  const elements = shape.reduce((product, each) => product * each, 1);
  const dims = [classes, elements];
  const weight: OnnxTensor =
    externalWeights === undefined
      ? floats('weight', dims, weights.flat())
      : {
          name: 'weight',
          dims,
          data_type: ELEMENT.float,
          data_location: 1,
          external_data: [
            { key: 'location', value: externalWeights },
            { key: 'offset', value: '0' },
            { key: 'length', value: String(4 * classes * elements) },
          ],
        };
  return onnxFile({
    node: [
      ...(prelude?.nodes ?? []),
      {
        op_type: 'Flatten',
        input: [prelude === undefined ? 'image' : 'prepared'],
        output: ['flat'],
        attribute: [attribute.int('axis', 1)],
      },
      {
        op_type: 'Gemm',
        input: ['flat', 'weight', 'bias'],
        output: ['logits'],
        attribute: [attribute.int('transB', 1)],
      },
      ...(softmax ? [{ op_type: 'Softmax', input: ['logits'], output: ['scores'] }] : []),
    ],
    initializer: [weight, floats('bias', [classes], biases), ...(prelude?.initializers ?? [])],
    input: [value('image', [batch, ...shape], options.inputType ?? ELEMENT.float)],
    output: [value(softmax ? 'scores' : 'logits', options.declaredOutput ?? [batch, classes])],
  });
}

/** Preludes that no base classifier may have, and one that gives NaN for some images. */
export const PRELUDES = {
  /** Adds the runtime's own noise. */
  randomNormal: {
    nodes: [
      { op_type: 'RandomNormalLike', input: ['image'], output: ['noise'] },
      { op_type: 'Add', input: ['image', 'noise'], output: ['prepared'] },
    ],
  },
  /** Dropout told by its third input to drop. */
  dropoutTraining: {
    nodes: [{ op_type: 'Dropout', input: ['image', 'ratio', 'training'], output: ['prepared'] }],
    initializers: [
      floats('ratio', [], [0.5]),
      { name: 'training', dims: [], data_type: ELEMENT.bool, int32_data: [1] },
    ],
  },
  /** Dropout as inference exports write it: it does nothing. */
  dropoutInference: { nodes: [{ op_type: 'Dropout', input: ['image'], output: ['prepared'] }] },
  /** The logarithm: NaN where a noisy pixel is negative. */
  logarithm: { nodes: [{ op_type: 'Log', input: ['image'], output: ['prepared'] }] },
  /** Subtracts the mean over the batch, so that rows depend on one another. */
  batchMean: {
    nodes: [
      {
        op_type: 'ReduceMean',
        input: ['image'],
        output: ['mean'],
        attribute: [attribute.ints('axes', [0]), attribute.int('keepdims', 1)],
      },
      { op_type: 'Sub', input: ['image', 'mean'], output: ['prepared'] },
    ],
  },
  /** Divides by the largest value of the whole batch. */
  batchMaximum: {
    nodes: [
      {
        op_type: 'ReduceMax',
        input: ['image'],
        output: ['largest'],
        attribute: [attribute.int('keepdims', 0)],
      },
      { op_type: 'Div', input: ['image', 'largest'], output: ['prepared'] },
    ],
  },
  /** Rounds to 8 bits with a scale for the whole batch, as dynamic quantization does. */
  dynamicQuantization: {
    nodes: [
      { op_type: 'DynamicQuantizeLinear', input: ['image'], output: ['quantized', 'scale', 'zero'] },
      { op_type: 'DequantizeLinear', input: ['quantized', 'scale', 'zero'], output: ['prepared'] },
    ],
  },
  /** Adds a ten-millionth of the mean over the batch: beside images less than rounding. */
  faintMean: {
    nodes: [
      {
        op_type: 'ReduceMean',
        input: ['image'],
        output: ['mean'],
        attribute: [attribute.ints('axes', [0]), attribute.int('keepdims', 1)],
      },
      { op_type: 'Mul', input: ['mean', 'share'], output: ['faint'] },
      { op_type: 'Add', input: ['image', 'faint'], output: ['prepared'] },
    ],
    initializers: [floats('share', [], [1e-7])],
  },
} as const satisfies Record<string, Prelude>;

/** Batch normalisation over `channels`, by its own statistics (training) or by the stored mean 0 and variance 1. */
export function batchNormalization(channels: number, training: boolean): Prelude {
  const constant = (name: string, each: number): OnnxTensor =>
    floats(name, [channels], Array.from<number>({ length: channels }).fill(each));
  return {
    nodes: [
      {
        op_type: 'BatchNormalization',
        input: ['image', 'scale', 'shift', 'mean', 'variance'],
        output: training ? ['prepared', 'running_mean', 'running_variance'] : ['prepared'],
        attribute: training ? [attribute.int('training_mode', 1)] : [],
      },
    ],
    initializers: [constant('scale', 1), constant('shift', 0), constant('mean', 0), constant('variance', 1)],
  };
}
