import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseManifest } from '../../../../src/models/parse-manifest.ts';
import { verifyModel } from '../../../../src/models/verify.ts';
import { inspectTensorflow } from '../../../../src/models/formats/tensorflow.ts';
import { domainFault } from '../../../support/domain-fault.ts';
import { linearTensorflow, type LinearTensorflowOptions } from '../../../support/linear-tensorflow.ts';
import { imageInput, manifestOf, writeModelFolder } from '../../../support/model-folder.ts';
import { useTemporaryDirectory } from '../../../support/temporary-directory.ts';
import { FLOAT, type GraphNode, INT } from '../../../support/tensorflow-graph.ts';

const at = useTemporaryDirectory();
const LINEAR = { input: imageInput(1, 2), weights: [[1, 0], [0, 1]], biases: [0, 0] }; // prettier-ignore

/** Operators named in the file of a graph with one more node, in each of the two formats that have graphs. */
function found(prelude: readonly GraphNode[], options: Partial<LinearTensorflowOptions> = {}): string[][] {
  const all = { ...LINEAR, prelude, ...options };
  return [
    inspectTensorflow(linearTensorflow('GraphModel', all)['model.json']!, 'model.json'),
    inspectTensorflow(linearTensorflow('SavedModel', all)['saved_model.pb']!, 'saved_model.pb'),
  ].map(({ randomOperators }) => [...randomOperators]);
}

const node = (op: string, attr: GraphNode['attr'] = {}): GraphNode[] => [
  { name: 'prepared', op, input: ['image'], attr: { T: FLOAT, ...attr } },
];

describe('in a graph', () => {
  it.each([
    'RandomUniform',
    'RandomUniformInt',
    'RandomStandardNormal',
    'TruncatedNormal',
    'ParameterizedTruncatedNormal',
    'Multinomial',
    'RandomShuffle',
    'RandomGamma',
    'RandomPoissonV2',
    'StatelessRandomUniformV2',
    'StatelessRandomNormal',
    'StatelessTruncatedNormalV2',
    'StatelessMultinomial',
    'StatelessShuffle',
    'StatefulUniform',
    'StatefulStandardNormalV2',
    'StatefulRandomBinomial',
    'NonDeterministicInts',
    'RngReadAndSkip',
    'UniformCandidateSampler',
    'SampleDistortedBoundingBoxV2',
  ])('%s is found', (op) => {
    expect(found(node(op))).toEqual([[op], [op]]);
  });

  it.each(['FusedBatchNorm', 'FusedBatchNormV2', 'FusedBatchNormV3', '_FusedBatchNormEx'])(
    '%s is found in training mode, which is its default',
    (op) => {
      expect(found(node(op, { is_training: { b: true } }))).toEqual([[op], [op]]);
      expect(found(node(op))).toEqual([[op], [op]]);
      expect(found(node(op, { is_training: { b: false } }))).toEqual([[], []]);
    },
  );

  // Of the operators that TensorFlow 2.21 registers: each kind that leaves something for the next call, or answers by it.
  it.each([
    'Assign',
    'AssignAddVariableOp',
    'AssignSubVariableOp',
    'AssignVariableOp',
    'BatchFunction',
    'IteratorGetNext',
    'LookupTableInsertV2',
    'MapUnstage',
    'QueueDequeueV2',
    'ResourceApplyAdam',
    'ResourceScatterNdUpdate',
    'ResourceSparseApplyFtrlV2',
    'ResourceStridedSliceAssign',
    'ScatterNdAdd',
    'StackPopV2',
    'Timestamp',
    'Unbatch',
  ])('%s is found: it keeps a state', (op) => {
    expect(found(node(op))).toEqual([[op], [op]]);
  });

  it('operators that only sound like chance or state are not found', () => {
    const reading = ['ReadVariableOp', 'ResourceGather', 'LookupTableFindV2', 'HashTableV2', 'VarHandleOp', 'DisableCopyOnRead'];
    const within = ['ScatterNd', 'TensorScatterAdd', 'TensorListPushBack', 'TensorArrayV3', 'AccumulateNV2', 'BatchMatMulV2'];
    for (const op of ['Relu', 'StatefulPartitionedCall', 'Conv2D', 'NonMaxSuppressionV3', ...reading, ...within])
      expect(found(node(op))).toEqual([[], []]);
  });
});

describe('in a SavedModel', () => {
  const random: GraphNode[] = [{ name: 'draw', op: 'RandomUniform', attr: { dtype: FLOAT, T: INT } }];
  const functions = [
    { name: 'serve', nodes: [{ name: 'inner', op: 'PartitionedCall', attr: { f: { func: 'deeper' } } }] },
    { name: 'deeper', nodes: random },
  ];

  it('functions are looked into that serving calls, by an attribute or as an operator', () => {
    const [, call] = found(node('StatefulPartitionedCall', { f: { func: 'serve' } }), { functions });
    expect(call).toEqual(['RandomUniform']);
    const [, direct] = found(node('deeper'), { functions });
    expect(direct).toEqual(['RandomUniform']);
  });

  it('a variable that serving writes is found, though no score depends on it in the same call', () => {
    const written: GraphNode[] = [{ name: 'count', op: 'AssignAddVariableOp' }];
    const serve = [{ name: 'serve', nodes: written }];
    const [, call] = found(node('StatefulPartitionedCall', { f: { func: 'serve' } }), { functions: serve });
    expect(call).toEqual(['AssignAddVariableOp']);
  });

  it('functions for training only do not matter', () => {
    const [, none] = found(node('Relu'), { functions });
    expect(none).toEqual([]);
  });

  it('as TensorFlow writes it there is nothing to refuse', () => {
    for (const name of ['copy-on-read', 'variables']) {
      const file = new URL(`../../../fixtures/tensorflow/${name}/saved_model.pb`, import.meta.url);
      expect(inspectTensorflow(readFileSync(file), 'saved_model.pb').randomOperators).toEqual([]);
    }
  });
});

describe('in a LayersModel', () => {
  const json = (layer: object): Buffer => {
    const files = linearTensorflow('LayersModel', LINEAR);
    const model = JSON.parse(Buffer.from(files['model.json']!).toString()) as {
      modelTopology: { model_config: { config: { layers: object[] } } };
    };
    model.modelTopology.model_config.config.layers.push(layer);
    return Buffer.from(JSON.stringify(model));
  };
  const operators = (layer: object) => inspectTensorflow(json(layer), 'model.json').randomOperators;

  it('layers are found that are random, told to train, or keep a state', () => {
    expect(operators({ class_name: 'RandomWidth', config: { factor: 0.1 } })).toEqual(['RandomWidth']);
    const called = {
      class_name: 'Dropout',
      config: {},
      inbound_nodes: [[['flat', 0, 0, { training: true }]]],
    };
    expect(operators(called)).toEqual(['Dropout with training']);
    const wrapped = {
      class_name: 'Bidirectional',
      config: { layer: { class_name: 'LSTM', config: { stateful: true } } },
    };
    expect(operators(wrapped)).toEqual(['LSTM with stateful']);
  });

  it('layers that are random in training only, and random initial weights, are not', () => {
    const initializer = { class_name: 'RandomNormal', config: { mean: 0, stddev: 0.05, seed: null } };
    expect(operators({ class_name: 'Dense', config: { kernel_initializer: initializer } })).toEqual([]);
    for (const name of ['Dropout', 'GaussianNoise', 'GaussianDropout', 'AlphaDropout', 'SpatialDropout1D'])
      expect(operators({ class_name: name, config: { rate: 0.5 } })).toEqual([]);
  });
});

describe('verifyModel', () => {
  const FOLDER = { engine: 'tensorflow', input: LINEAR.input, classes: 2 } as const;
  const write = (name: string, files: Record<string, Uint8Array>) =>
    writeModelFolder(at(name), { ...FOLDER, files });

  it('refuses a model that draws random numbers', async () => {
    const files = linearTensorflow('SavedModel', { ...LINEAR, prelude: node('RandomStandardNormal') });
    const model = await write('random', files);
    const fault = await domainFault(() => verifyModel(model));
    expect(fault).toMatchObject({
      code: 'model_invalid',
      message: 'saved_model.pb draws random numbers, is in training mode or keeps a state (RandomStandardNormal)',
    });
  });

  it('refuses weights that the manifest does not list, or that lie outside the folder', async () => {
    const { 'model.json': model, ...weights } = linearTensorflow('GraphModel', LINEAR);
    const unlisted = await write('unlisted', { 'model.json': model! });
    const fault = await domainFault(() => verifyModel(unlisted));
    expect(fault.code).toBe('model_invalid');
    expect(fault.message).toContain(
      "keeps weights in group1-shard1of2.bin, which the manifest's files do not name",
    );
    const text = Buffer.from(model!).toString().replace('group1-shard1of2', '../group1-shard1of2');
    const outside = await write('outside', { 'model.json': Buffer.from(text), ...weights });
    expect((await domainFault(() => verifyModel(outside))).message).toContain('../group1-shard1of2.bin');
  });

  it('refuses a shard that differs from its digest', async () => {
    const model = await write('shard', linearTensorflow('LayersModel', LINEAR));
    const { files } = model.manifest;
    const changed = { ...files[1]!, sha256: '0'.repeat(64) };
    const manifest = { ...model.manifest, files: [files[0]!, changed, files[2]!] };
    expect((await domainFault(() => verifyModel({ ...model, manifest }))).code).toBe('model_digest_mismatch');
  });

  it('refuses what is no model of TensorFlow', async () => {
    for (const [name, text] of [
      ['saved_model.pb', 'text'],
      ['model.json', '{}'],
      ['model.json', '['],
    ] as const) {
      const model = await write('garbage', { [name]: Buffer.from(text) });
      const fault = await domainFault(() => verifyModel(model));
      expect(fault.code).toBe('model_invalid');
      expect(fault.message).toContain(`${name} is not a readable TensorFlow model`);
    }
  });

  it('reads manifests whose first file has a name that TensorFlow knows', async () => {
    const text = JSON.stringify(manifestOf('name', { ...FOLDER, files: { 'network.pb': Buffer.of(0) } }));
    expect((await domainFault(() => parseManifest(text))).faults).toEqual([
      { pointer: '/files/0/path', detail: "a TensorFlow model's first file is model.json or saved_model.pb" },
    ]);
  });
});
