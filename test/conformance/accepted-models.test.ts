import { describe, expect, it, onTestFinished } from 'vitest';
import type { Classifier } from '../../src/engines/classifier.ts';
import { CPU_TARGET } from '../../src/engines/compute-target.ts';
import { openClassifier } from '../../src/engines/open-classifier.ts';
import { openIn } from '../../src/engines/tensorflow/engine.ts';
import { loadTensorflow, loadTensorflowWasm } from '../../src/engines/tensorflow/library.ts';
import { verifyModel } from '../../src/models/verify.ts';
import { domainFault } from '../support/domain-fault.ts';
import { linearOnnx, weightBytes } from '../support/linear-onnx.ts';
import { linearGraph, linearTensorflow } from '../support/linear-tensorflow.ts';
import { type FolderOptions, imageInput, writeModelFolder } from '../support/model-folder.ts';
import { nativeTensorflowObstacle } from '../support/native-tensorflow.ts';
import { attribute, ELEMENT, floats, integers, onnxFile, type OnnxGraph, type OnnxNode, type OnnxValue, readOnnxFile, value } from '../support/onnx-file.ts'; // prettier-ignore
import { useTemporaryDirectory } from '../support/temporary-directory.ts';
import { constant, FLOAT, type GraphNode, savedModel } from '../support/tensorflow-graph.ts';
import { classify } from './engine-laws.ts';

const at = useTemporaryDirectory();
const INPUT = imageInput(1, 2);
/** The brighter of two pixels. */
const LINEAR = { input: INPUT, weights: [[1, 0], [0, 1]], biases: [0, 0] }; // prettier-ignore
const ROWS = Float32Array.of(0.9, 0.1, 0.2, 0.7, 0.6, 0.5);
const BRIGHTER = [0, 1, 0];
let folders = 0;

type Open = Parameters<typeof openClassifier>[2];

async function open(options: Omit<FolderOptions, 'input' | 'classes'> & Partial<FolderOptions>, engine?: Open): Promise<Classifier> {
  folders += 1;
  const model = await writeModelFolder(at(`model-${folders}`), { input: INPUT, classes: 2, ...options });
  const classifier = await openClassifier(await verifyModel(model), CPU_TARGET, engine);
  onTestFinished(() => classifier.close());
  return classifier;
} // prettier-ignore

/** The linear classifier with more nodes behind it, whose last ones are outputs. */
function onnx(nodes: readonly OnnxNode[], output: readonly OnnxValue[], initializer: OnnxGraph['initializer'] = []): Uint8Array {
  const linear = readOnnxFile(linearOnnx({ ...LINEAR, shape: [1, 1, 2] }));
  return onnxFile({ ...linear, node: [...linear.node!, ...nodes], initializer: [...linear.initializer!, ...initializer], output });
} // prettier-ignore
const node = (op_type: string, input: string, output: string, ...attributes: OnnxNode['attribute'] & object): OnnxNode => ({
  op_type, input: input.split(' '), output: [output], attribute: attributes,
}); // prettier-ignore

describe('an ONNX model', () => {
  it('with several outputs gives the scores of the one that is named, and is refused where none is', async () => {
    const file = onnx(
      [node('Neg', 'logits', 'auxiliary')],
      [value('auxiliary', ['N', 2]), value('logits', ['N', 2])],
    );
    const files = { 'model.onnx': file };
    expect(await classify(await open({ files, output: { name: 'logits' } }), ROWS, 3)).toEqual(BRIGHTER);
    expect(await classify(await open({ files, output: { name: 'auxiliary' } }), ROWS, 3)).toEqual([1, 0, 1]);
    const fault = await domainFault(() => open({ files }));
    expect(fault.message).toContain('auxiliary (float32 [?, 2]), logits (float32 [?, 2])');
  });

  it('may mix the rows in an output that is not certified, and not in the one that is', async () => {
    const file = onnx(
      [
        node('ReduceMean', 'logits', 'mean', attribute.ints('axes', [0])),
        node('Sub', 'logits mean', 'centred'),
      ],
      [value('logits', ['N', 2]), value('centred', ['N', 2])],
    );
    const files = { 'model.onnx': file };
    expect(await classify(await open({ files, output: { name: 'logits' } }), ROWS, 3)).toEqual(BRIGHTER);
    await expect(open({ files, output: { name: 'centred' } })).rejects.toThrow(/rows/);
  });

  it.each([
    ['[batch, 2, 1, 1]', [0, 0, 1, 1]],
    ['[batch, 1, 1, 2]', [1, 1]],
  ])('with scores of shape %s', async (_, places) => {
    const to = places.length === 4 ? [-1, 2, 1, 1] : [-1, 1, 1, 2];
    const file = onnx(
      [node('Reshape', 'logits to', 'y')],
      [value('y', ['N', ...to.slice(1)])],
      [integers('to', to)],
    );
    expect(await classify(await open({ files: { 'model.onnx': file } }), ROWS, 3)).toEqual(BRIGHTER);
  });

  it('with one sigmoid, or what stands before it, as two classes', async () => {
    const single = [node('Gather', 'logits 0', 'first', attribute.int('axis', 1)), node('Gather', 'logits 1', 'second', attribute.int('axis', 1)), node('Sub', 'second first', 'z')]; // prettier-ignore
    const numbers = [integers('0', [0]), integers('1', [1])];
    const logit = onnx(single, [value('z', ['N', 1])], numbers);
    const sigmoid = onnx([...single, node('Sigmoid', 'z', 's')], [value('s', ['N', 1])], numbers);
    expect(await classify(await open({ files: { 'm.onnx': logit }, output: { kind: 'logit' } }), ROWS, 3)).toEqual(BRIGHTER); // prettier-ignore
    expect(await classify(await open({ files: { 'm.onnx': sigmoid }, output: { kind: 'sigmoid' } }), ROWS, 3)).toEqual(BRIGHTER); // prettier-ignore
    await expect(open({ files: { 'm.onnx': logit }, output: { kind: 'sigmoid' } })).rejects.toThrow(
      '"logit"',
    );
    await expect(open({ files: { 'm.onnx': sigmoid } })).rejects.toThrow('"sigmoid" or "logit"');
  });

  it('that takes flat rows', async () => {
    const file = linearOnnx({ ...LINEAR, shape: [2] });
    const classifier = await open({ files: { 'm.onnx': file }, input: { ...INPUT, flat: true } });
    expect(await classify(classifier, ROWS, 3)).toEqual(BRIGHTER);
  });

  it('with labels beside the scores, as scikit-learn has them', async () => {
    const file = onnx(
      [node('ArgMax', 'logits', 'label', attribute.int('axis', 1), attribute.int('keepdims', 0))],
      [value('label', ['N'], ELEMENT.int64), value('logits', ['N', 2])],
    );
    const files = { 'm.onnx': file };
    expect(await classify(await open({ files, output: { name: 'logits' } }), ROWS, 3)).toEqual(BRIGHTER);
    await expect(open({ files, output: { name: 'label' } })).rejects.toThrow('labels are no scores');
  });

  it('with weights in ./weights.bin', async () => {
    const file = linearOnnx({ ...LINEAR, shape: [1, 1, 2], externalWeights: './weights.bin' });
    const files = { 'm.onnx': file, 'weights.bin': weightBytes(LINEAR) };
    expect(await classify(await open({ files }), ROWS, 3)).toEqual(BRIGHTER);
  });

  it('with Dropout whose mode is the constant false', async () => {
    const drop = { op_type: 'Dropout', input: ['logits', 'ratio', 'mode'], output: ['y'] };
    const mode = { name: 'mode', dims: [], data_type: ELEMENT.bool, int32_data: [0] };
    const file = onnx([drop], [value('y', ['N', 2])], [floats('ratio', [], [0.5]), mode]);
    expect(await classify(await open({ files: { 'm.onnx': file } }), ROWS, 3)).toEqual(BRIGHTER);
  });
});

/** Both libraries that run TensorFlow's models, where they are; the one that is loaded last computes. */
const wasm: Open = async (model) => openIn(await loadTensorflowWasm(), model);
const native: Open = async (model, target) => openIn(await loadTensorflow(target), model);
const LIBRARIES = nativeTensorflowObstacle() === null ? ([['native', native], ['wasm', wasm]] as const) : ([['wasm', wasm]] as const); // prettier-ignore

if (nativeTensorflowObstacle() === null) {
  describe('a SavedModel', () => {
    const negated: GraphNode[] = [...linearGraph(LINEAR), { name: 'auxiliary', op: 'Neg', input: ['logits'], attr: { T: FLOAT } }, constant('unused', { dtype: 'DT_FLOAT', dims: [1], values: [0] })]; // prettier-ignore
    const both = (signature: string): Uint8Array =>
      savedModel({
        nodes: negated,
        signature,
        inputs: { image: { name: 'image:0', dims: [-1, 1, 1, 2] } },
        outputs: { z: { name: 'logits:0', dims: [-1, 2] }, a: { name: 'auxiliary:0', dims: [-1, 2] } },
      });
    const saved = (bytes: Uint8Array, more: Partial<FolderOptions>) =>
      open({ engine: 'tensorflow', files: { 'saved_model.pb': bytes }, ...more }, native);

    it('gives the scores of the output that is named', async () => {
      const bytes = both('serving_default');
      expect(await classify(await saved(bytes, { output: { name: 'z' } }), ROWS, 3)).toEqual(BRIGHTER);
      expect(await classify(await saved(bytes, { output: { name: 'a' } }), ROWS, 3)).toEqual([1, 0, 1]);
      await expect(saved(bytes, {})).rejects.toThrow(/it has 2 outputs/);
    });

    it('is entered by the signature that is named, and refused with the names where that is not there', async () => {
      const bytes = both('serve');
      const more = { signature: 'serve', output: { name: 'z' } };
      expect(await classify(await saved(bytes, more), ROWS, 3)).toEqual(BRIGHTER);
      await expect(saved(bytes, { output: { name: 'z' } })).rejects.toThrow('it has no signature serving_default; it has serve'); // prettier-ignore
    });
  });
}

describe.each(LIBRARIES)('a TensorFlow model, %s', (_, engine) => {
  const tensorflow = (files: FolderOptions['files'], more: Partial<FolderOptions> = {}) =>
    open({ engine: 'tensorflow', files, ...more }, engine);
  const layers = linearTensorflow('LayersModel', LINEAR);
  const edited = (edit: (json: Record<string, unknown>) => void): FolderOptions['files'] => {
    const json = JSON.parse(Buffer.from(layers['model.json']!).toString()) as Record<string, unknown>;
    edit(json);
    return { ...layers, 'model.json': Buffer.from(JSON.stringify(json)) };
  };

  it('without a word of its format', async () => {
    const files = edited((json) => delete json['format']);
    expect(await classify(await tensorflow(files), ROWS, 3)).toEqual(BRIGHTER);
  });

  it('with the shape of a batch where Keras 3 writes it', async () => {
    const files = edited((json) => {
      const text = JSON.stringify(json['modelTopology']).replace('batch_input_shape', 'batch_shape');
      json['modelTopology'] = JSON.parse(text) as object;
    });
    expect(await classify(await tensorflow(files), ROWS, 3)).toEqual(BRIGHTER);
  });

  it('with one value a row, as two classes', async () => {
    const difference = { input: INPUT, weights: [[-1, 1]], biases: [0] };
    for (const format of ['LayersModel', 'GraphModel'] as const) {
      const classifier = await tensorflow(linearTensorflow(format, difference), {
        output: { kind: 'logit' },
      });
      expect(await classify(classifier, ROWS, 3)).toEqual(BRIGHTER);
    }
  });

  it('of a graph with several outputs, of which one is named', async () => {
    const negated: GraphNode = { name: 'auxiliary', op: 'Neg', input: ['logits'], attr: { T: FLOAT } };
    const files = linearTensorflow('GraphModel', LINEAR);
    const json = JSON.parse(Buffer.from(files['model.json']!).toString()) as {
      modelTopology: { node: unknown[] };
    };
    const scaled = { name: 'main', op: 'Relu', input: ['logits'], attr: { T: FLOAT } };
    json.modelTopology.node.push(negated, scaled);
    const two = { ...files, 'model.json': Buffer.from(JSON.stringify(json)) };
    expect(await classify(await tensorflow(two, { output: { name: 'main' } }), ROWS, 3)).toEqual(BRIGHTER);
    expect(await classify(await tensorflow(two, { output: { name: 'auxiliary' } }), ROWS, 3)).toEqual([
      1, 0, 1,
    ]);
    await expect(tensorflow(two)).rejects.toThrow(/it has 2 outputs, auxiliary .*, main/);
  });
});
