import { describe, expect, it } from 'vitest';
import type { BatchMixing } from '../../../../src/models/batch-mixing.ts';
import { tensorflowMixing } from '../../../../src/models/mixing/tensorflow/analyse.ts';
import { imageInput, manifestOf } from '../../../support/model-folder.ts';
import { constant, FLOAT, type GraphAttribute, type GraphFunction, graphModel, type GraphNode, type GraphTensor, INT, savedModel } from '../../../support/tensorflow-graph.ts'; // prettier-ignore

const ints = (name: string, values: readonly number[], dims: readonly number[] = [values.length]): GraphNode =>
  constant(name, { dtype: 'DT_INT32', dims, values });
const floats = (name: string, ...dims: number[]): GraphNode =>
  constant(name, { dtype: 'DT_FLOAT', dims, values: Array.from({ length: dims.reduce((all, each) => all * each, 1) }, () => 1) } satisfies GraphTensor); // prettier-ignore
const node = (op: string, name: string, input: string, attr: Record<string, GraphAttribute> = {}): GraphNode => ({ name, op, input: input.split(' '), attr }); // prettier-ignore

// Shapes, axes and weights that the graphs below name.
const CONSTANTS = [
  ints('0', [0], []), ints('1', [1], []), ints('-1', [-1], []), ints('[0]', [0]), ints('[1]', [1]), ints('[2]', [2]), ints('[1,2,3]', [1, 2, 3]), ints('[-1,24]', [-1, 24]),
  ints('[-1,12]', [-1, 12]), ints('[-1,4,6,1]', [-1, 4, 6, 1]), ints('[24]', [24]), ints('swap', [1, 0, 2, 3]), ints('[2,2]', [2, 2]), ints('[8,8]', [8, 8]),
  ints('zeros', [0, 0, 0, 0], [2, 2]), ints('padded', [0, 0, 1, 1, 0, 0, 0, 0], [4, 2]), ints('before', [1, 0, 0, 0, 0, 0, 0, 0], [4, 2]), floats('w', 3, 3, 1, 2), floats('w24', 24, 2), floats('b', 1), floats('one', 1),
]; // prettier-ignore

const strided = (begin: number, end: number, shrink: number): Record<string, GraphAttribute> => ({
  begin_mask: { i: begin }, end_mask: { i: end }, ellipsis_mask: { i: 0 }, new_axis_mask: { i: 0 }, shrink_axis_mask: { i: shrink }, T: FLOAT, Index: INT,
}); // prettier-ignore
const SAME = { padding: { text: 'SAME' }, strides: { ints: [1, 1, 1, 1] }, data_format: { text: 'NHWC' } } as const;
const count = [node('Shape', 'shape', 'x'), node('StridedSlice', 'n', 'shape [0] [1] [1]', strided(0, 0, 1))];

/** What is said of a graph from `x` [batch, 4, 6, 1] to `y`, in both formats. */
function mixing(nodes: readonly GraphNode[], functions: readonly GraphFunction[] = [], batch = -1): BatchMixing[] {
  const input: GraphNode = { name: 'x', op: 'Placeholder', attr: { dtype: FLOAT, shape: { shape: [batch, 4, 6, 1] } } };
  // As converters do, no node is left that nobody needs.
  const used = new Set(nodes.flatMap(({ input = [] }) => input));
  const all = [input, ...CONSTANTS.filter(({ name }) => used.has(name)), ...nodes];
  const manifest = manifestOf('graph', { engine: 'tensorflow', files: { 'model.json': Uint8Array.of(0) }, input: imageInput(4, 6, 1, 'NHWC'), classes: 2 }); // prettier-ignore
  const saved = savedModel({
    nodes: all, functions,
    inputs: { x: { name: 'x:0', dims: [batch, 4, 6, 1] } }, outputs: { y: { name: 'y:0', dims: [-1, 2] } },
  }); // prettier-ignore
  const second = { ...manifest, files: [{ ...manifest.files[0]!, path: 'saved_model.pb' }] };
  const fromSaved = tensorflowMixing(new Map([['saved_model.pb', saved]]), second);
  if (functions.length > 0) return [fromSaved];
  return [tensorflowMixing(new Map(Object.entries(graphModel(all))), manifest), fromSaved];
}

const others = (found: BatchMixing[], verdict: string): BatchMixing[] => found.filter((each) => each.verdict !== verdict);

const INDEPENDENT: Readonly<Record<string, readonly GraphNode[]>> = {
  'a convolutional network': [
    node('Conv2D', 'c', 'x w', SAME), node('BiasAdd', 'd', 'c b', { data_format: { text: 'NHWC' } }), node('Relu', 'r', 'd'),
    node('MaxPool', 'p', 'r', { ...SAME, ksize: { ints: [1, 2, 2, 1] }, strides: { ints: [1, 2, 2, 1] } }), node('Reshape', 'f', 'p [-1,12]'), node('Softmax', 'y', 'f'),
  ],
  'a flattened image and a product': [node('Reshape', 'f', 'x [-1,24]'), node('MatMul', 'y', 'f w24', { transpose_a: { b: false }, transpose_b: { b: false } })],
  'a mean over space': [node('Mean', 'y', 'x [1,2,3]', { keep_dims: { b: false } })],
  'sizes from the batch': [...count, node('Pack', 'to', 'n -1', { axis: { i: 0 }, N: { i: 2 } }), node('Reshape', 'y', 'x to')],
  'two batches joined and cut apart': [
    node('Neg', 'm', 'x'), node('ConcatV2', 'both', 'x m 0', { N: { i: 2 } }), node('Split', 's', '0 both', { num_split: { i: 2 } }), node('Sub', 'y', 's s:1'),
  ],
  'blocks of space that go to the batch and back, as in a dilated convolution': [
    node('SpaceToBatchND', 'a', 'x [2,2] zeros'), node('Conv2D', 'c', 'a w', SAME), node('BatchToSpaceND', 'y', 'c [2,2] zeros'),
  ],
  'places of another axis': [node('StridedSlice', 's', 'x [0] [1] [1]', { ...strided(1, 1, 0) }), node('GatherV2', 'y', 's 0 1', { batch_dims: { i: 0 } })],
  'padding of space and another size of it': [node('Pad', 'p', 'x padded'), node('ResizeBilinear', 'y', 'p [8,8]')],
  'an einsum that keeps the rows': [node('Einsum', 'y', 'x x', { equation: { text: 'nhwc,nhwd->ncd' } })],
  'quantization with a given range': [node('FakeQuantWithMinMaxVars', 'y', 'x one one')],
}; // prettier-ignore

describe('rows of a graph stay apart through', () => {
  it.each(Object.entries(INDEPENDENT))('%s', (_, nodes) => {
    expect(others(mixing(nodes), 'independent')).toEqual([]);
  });

  it('a batch of one row', () => {
    expect(others(mixing([node('Softmax', 'y', 'x')], [], 1), 'independent')).toEqual([]);
    expect(others(mixing([node('Mean', 'y', 'x [0]', { keep_dims: { b: true } })], [], 1), 'independent')).toEqual([]);
  });

  it('functions that are called', () => {
    const call = [node('PartitionedCall', 'y', 'x', { f: { func: 'serve' } })];
    const serve = (body: GraphNode): GraphFunction[] => [{ name: 'serve', nodes: [ints('axes', [0]), body], inputs: ['a'], results: { b: 'r:out:0' } }]; // prettier-ignore
    expect(mixing(call, serve(node('Relu', 'r', 'a')))).toEqual([{ verdict: 'independent', operators: [] }]);
    const mean = node('Mean', 'r', 'a axes:output:0', { keep_dims: { b: true } });
    expect(mixing(call, serve(mean))).toEqual([{ verdict: 'mixes', operators: ['Mean'] }]);
    const state = node('AssignVariableOp', 'r', 'a');
    expect(mixing(call, serve(state))).toEqual([{ verdict: 'unknown', operators: ['AssignVariableOp'] }]);
  });
});

const MIXING: Readonly<Record<string, readonly [string, readonly GraphNode[]]>> = {
  'a mean over the batch': ['Mean', [node('Mean', 'm', 'x [0]', { keep_dims: { b: true } }), node('Sub', 'y', 'x m')]],
  'a norm of everything': ['L2Loss', [node('L2Loss', 'l', 'x'), node('Mul', 'y', 'x l')]],
  'a softmax over what was the batch': ['Softmax', [node('Squeeze', 's', 'x', { squeeze_dims: { ints: [3] } }), node('Transpose', 't', 's order'), ints('order', [2, 1, 0]), node('Softmax', 'y', 't')]],
  'one row taken out': ['StridedSlice', [node('StridedSlice', 's', 'x [0] [1] [1]', strided(0, 0, 1)), node('Sub', 'y', 'x s')]],
  'rows picked by number': ['GatherV2', [node('GatherV2', 'y', 'x [0] 0', { batch_dims: { i: 0 } })]],
  'the batch backwards': ['ReverseV2', [node('ReverseV2', 'y', 'x [0]')]],
  'sums along it': ['Cumsum', [node('Cumsum', 'y', 'x 0')]],
  'a window that moves over it': ['Conv2D', [node('Transpose', 't', 'x swap'), node('Conv2D', 'y', 't w', SAME)]],
  'padding along it': ['Pad', [node('Pad', 'y', 'x before')]],
  'a product of rows with each other': ['MatMul', [node('Reshape', 'f', 'x [-1,24]'), node('MatMul', 'y', 'f f', { transpose_a: { b: false }, transpose_b: { b: true } })]],
  'a scale of the tensor’s own': ['QuantizeAndDequantizeV2', [node('QuantizeAndDequantizeV2', 'y', 'x one one', { range_given: { b: false } })]],
  'a softmax over the batch, as TensorFlow writes it with other axes exchanged': ['Softmax', [
    node('Squeeze', 's', 'x', { squeeze_dims: { ints: [3] } }), node('Rank', 'rank', 's'), node('Range', 'order', '0 rank 1'), node('Sub', 'last', 'rank 1'), node('Sub', 'back', 'last order'),
    node('Transpose', 't', 's back'), node('Softmax', 'y', 't'),
  ]],
  'the size of the batch as a number': ['Shape', [...count, node('Cast', 'c', 'n', { DstT: FLOAT, SrcT: INT }), node('Add', 'y', 'x c')]],
  'the number of values of a kind': ['Where', [node('Where', 'y', 'x')]],
}; // prettier-ignore

describe('rows of a graph are mixed, by name, by', () => {
  it.each(Object.entries(MIXING))('%s', (_, [operator, nodes]) => {
    for (const found of mixing(nodes)) expect(found).toEqual({ verdict: 'mixes', operators: [operator] });
  });
});

describe('of rows of a graph it is unknown what becomes', () => {
  it.each<[string, readonly GraphNode[], string]>([
    ['in an operator that is not in the table', [node('MatrixInverse', 'y', 'x')], 'MatrixInverse'],
    ['behind sizes that regroup them', [node('Reshape', 'y', 'x [24]')], 'Reshape'],
    ['where numbers count them', [...count, node('Range', 'r', '0 n 1'), node('Cast', 'c', 'r', { DstT: FLOAT }), node('Add', 'y', 'x c')], 'Range'],
    ['in a convolution or pool of one axis less, which TensorFlow.js takes for a single image', [node('Mean', 'm', 'x [1]', { keep_dims: { b: false } }), node('Conv2D', 'y', 'm w', SAME)], 'Conv2D'],
    ['in a loop', [node('While', 'y', 'x', { body: { func: 'f' } })], 'While'],
    ['where a node waits for itself', [node('Merge', 'm', 'x z'), node('NextIteration', 'z', 'm'), node('Relu', 'y', 'm')], 'Merge'],
  ])('%s', (_, nodes, operator) => {
    for (const found of mixing(nodes)) expect(found).toEqual({ verdict: 'unknown', operators: [operator] });
  }); // prettier-ignore

  it('where a state is changed that the next call sees', () => {
    const variable = node('VarHandleOp', 'v', '0', { shape: { shape: [1] } });
    const [, found] = mixing([{ ...variable, input: [] }, node('AssignAddVariableOp', 'a', 'v one'), node('ReadVariableOp', 'r', 'v ^a'), node('Add', 'y', 'x r')]); // prettier-ignore
    expect(found).toEqual({ verdict: 'unknown', operators: ['AssignAddVariableOp'] });
  });

  it('where a node takes an input from nowhere', () => {
    expect(others(mixing([node('Add', 'y', 'x nowhere')]), 'unknown')).toEqual([]);
  });
});
