import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { inspectOnnx, type OnnxInspection } from '../../../../src/models/formats/onnx.ts';
import { readOnnx } from '../../../../src/models/formats/onnx-file.ts';
import { batchNormalization, linearOnnx, type Prelude, PRELUDES } from '../../../support/linear-onnx.ts';
import {
  attribute,
  ELEMENT,
  floats,
  type OnnxGraph,
  type OnnxNode,
  onnxFile,
  type OnnxTensor,
} from '../../../support/onnx-file.ts';

const LINEAR = { weights: [[1, 0, 0, 0], [0, 0, 0, 0]], biases: [0, 0.5], shape: [1, 2, 2] }; // prettier-ignore

const inspect = (bytes: Uint8Array): OnnxInspection => inspectOnnx(readOnnx(bytes));

function withPrelude(prelude: Prelude): readonly string[] {
  return inspect(linearOnnx({ ...LINEAR, prelude })).randomOperators;
}

/** A tensor that is kept in another file. */
function external(location: string): OnnxTensor {
  return {
    name: 'weight',
    dims: [1],
    data_type: 1,
    data_location: 1,
    external_data: [
      { key: 'offset', value: '0' },
      { key: 'location', value: location },
    ],
  };
}

const RANDOM: OnnxNode = { op_type: 'RandomUniform', output: ['draw'] };

/** Every place of a file where a graph, or nodes, can stand inside another. */
const NESTINGS: Readonly<Record<string, (graph: OnnxGraph) => Uint8Array>> = {
  'the main graph': (graph) => onnxFile(graph),
  'a branch of If': (graph) =>
    onnxFile({
      node: [
        {
          op_type: 'If',
          attribute: [attribute.graph('then_branch', { node: [] }), attribute.graph('else_branch', graph)],
        },
      ],
    }),
  'a body in a body': (graph) =>
    onnxFile({
      node: [
        {
          op_type: 'Loop',
          attribute: [
            attribute.graph('body', {
              node: [{ op_type: 'Scan', attribute: [attribute.graph('body', graph)] }],
            }),
          ],
        },
      ],
    }),
  'a list of graphs': (graph) =>
    onnxFile({
      node: [{ op_type: 'Custom', attribute: [attribute.graphs('bodies', [{ node: [] }, graph])] }],
    }),
  'a branch inside a function': (graph) =>
    onnxFile({ node: [{ op_type: 'Local', domain: 'local' }] }, [
      {
        name: 'Local',
        domain: 'local',
        node: [{ op_type: 'If', attribute: [attribute.graph('then_branch', graph)] }],
      },
    ]),
};

describe('inspectOnnx', () => {
  it('finds nothing wrong with a linear classifier', () => {
    expect(inspect(linearOnnx(LINEAR))).toEqual({ externalFiles: [], randomOperators: [] });
  });

  for (const name of ['mnist-cnn', 'fashion-mnist-cnn']) {
    it(`finds nothing wrong with the shipped model ${name}`, () => {
      const bytes = readFileSync(new URL(`../../../../models/${name}/model.onnx`, import.meta.url));
      expect(inspect(bytes)).toEqual({ externalFiles: [], randomOperators: [] });
    });
  }

  // onnx 1.19, Operators.md: all whose output is a random draw.
  for (const operator of [
    'RandomNormal',
    'RandomNormalLike',
    'RandomUniform',
    'RandomUniformLike',
    'Multinomial',
    'Bernoulli',
  ]) {
    it(`names the random operator ${operator}`, () => {
      const node = [{ op_type: 'Relu' }, { op_type: operator }, { op_type: operator }];
      expect(inspect(onnxFile({ node })).randomOperators).toEqual([operator]);
    });
  }

  it('finds noise that the model adds by itself', () => {
    expect(withPrelude(PRELUDES.randomNormal)).toEqual(['RandomNormalLike']);
  });

  it('tells dropout that drops from dropout that inference exports leave behind', () => {
    expect(withPrelude(PRELUDES.dropoutTraining)).toEqual(['Dropout']);
    expect(withPrelude(PRELUDES.dropoutInference)).toEqual([]);
  });

  // Exporters write the mode out: torch.onnx with training=TrainingMode.EVAL and the optimiser switched off.
  describe('dropout whose mode is an input', () => {
    const truth = (name: string, value: 0 | 1): OnnxTensor => ({ name, dims: [], data_type: ELEMENT.bool, int32_data: [value] });
    const drop: OnnxNode = { op_type: 'Dropout', input: ['image', '', 'mode'], output: ['prepared'] };
    const constant = (value: 0 | 1): OnnxNode => ({
      op_type: 'Constant',
      output: ['mode'],
      attribute: [attribute.tensor('value', truth('', value))],
    });

    it('does nothing where that is the constant false', () => {
      expect(withPrelude({ nodes: [drop], initializers: [truth('mode', 0)] })).toEqual([]);
      expect(withPrelude({ nodes: [constant(0), drop] })).toEqual([]);
      const raw = { ...truth('mode', 0), int32_data: [], raw_data: Uint8Array.of(0) };
      expect(withPrelude({ nodes: [drop], initializers: [raw] })).toEqual([]);
    });

    it('drops where that is true, or computed, or nowhere', () => {
      expect(withPrelude({ nodes: [drop], initializers: [truth('mode', 1)] })).toEqual(['Dropout']);
      expect(withPrelude({ nodes: [constant(1), drop] })).toEqual(['Dropout']);
      expect(withPrelude({ nodes: [drop] })).toEqual(['Dropout']);
      const computed: OnnxNode = { op_type: 'Not', input: ['other'], output: ['mode'] };
      expect(withPrelude({ nodes: [computed, drop], initializers: [truth('other', 1)] })).toEqual(['Dropout']);
    });

    it('drops where a graph inside gives the name another value', () => {
      const inner: OnnxGraph = { node: [drop], initializer: [truth('mode', 1)] };
      const branches = [attribute.graph('then_branch', inner), attribute.graph('else_branch', { node: [drop] })];
      const file = onnxFile({ node: [{ op_type: 'If', attribute: branches }], initializer: [truth('mode', 0)] });
      expect(inspect(file).randomOperators).toEqual(['Dropout']);
    });
  });

  it('tells batch normalisation in training from that in inference', () => {
    expect(withPrelude(batchNormalization(1, true))).toEqual(['BatchNormalization']);
    expect(withPrelude(batchNormalization(1, false))).toEqual([]);
    const off: OnnxNode = { op_type: 'BatchNormalization', attribute: [attribute.int('training_mode', 0)] };
    expect(inspect(onnxFile({ node: [off] })).randomOperators).toEqual([]);
  });

  for (const [place, nest] of Object.entries(NESTINGS)) {
    it(`looks into ${place}`, () => {
      const training: OnnxNode = {
        op_type: 'BatchNormalization',
        attribute: [attribute.int('training_mode', 1)],
      };
      const found = inspect(nest({ node: [RANDOM, training], initializer: [external('far.bin')] }));
      expect(found.randomOperators.toSorted()).toEqual(['BatchNormalization', 'RandomUniform']);
      expect(found.externalFiles).toEqual(['far.bin']);
    });
  }

  it('names each external file once, as written', () => {
    const locations = ['weights.bin', '../up.bin', '/etc/passwd', 'weights.bin', '*/_ORT_MEM_ADDR_/*'];
    const file = onnxFile({ node: [{ op_type: 'Relu' }], initializer: locations.map(external) });
    expect(inspect(file).externalFiles).toEqual([
      'weights.bin',
      '../up.bin',
      '/etc/passwd',
      '*/_ORT_MEM_ADDR_/*',
    ]);
  });

  it('finds external data in every place that can hold a tensor', () => {
    const inside = floats('inside', [1], [1]);
    const file = onnxFile({
      node: [
        { op_type: 'Constant', attribute: [attribute.tensor('value', external('a'))] },
        { op_type: 'Custom', attribute: [attribute.tensors('values', [inside, external('b')])] },
        { op_type: 'Constant', attribute: [attribute.sparse('sparse_value', external('c'), external('d'))] },
      ],
      initializer: [external('e')],
      sparse_initializer: [{ values: external('f'), indices: external('g') }, { values: inside }],
    });
    expect(inspect(file).externalFiles.toSorted()).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g']);
  });

  it('finds external data even where the tensor claims to be stored inside', () => {
    const tensor = { ...external('hidden.bin'), data_location: 0 };
    expect(
      inspect(onnxFile({ node: [{ op_type: 'Relu' }], initializer: [tensor] })).externalFiles,
    ).toEqual(['hidden.bin']);
  });

  it('refuses what is no ONNX file, and one without a graph', () => {
    expect(() => inspect(new Uint8Array(0))).toThrow('no ONNX graph');
    expect(() => inspect(onnxFile(undefined))).toThrow('no ONNX graph');
    expect(() => inspect(new TextEncoder().encode('{"not": "protobuf"}'))).toThrow(/./u);
    const cut = linearOnnx(LINEAR).subarray(0, 60);
    expect(() => inspect(cut)).toThrow(/./u);
  });
});
