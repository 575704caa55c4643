import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { inspectOnnx, staysInside } from '../../../../src/models/formats/onnx.ts';
import { batchNormalization, linearOnnx, type Prelude, PRELUDES } from '../../../support/linear-onnx.ts';
import {
  attribute,
  floats,
  type OnnxGraph,
  type OnnxNode,
  onnxFile,
  type OnnxTensor,
} from '../../../support/onnx-file.ts';

const LINEAR = { weights: [[1, 0, 0, 0], [0, 0, 0, 0]], biases: [0, 0.5], shape: [1, 2, 2] }; // prettier-ignore

function withPrelude(prelude: Prelude): readonly string[] {
  return inspectOnnx(linearOnnx({ ...LINEAR, prelude })).randomOperators;
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
    expect(inspectOnnx(linearOnnx(LINEAR))).toEqual({ externalFiles: [], randomOperators: [] });
  });

  for (const name of ['mnist-cnn', 'fashion-mnist-cnn']) {
    it(`finds nothing wrong with the shipped model ${name}`, () => {
      const bytes = readFileSync(new URL(`../../../../models/${name}/model.onnx`, import.meta.url));
      expect(inspectOnnx(bytes)).toEqual({ externalFiles: [], randomOperators: [] });
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
      expect(inspectOnnx(onnxFile({ node })).randomOperators).toEqual([operator]);
    });
  }

  it('finds noise that the model adds by itself', () => {
    expect(withPrelude(PRELUDES.randomNormal)).toEqual(['RandomNormalLike']);
  });

  it('tells dropout that drops from dropout that inference exports leave behind', () => {
    expect(withPrelude(PRELUDES.dropoutTraining)).toEqual(['Dropout']);
    expect(withPrelude(PRELUDES.dropoutInference)).toEqual([]);
  });

  it('tells batch normalisation in training from that in inference', () => {
    expect(withPrelude(batchNormalization(1, true))).toEqual(['BatchNormalization']);
    expect(withPrelude(batchNormalization(1, false))).toEqual([]);
    const off: OnnxNode = { op_type: 'BatchNormalization', attribute: [attribute.int('training_mode', 0)] };
    expect(inspectOnnx(onnxFile({ node: [off] })).randomOperators).toEqual([]);
  });

  for (const [place, nest] of Object.entries(NESTINGS)) {
    it(`looks into ${place}`, () => {
      const training: OnnxNode = {
        op_type: 'BatchNormalization',
        attribute: [attribute.int('training_mode', 1)],
      };
      const found = inspectOnnx(nest({ node: [RANDOM, training], initializer: [external('far.bin')] }));
      expect(found.randomOperators.toSorted()).toEqual(['BatchNormalization', 'RandomUniform']);
      expect(found.externalFiles).toEqual(['far.bin']);
    });
  }

  it('names each external file once, as written', () => {
    const locations = ['weights.bin', '../up.bin', '/etc/passwd', 'weights.bin', '*/_ORT_MEM_ADDR_/*'];
    const file = onnxFile({ node: [{ op_type: 'Relu' }], initializer: locations.map(external) });
    expect(inspectOnnx(file).externalFiles).toEqual([
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
    expect(inspectOnnx(file).externalFiles.toSorted()).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g']);
  });

  it('finds external data even where the tensor claims to be stored inside', () => {
    const tensor = { ...external('hidden.bin'), data_location: 0 };
    expect(
      inspectOnnx(onnxFile({ node: [{ op_type: 'Relu' }], initializer: [tensor] })).externalFiles,
    ).toEqual(['hidden.bin']);
  });

  it('refuses what is no ONNX file, and one without a graph', () => {
    expect(() => inspectOnnx(new Uint8Array(0))).toThrow('no ONNX graph');
    expect(() => inspectOnnx(onnxFile(undefined))).toThrow('no ONNX graph');
    expect(() => inspectOnnx(new TextEncoder().encode('{"not": "protobuf"}'))).toThrow(/./u);
    const cut = linearOnnx(LINEAR).subarray(0, 60);
    expect(() => inspectOnnx(cut)).toThrow(/./u);
  });
});

describe('staysInside', () => {
  it('accepts paths below the folder', () => {
    for (const path of ['weights.bin', 'a/b.bin', './a', 'a/../b', '..a', 'a..b/c'])
      expect(staysInside(path)).toBe(true);
  });

  it('refuses paths that leave the folder, absolute paths, and backslashes', () => {
    for (const path of ['', '..', '../a', 'a/../../b', '/', '/etc/passwd', 'a\\..\\b', 'C:\\a'])
      expect(staysInside(path)).toBe(false);
  });
});
