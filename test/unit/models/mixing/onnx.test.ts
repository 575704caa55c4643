import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { BatchMixing } from '../../../../src/models/batch-mixing.ts';
import { readOnnx } from '../../../../src/models/formats/onnx-file.ts';
import { onnxMixing } from '../../../../src/models/mixing/onnx/analyse.ts';
import { attribute, ELEMENT, floats, integers, onnxFile, type OnnxAttribute, type OnnxFunction, type OnnxNode, type OnnxOpset, type OnnxTensor, value } from '../../../support/onnx-file.ts'; // prettier-ignore

const { int, ints, float, text, graph } = attribute;

/** A node from named tensors to `out`; the first input may be left out and is the image then. */
const node = (op_type: string, input: string, output: string, ...attributes: OnnxAttribute[]): OnnxNode => {
  const [domain, name] = op_type.includes('/') ? op_type.split('/') : ['', op_type];
  return { op_type: name!, domain: domain!, input: input.split(' ').filter((each) => each !== '').map((each) => (each === '-' ? '' : each)), output: output.split(' '), attribute: attributes }; // prettier-ignore
};

interface Options {
  /** Shape of the image `x`; its first size is the batch. */
  readonly shape?: readonly (number | string)[];
  readonly opset?: number;
  readonly functions?: readonly OnnxFunction[];
  readonly weights?: readonly OnnxTensor[];
}

/** What is said of a graph from `x` to `y`. */
function mixing(nodes: readonly OnnxNode[], { shape = ['N', 4, 6], opset = 17, functions = [], weights = [] }: Options = {}): BatchMixing {
  const opsets: OnnxOpset[] = [{ domain: '', version: opset }, { domain: 'com.microsoft', version: 1 }];
  const file = onnxFile(
    { node: nodes, initializer: [...WEIGHTS, ...weights], input: [value('x', shape)], output: [value('y', ['N', 2])] },
    functions,
    opsets,
  );
  return onnxMixing(readOnnx(file), null);
}

const zeros = (name: string, ...dims: number[]): OnnxTensor =>
  floats(name, dims, Array.from({ length: dims.reduce((all, each) => all * each, 1) }, () => 0));
const WEIGHTS = [
  zeros('w6x3', 6, 3), zeros('w4x6', 4, 6), zeros('w3x4x1', 3, 4, 1), zeros('w3x4x3', 3, 4, 3), zeros('w6', 6), zeros('w4', 4), floats('one', [], [1]),
  integers('0', 0), integers('1', 1), integers('[0]', [0]), integers('[1]', [1]), integers('[2]', [2]), integers('[-1]', [-1]), integers('[9]', [9]),
  integers('[0,-1]', [0, -1]), integers('[-1,24]', [-1, 24]), integers('[-1,6]', [-1, 6]), integers('[-1,12]', [-1, 12]), integers('[1,-1]', [1, -1]), integers('[4,6]', [4, 6]),
  integers('[1,-1,6]', [1, -1, 6]), integers('[-1,4,6]', [-1, 4, 6]), integers('[24]', [24]), integers('[4]', [4]),
]; // prettier-ignore

const flips = node('Transpose', 'x', 'flipped', ints('perm', [1, 0, 2]));
const last = node('Transpose', 'x', 'last', ints('perm', [1, 2, 0]));
const count = [node('Shape', 'x', 'shape'), node('Gather', 'shape [0]', 'n', int('axis', 0))];

const INDEPENDENT: Readonly<Record<string, readonly OnnxNode[]>> = {
  'the image itself': [node('Identity', 'x', 'y')],
  'work on each element, with weights that are the same for each row': [
    node('Add', 'x w4x6', 'a'), node('Mul', 'a w6', 'b'), node('Where', 'b one b', 'c'), node('Clip', 'c - one', 'y'),
  ],
  'two branches of the same rows': [node('Relu', 'x', 'a'), node('Tanh', 'x', 'b'), node('Sub', 'a b', 'y')],
  'a sum over another axis': [node('ReduceSum', 'x [-1]', 'y', int('keepdims', 0))],
  'a softmax over another axis': [node('Softmax', 'x', 'y')],
  'a softmax over the first axis, to which other values were moved': [
    flips, node('Softmax', 'flipped', 'a', int('axis', 0)), node('Transpose', 'a', 'y', ints('perm', [1, 0, 2])),
  ],
  'a product with weights': [node('MatMul', 'x w6x3', 'y')],
  'a product of each row with itself': [node('Transpose', 'x', 't', ints('perm', [0, 2, 1])), node('MatMul', 'x t', 'y')],
  'a convolution': [node('Conv', 'x w3x4x3', 'y', ints('kernel_shape', [3]))],
  'a flattened image': [node('Flatten', 'x', 'y')],
  'sizes that keep the first': [node('Reshape', 'x [0,-1]', 'y')],
  'sizes that leave the rows': [node('Reshape', 'x [-1,24]', 'y')],
  'sizes from the batch': [...count, node('Concat', 'n [-1]', 'to', int('axis', 0)), node('Reshape', 'x to', 'y')],
  'rows folded with an axis behind them, and unfolded': [
    node('Reshape', 'x [-1,6]', 'a'), node('MatMul', 'a w6x3', 'b'), node('Reshape', 'b [-1,12]', 'y'),
  ],
  'rows folded with an axis before them, and unfolded': [
    flips, node('Reshape', 'flipped [-1,6]', 'a'), node('MatMul', 'a w6x3', 'b'),
    ...count, node('Concat', '[4] n [-1]', 'to', int('axis', 0)), node('Reshape', 'b to', 'c'), node('Transpose', 'c', 'y', ints('perm', [1, 0, 2])),
  ],
  'two batches joined and cut apart': [
    node('Neg', 'x', 'minus'), node('Concat', 'x minus', 'both', int('axis', 0)), node('Relu', 'both', 'a'),
    ...count, node('Slice', 'a n [9] [0]', 'second'), node('Slice', 'a [0] n [0]', 'first'), node('Sub', 'first x', 'y'),
  ],
  'a weight copied for each row, where sizes that stay are written as -1': [
    ...count, node('Concat', 'n [-1] [-1]', 'asked', int('axis', 0)), node('Shape', 'asked', 'three'), node('ConstantOfShape', 'three', 'zeros'), node('Equal', 'asked [-1]', 'open'),
    node('Add', 'zeros 1', 'ones'), node('Where', 'open ones asked', 'to'), node('Expand', 'w4x6 to', 'copied'), node('Concat', 'copied x', 'y', int('axis', 2)),
  ],
  'a weight copied for each row': [
    ...count, node('Concat', 'n [4] [1]', 'to', int('axis', 0)), node('ConstantOfShape', 'to', 'token'), node('Concat', 'token x', 'y', int('axis', 2)),
  ],
  'pieces of other axes': [node('Split', 'x', 'a b', int('axis', 1)), node('Concat', 'b a', 'c', int('axis', 2)), node('Slice', 'c [0] [1] [1]', 'y')],
  'all of the batch cut out': [node('Slice', 'x [0] end [0]', 'y')],
  'places picked along another axis': [node('Gather', 'x [0]', 'y', int('axis', 2))],
  'a table that each row looks into': [node('ArgMax', 'x', 'i', int('axis', 2), int('keepdims', 0)), node('Gather', 'w6x3 i', 'y')],
  'quantization with scales of the file': [node('QuantizeLinear', 'x one', 'q'), node('DequantizeLinear', 'q one', 'y')],
  'an einsum that keeps the rows': [node('Einsum', 'x x', 'y', text('equation', 'nij,nkj->nik'))],
  'a branch whose condition is a constant': [
    { ...node('If', 'yes', 'y'), attribute: [graph('then_branch', { node: [node('Relu', 'x', 't')], output: [value('t', [])] }), graph('else_branch', { node: [node('ReduceMean', 'x', 'e')], output: [value('e', [])] })] },
  ],
  'a mean over the batch that nobody uses': [node('ReduceMean', 'x', 'loss', ints('axes', [0])), node('Relu', 'x', 'y')],
}; // prettier-ignore
const MORE_WEIGHTS: OnnxTensor[] = [integers('end', [2 ** 53]), { name: 'yes', dims: [], data_type: ELEMENT.bool, int32_data: [1] }];

describe('rows stay apart through', () => {
  it.each(Object.entries(INDEPENDENT))('%s', (_, nodes) => {
    expect(mixing(nodes, { weights: MORE_WEIGHTS })).toEqual({ verdict: 'independent', operators: [] });
  });

  it('a softmax of opset 11 from the second axis on', () => {
    expect(mixing([node('Softmax', 'x', 'y')], { opset: 11 }).verdict).toBe('independent');
  });

  it('a batch of one row, whatever is done in it', () => {
    expect(mixing([node('ReduceMean', 'x', 'y', ints('axes', [0]))], { shape: [1, 4, 6] }).verdict).toBe('independent');
  });

  it('sizes that stand in the file as numbers, where the batch does so too', () => {
    expect(mixing([node('Reshape', 'x [4,6]', 'y')], { shape: [4, 2, 3] }).verdict).toBe('independent');
  });

  for (const name of ['mnist-cnn', 'fashion-mnist-cnn']) {
    it(`the shipped model ${name}`, () => {
      const file = new URL(`../../../../models/${name}/model.onnx`, import.meta.url);
      expect(onnxMixing(readOnnx(readFileSync(file)), null)).toEqual({ verdict: 'independent', operators: [] });
    });
  }
});

const MIXING: Readonly<Record<string, readonly [operator: string, nodes: readonly OnnxNode[]]>> = {
  'a mean over the batch': ['ReduceMean', [node('ReduceMean', 'x', 'm', ints('axes', [0])), node('Sub', 'x m', 'y')]],
  'a maximum of everything': ['ReduceMax', [node('ReduceMax', 'x', 'm', int('keepdims', 0)), node('Div', 'x m', 'y')]],
  'an axis counted from the end': ['ReduceL2', [node('ReduceL2', 'x', 'y', ints('axes', [-3]))]],
  'a scale for the whole batch': ['DynamicQuantizeLinear', [node('DynamicQuantizeLinear', 'x', 'q s z'), node('DequantizeLinear', 'q s z', 'y')]],
  'a scale inside a fused operator': ['DynamicQuantizeMatMul', [node('com.microsoft/DynamicQuantizeMatMul', 'x w6x3', 'y')]],
  'a softmax over the batch': ['Softmax', [node('Softmax', 'x', 'y', int('axis', 0))]],
  'sums along the batch': ['CumSum', [node('CumSum', 'x 0', 'y')]],
  'the best rows': ['TopK', [node('TopK', 'x [1]', 'y i', int('axis', 0))]],
  'one row taken out': ['Gather', [node('Gather', 'x [0]', 'y')]],
  'a cut of the batch': ['Slice', [node('Slice', 'x [0] [1] [0]', 'a'), node('Sub', 'x a', 'y')]],
  'the batch backwards': ['Slice', [node('Slice', 'x [-1] far [0] [-1]', 'y')]],
  'a product of the rows with each other': ['MatMul', [node('Flatten', 'x', 'f'), node('Transpose', 'f', 't'), node('MatMul', 'f t', 'y')]],
  'a sum over rows by a product': ['Gemm', [node('Flatten', 'x', 'f'), node('Gemm', 'f f', 'y', int('transA', 1))]],
  'batch axes that meet at different places': ['Sub', [node('Unsqueeze', 'x [0]', 'a'), node('Unsqueeze', 'x [1]', 'b'), node('Sub', 'a b', 'y')]],
  'an einsum that sums the rows': ['Einsum', [node('Einsum', 'x', 'y', text('equation', 'nij->ij'))]],
  'a window that moves over the batch': ['MaxPool', [last, node('MaxPool', 'last', 'y', ints('kernel_shape', [3]))]],
  'a convolution over folded rows': ['Conv', [node('Reshape', 'x [1,-1,6]', 'a'), node('Transpose', 'a', 'b', ints('perm', [0, 2, 1])), node('Conv', 'b w', 'y', ints('kernel_shape', [3]))]],
  'normalisation over the batch': ['LayerNormalization', [last, node('LayerNormalization', 'last one', 'y')]],
  'batch normalisation in training': ['BatchNormalization', [node('BatchNormalization', 'x w4 w4 w4 w4', 'y m v', int('training_mode', 1))]],
  'normalisation by its default axes': ['MeanVarianceNormalization', [node('Unsqueeze', 'x [1]', 'a'), node('MeanVarianceNormalization', 'a', 'y')]],
  'a recurrent network that takes the batch for time': ['LSTM', [node('LSTM', 'x w r', 'y', int('hidden_size', 2))]],
  'the size of the batch as a number': ['Shape', [...count, node('Cast', 'n', 'c', int('to', 1)), node('Add', 'x c', 'y')]],
  'space that grows with the batch': ['Resize', [...count, node('Concat', 'n [4] n', 'to', int('axis', 0)), node('Resize', 'x - - to', 'y')]],
  'the number of values of a kind': ['NonZero', [node('NonZero', 'x', 'y')]],
  'an addition of padding along the batch': ['Pad', [node('Pad', 'x pads', 'y')]],
  'rows written over one another': ['ScatterElements', [node('ScatterElements', 'x i x', 'y', int('axis', 0))]],
  'a condition of all rows': ['ReduceMax', [
    node('ReduceMax', 'x', 'm', int('keepdims', 0)), node('Greater', 'm one', 'c'),
    { ...node('If', 'c', 'y'), attribute: [graph('then_branch', { node: [node('Relu', 'x', 't')], output: [value('t', [])] }), graph('else_branch', { node: [node('Tanh', 'x', 'e')], output: [value('e', [])] })] },
  ]],
  'a mean in the body of a loop': ['ReduceMean', [
    { ...node('Loop', '1 yes x', 'y'), attribute: [graph('body', {
      node: [node('ReduceMean', 'h', 'm', ints('axes', [0])), node('Sub', 'h m', 'o'), node('Identity', 'c', 'go')],
      input: [value('t', []), value('c', [], ELEMENT.bool), value('h', [])], output: [value('go', [], ELEMENT.bool), value('o', [])],
    })] },
  ]],
}; // prettier-ignore

describe('rows are mixed, by name, by', () => {
  const weights = [...MORE_WEIGHTS, integers('far', [-(2 ** 40)]), zeros('w', 3, 6, 3), zeros('r', 1, 8, 2), integers('pads', [1, 0, 0, 0, 0, 0]), { ...integers('i', 0), dims: [1, 1, 1] }]; // prettier-ignore

  it.each(Object.entries(MIXING))('%s', (_, [operator, nodes]) => {
    expect(mixing(nodes, { weights })).toEqual({ verdict: 'mixes', operators: [operator] });
  });

  it('a softmax of opset 11, which flattens all axes from its own on', () => {
    expect(mixing([flips, node('Softmax', 'flipped', 'y')], { opset: 11 }).verdict).toBe('mixes');
    const nodes = [flips, node('Softmax', 'flipped', 'a', int('axis', 2)), node('Transpose', 'a', 'y', ints('perm', [1, 0, 2]))]; // prettier-ignore
    expect(mixing(nodes, { opset: 11 }).verdict).toBe('independent');
  });

  it('a bias of its own for each place of a batch that the file fixes', () => {
    const bias = (name: string, rows: readonly number[]): OnnxTensor => ({ name, dims: [2, 1, 1], data_type: 1, raw_data: new Uint8Array(new Float32Array(rows).buffer) }); // prettier-ignore
    const add = [node('Add', 'x bias', 'y')];
    const shape = [2, 4, 6];
    expect(mixing(add, { shape, weights: [bias('bias', [1, 2])] })).toEqual({ verdict: 'mixes', operators: ['Add'] });
    expect(mixing(add, { shape, weights: [bias('bias', [2, 2])] }).verdict).toBe('independent');
    // With any number of rows it fits two alone.
    expect(mixing(add, { weights: [bias('bias', [2, 2])] }).verdict).toBe('mixes');
  });

  it('an operator in a function of the file, whatever the function is called', () => {
    const relu: OnnxFunction = {
      name: 'Relu', domain: 'own', input: ['a'], output: ['b'], opset_import: [{ domain: '', version: 17 }],
      node: [node('ReduceMax', 'a', 'm'), node('Div', 'a m', 'b')],
    }; // prettier-ignore
    expect(mixing([node('own/Relu', 'x', 'y')], { functions: [relu] })).toEqual({ verdict: 'mixes', operators: ['ReduceMax'] }); // prettier-ignore
  });

  it('an axis that only the call of a function says', () => {
    const mean: OnnxFunction = {
      name: 'Mean', domain: 'own', input: ['a'], output: ['b'], opset_import: [{ domain: '', version: 17 }],
      node: [{ ...node('ReduceMean', 'a', 'b'), attribute: [attribute.reference('axes', 'over')] }],
    }; // prettier-ignore
    const call = (axis: number) => mixing([node('own/Mean', 'x', 'y', ints('over', [axis]))], { functions: [mean] }).verdict; // prettier-ignore
    expect([call(0), call(1)]).toEqual(['mixes', 'independent']);
  });
});

describe('it is unknown what becomes of rows', () => {
  it.each<[string, readonly OnnxNode[], string]>([
    ['in an operator that is not in the table', [node('DeformConv', 'x w6 w6', 'y')], 'DeformConv'],
    ['in an operator of another domain', [node('elsewhere/Relu', 'x', 'y')], 'Relu'],
    ['behind sizes that regroup them', [node('Reshape', 'x [24]', 'y')], 'Reshape'],
    ['where all axes of one place are dropped, the batch of one row among them', [node('Squeeze', 'x', 'y')], 'Squeeze'],
    ['where numbers count them', [node('Shape', 'x', 's'), node('Gather', 's 0', 'n', int('axis', 0)), node('Range', '0 n 1', 'r'), node('Cast', 'r', 'c', int('to', 1)), node('Add', 'x c', 'y')], 'Range'],
    ['in a scan along them', [{ ...node('Scan', 'x', 'y'), attribute: [int('num_scan_inputs', 1), graph('body', { node: [node('Relu', 'a', 'b')], input: [value('a', [])], output: [value('b', [])] })] }], 'Scan'],
    ['where a tensor comes from nowhere', [node('Add', 'x nowhere', 'y')], 'Add'],
  ])('%s', (_, nodes, operator) => {
    expect(mixing(nodes)).toEqual({ verdict: 'unknown', operators: [operator] });
  }); // prettier-ignore

  it('where the scores do not stand by rows', () => {
    expect(mixing([node('Transpose', 'x', 'y', ints('perm', [1, 0, 2]))]).verdict).toBe('unknown');
    expect(mixing([node('Identity', 'w6', 'y')]).verdict).toBe('unknown');
  });

  it('in an operator that is not followed, though weights alone go through it elsewhere', () => {
    const known = [node('Hann', 'w6', 'a'), node('Add', 'x a', 'y')];
    expect(mixing(known)).toEqual({ verdict: 'unknown', operators: ['Add'] });
  });

  it('in functions that call each other without end', () => {
    const own = (name: string, calls: string): OnnxFunction => ({
      name, domain: 'own', input: ['a'], output: ['b'], opset_import: [{ domain: '', version: 17 }],
      node: [...Array(8).keys()].map((index) => node(`own/${calls}`, 'a', index === 0 ? 'b' : `c${index}`)),
    }); // prettier-ignore
    const functions = [own('A', 'B'), own('B', 'A')];
    expect(mixing([node('own/A', 'x', 'y')], { functions }).verdict).toBe('unknown');
  });

  it('in versions of the operators that broadcast by attributes', () => {
    expect(mixing([node('Add', 'x w4', 'y', int('broadcast', 1), float('axis', 1))], { opset: 6 }).verdict).toBe('unknown'); // prettier-ignore
  });
});
