import type { RegisteredModel } from '../../src/models/store.ts';
import { imageInput, writeModelFolder } from './model-folder.ts';
import { constant, FLOAT, type GraphNode, savedModel, type SavedModelOptions } from './tensorflow-graph.ts';

/** An input as a signature declares it. */
export type ConvolutionInput = SavedModelOptions['inputs'][string];

/**
 * Writes a SavedModel that is a convolution over an image of 2 x 2, with a signature that may say something else.
 *
 * @param flattens takes a dimension away before the convolution, which the graph does not declare: TensorFlow then ends the
 *   process when the model runs (a failed CHECK in its own code)
 */
export function writeConvolution(
  folder: string,
  image: ConvolutionInput,
  flattens = false,
): Promise<RegisteredModel> {
  const declared = { dtype: FLOAT, shape: { shape: [-1, 2, 2, 1] } };
  const nodes: GraphNode[] = [
    { name: 'image', op: 'Placeholder', attr: flattens ? { dtype: FLOAT } : declared },
    ...(flattens
      ? [{ name: 'flat', op: 'Squeeze', input: ['image'], attr: { T: FLOAT, squeeze_dims: { ints: [3] } } }]
      : []),
    constant('kernel', { dtype: 'DT_FLOAT', dims: [2, 2, 1, 2], values: [1, 2, 3, 4, 5, 6, 7, 8] }),
    {
      name: 'pooled',
      op: 'Conv2D',
      input: [flattens ? 'flat' : 'image', 'kernel'],
      attr: { T: FLOAT, padding: { text: 'VALID' }, strides: { ints: [1, 1, 1, 1] } },
    },
    { name: 'logits', op: 'Squeeze', input: ['pooled'], attr: { T: FLOAT, squeeze_dims: { ints: [1, 2] } } },
  ];
  const file = savedModel({
    nodes,
    inputs: { image },
    outputs: { logits: { name: 'logits:0', dims: [-1, 2] } },
  });
  return writeModelFolder(folder, {
    engine: 'tensorflow',
    files: { 'saved_model.pb': file },
    input: imageInput(2, 2, 1, 'NHWC'),
    classes: 2,
  });
}
