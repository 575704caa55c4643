import { describe, expect, it } from 'vitest';
import { editMessage } from '../../../../src/models/logits/message-fields.ts';
import { savedModelWithoutSoftmax } from '../../../../src/models/logits/saved-model-logits.ts';
import { FLOAT, type GraphFunction, type GraphNode, savedModel } from '../../../support/tensorflow-graph.ts';

const T = { T: FLOAT };
const node = (name: string, op: string, input: readonly string[] = []): GraphNode => ({ name, op, input, attr: T });
const call = (name: string, func: string, input: string): GraphNode => ({ name, op: 'PartitionedCall', input: [input], attr: { f: { func } } });
const IMAGE = node('image', 'Placeholder');
const ends: GraphFunction = {
  name: 'ends',
  inputs: ['x'],
  results: { y: 'p:softmax:0' },
  nodes: [node('logits', 'Relu', ['x']), node('p', 'Softmax', ['logits:activations:0'])],
};
const written = (nodes: readonly GraphNode[], output: string, functions: readonly GraphFunction[] = []): Uint8Array =>
  savedModel({ nodes, functions, inputs: { image: { name: 'image:0' } }, outputs: { y: { name: output } } });

describe('a SavedModel that ends with a Softmax', () => {
  it('has an Identity in its place in the graph, and nothing else is other than before', () => {
    const nodes = (op: string) => [IMAGE, node('logits', 'Relu', ['image']), node('p', op, ['logits']), node('y', 'Identity', ['p'])];
    for (const operator of ['Softmax', 'LogSoftmax'] as const) {
      expect(savedModelWithoutSoftmax(written(nodes(operator), 'y:0'), 'serving_default')).toEqual({
        softmax: operator,
        bytes: Buffer.from(written(nodes('Identity'), 'y:0')),
      });
    }
  });

  it('gives the logits where a function that it calls gave the Softmax', () => {
    const bytes = written([IMAGE, call('call', 'ends', 'image')], 'call:0', [ends]);
    const stripped = { ...ends, results: { y: 'logits:activations:0' } };
    expect(savedModelWithoutSoftmax(bytes, 'serving_default', 'y')).toEqual({
      softmax: 'Softmax',
      bytes: Buffer.from(written([IMAGE, call('call', 'ends', 'image')], 'call:0', [stripped])),
    });
  });

  it.each([
    ['that something else takes too', written([IMAGE, node('p', 'Softmax', ['image']), node('q', 'Neg', ['p']), node('y', 'Add', ['p', 'q'])], 'y:0')],
    ['in a function that is called twice', written([IMAGE, call('one', 'ends', 'image'), call('two', 'ends', 'one')], 'two:0', [ends])],
    ['nowhere', written([IMAGE, node('y', 'Relu', ['image'])], 'y:0')],
  ])('%s stays as it is', (_, bytes) => {
    expect(savedModelWithoutSoftmax(bytes, 'serving_default')).toBeNull();
  });

  it('is asked for by signature and output', () => {
    const bytes = written([IMAGE, node('p', 'Softmax', ['image'])], 'p:0');
    expect(savedModelWithoutSoftmax(bytes, 'another')).toBeNull();
    expect(savedModelWithoutSoftmax(bytes, 'serving_default', 'another')).toBeNull();
  });
});

it('a message that nothing edits keeps its bytes, fields that nobody knows included', () => {
  const bytes = Uint8Array.of(0x08, 0x96, 0x01, 0x12, 0x02, 0x68, 0x69, 0x1d, 1, 2, 3, 4, 0x21, 1, 2, 3, 4, 5, 6, 7, 8);
  expect(editMessage(bytes, (_, contents) => contents)).toEqual(Buffer.from(bytes));
  expect(editMessage(bytes, () => Buffer.from('hello'))).toEqual(
    Buffer.concat([bytes.subarray(0, 3), Buffer.of(0x12, 0x05), Buffer.from('hello'), bytes.subarray(7)]),
  );
});
