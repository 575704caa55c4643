import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { asynchronousOperators } from '../../../../src/models/formats/asynchronous.ts';
import { readTensorflowJson } from '../../../../src/models/formats/tensorflow-json.ts';
import { verifyModel } from '../../../../src/models/verify.ts';
import { domainFault } from '../../../support/domain-fault.ts';
import { imageInput, writeModelFolder } from '../../../support/model-folder.ts';
import { useTemporaryDirectory } from '../../../support/temporary-directory.ts';
import { linearTensorflow } from '../../../support/linear-tensorflow.ts';
import { FLOAT, type GraphNode, graphModel } from '../../../support/tensorflow-graph.ts';

const at = useTemporaryDirectory();
const node = (name: string, op: string, ...input: readonly string[]): GraphNode => ({ name, op, input, attr: { T: FLOAT } });
const IMAGE: GraphNode = { name: 'image', op: 'Placeholder', attr: { dtype: FLOAT, shape: { shape: [-1, 1, 2, 1] } } };
const found = (nodes: readonly GraphNode[], output?: string): string[] =>
  asynchronousOperators(readTensorflowJson(graphModel([IMAGE, ...nodes])['model.json']!, 'model.json'), output);

describe('a GraphModel with operators that TensorFlow.js runs only asynchronously', () => {
  const library = join(dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-converter/package.json')), 'dist');
  const read = (file: string): string => readFileSync(join(library, file), 'utf8');
  const listed = ['control', 'dynamic', 'hash_table'].flatMap((list) =>
    [...read(`operations/op_list/${list}.js`).matchAll(/'tfOpName': '(\w+)'/g)].map(([, name]) => name!),
  );

  it.each(listed)('is known by %s, as by every operator that the library answers with a promise', (op) => {
    expect(found([node('end', op, 'image')])).toEqual([op]);
  });

  it('is known by no other operator of the library', () => {
    const others = ['arithmetic', 'basic_math', 'convolution', 'creation', 'evaluation', 'graph', 'image', 'logical', 'matrices', 'normalization', 'reduction', 'slice_join', 'sparse', 'spectral', 'string', 'transformation'] // prettier-ignore
      .flatMap((list) => [...read(`operations/op_list/${list}.js`).matchAll(/'tfOpName': '(\w+)'/g)].map(([, name]) => name!))
      .filter((op) => !listed.includes(op));
    expect(others.length).toBeGreaterThan(150);
    expect(others.filter((op) => found([node('end', op, 'image')]).length > 0)).toEqual([]);
  });

  it('is told by what the output needs alone, wherever that stands', () => {
    const nodes = [node('gate', 'Switch', 'image'), node('loop', 'While', 'gate:1'), node('end', 'Relu', 'loop:2', '^gate'), node('other', 'Relu', 'image')];
    expect(found(nodes, 'end').toSorted()).toEqual(['Switch', 'While']);
    expect(found(nodes, 'other')).toEqual([]);
    // Of several outputs none is chosen, so any may be meant.
    expect(found(nodes).toSorted()).toEqual(['Switch', 'While']);
  });

  it('that waits for itself is followed to the end', () => {
    const loop = [node('enter', 'Enter', 'image'), node('merge', 'Merge', 'enter', 'next'), node('next', 'NextIteration', 'merge'), node('exit', 'Exit', 'merge')];
    expect(found(loop, 'exit').toSorted()).toEqual(['Enter', 'Exit', 'Merge', 'NextIteration']);
  });

  it('is refused by their names, with what runs it', async () => {
    const input = imageInput(1, 2, 1, 'NHWC');
    const linear = { input, weights: [[1, 0], [0, 1]], biases: [0, 0], prelude: [node('prepared', 'Where', 'image')] }; // prettier-ignore
    const files = linearTensorflow('GraphModel', linear);
    const model = await writeModelFolder(at('model'), { engine: 'tensorflow', files, input, classes: 2 });
    const fault = await domainFault(() => verifyModel(model));
    expect(fault.code).toBe('model_invalid');
    expect(fault.message).toMatch(/^model\.json has loops, .*\(Where\).*take the SavedModel that it was made of/);
  });
});
