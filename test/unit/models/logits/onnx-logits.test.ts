import ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { readOnnx } from '../../../../src/models/formats/onnx-file.ts';
import { onnxLogits, withLogitsOutput } from '../../../../src/models/logits/onnx-logits.ts';
import { attribute, onnxFile, type OnnxNode, value } from '../../../support/onnx-file.ts';

const DOUBLED: OnnxNode = { op_type: 'Add', input: ['x', 'x'], output: ['logits'] };
const softmax = (more: Partial<OnnxNode> = {}): OnnxNode => ({
  op_type: 'Softmax',
  input: ['logits'],
  output: ['y'],
  ...more,
});
const axis = (at: number) => ({ attribute: [attribute.int('axis', at)] });

/** A file that doubles [batch, 3] and ends with these nodes, giving y. */
const file = (nodes: readonly OnnxNode[], dims: readonly (string | number)[] = ['batch', 3]): Uint8Array =>
  onnxFile({ node: [DOUBLED, ...nodes], input: [value('x', ['batch', 3])], output: [value('y', dims)] });

const logitsOf = (bytes: Uint8Array) => onnxLogits(readOnnx(bytes), 'y');

describe('the logits of an ONNX file', () => {
  it.each([
    ['Softmax over the last axis', [softmax()], 'Softmax'],
    ['Softmax over axis 1', [softmax(axis(1))], 'Softmax'],
    ['LogSoftmax', [softmax({ op_type: 'LogSoftmax' })], 'LogSoftmax'],
    ['a Softmax behind an Identity', [softmax({ output: ['p'] }), { op_type: 'Identity', input: ['p'], output: ['y'] }], 'Softmax'],
  ] as const)('stand before %s', (_, nodes, operator) => {
    expect(logitsOf(file(nodes))).toEqual({ softmax: operator, tensor: 'logits', elementType: 1 });
  });

  it.each([
    ['a Softmax over the batch', file([softmax(axis(0))])],
    ['no Softmax', file([{ op_type: 'Relu', input: ['logits'], output: ['y'] }])],
    ['a Softmax in the middle', file([softmax({ output: ['p'] }), { op_type: 'Relu', input: ['p'], output: ['y'] }])],
    ['an operator of that name in another domain', file([softmax({ domain: 'own' })])],
    ['an output whose axes are not declared', file([softmax()], [])],
    ['a Softmax over the last of four axes', file([softmax()], ['batch', 3, 1, 1])],
    ['a Softmax of the input itself', file([softmax({ input: ['x'] })])],
  ])('are none for %s', (_, bytes) => {
    expect(logitsOf(bytes)).toBeNull();
  });

  it('are the axes of classes [batch, classes, 1, 1] over axis 1', () => {
    expect(logitsOf(file([softmax(axis(1))], ['batch', 3, 1, 1]))).toMatchObject({ tensor: 'logits' });
  });

  it('can be asked of ONNX Runtime once they are made an output', async () => {
    const bytes = file([softmax()]);
    const session = await ort.InferenceSession.create(withLogitsOutput(bytes, logitsOf(bytes)!));
    expect(session.outputNames).toEqual(['y', 'logits']);
    const x = new ort.Tensor('float32', Float32Array.of(1, 2, 300), [1, 3]);
    const { logits } = await session.run({ x }, ['logits']);
    expect([...(logits!.data as Float32Array)]).toEqual([2, 4, 600]);
    await session.release();
  });
});
