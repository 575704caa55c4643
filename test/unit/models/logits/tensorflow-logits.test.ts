import { describe, expect, it } from 'vitest';
import { graphWithoutSoftmax } from '../../../../src/models/logits/graph-logits.ts';
import { layersWithoutSoftmax } from '../../../../src/models/logits/layers-logits.ts';

const layer = (class_name: string, config: object, more: object = {}) => ({ class_name, config, ...more });
const dense = (activation: unknown) => layer('Dense', { name: 'd', units: 3, activation });
const sequential = (...layers: object[]) => layer('Sequential', { name: 's', layers });
const functional = (layers: object[], output_layers: unknown) => layer('Functional', { name: 'f', layers, output_layers });

describe('a LayersModel', () => {
  it.each([
    ['a Dense with softmax', sequential(layer('Flatten', { name: 'a' }), dense('softmax')), sequential(layer('Flatten', { name: 'a' }), dense('linear'))],
    ['an Activation', sequential(layer('Activation', { name: 'a', activation: 'softmax' })), sequential(layer('Activation', { name: 'a', activation: 'linear' }))],
    ['a Softmax layer', sequential(layer('Softmax', { name: 'a', axis: -1 })), sequential(layer('Activation', { name: 'a', activation: 'linear' }))],
    ['a model in a model', sequential(sequential(dense('relu')), sequential(dense('softmax'))), sequential(sequential(dense('relu')), sequential(dense('linear')))],
    ['the output of a graph of layers', functional([dense('softmax'), layer('Dense', { name: 'e', activation: 'softmax' })], [['d', 0, 0]]), functional([dense('linear'), layer('Dense', { name: 'e', activation: 'softmax' })], [['d', 0, 0]])],
    ['its only output, by itself', functional([dense('softmax')], ['d', 0, 0]), functional([dense('linear')], ['d', 0, 0])],
  ])('loses the Softmax of %s', (_, model, stripped) => {
    for (const wrap of [(each: object) => ({ model_config: each }), (each: object) => ({ ...each })]) {
      expect(layersWithoutSoftmax(wrap(model))).toEqual({ topology: wrap(stripped), softmax: 'Softmax' });
    }
  });

  it.each([
    ['that ends with none', sequential(dense('sigmoid'))],
    ['with a Softmax in the middle', sequential(dense('softmax'), layer('Dense', { name: 'e', activation: 'relu' }))],
    ['whose last layer uses it inside', sequential(layer('LSTM', { name: 'l', activation: 'softmax' }))],
    ['with a Softmax over the batch', sequential(layer('Softmax', { name: 'a', axis: 0 }))],
    ['whose last layer is used twice', functional([{ ...dense('softmax'), inbound_nodes: [[], []] }], [['d', 1, 0]])],
    ['with two outputs', functional([dense('softmax')], [['d', 0, 0], ['e', 0, 0]])],
  ])('%s stays as it is', (_, model) => {
    expect(layersWithoutSoftmax({ model_config: model })).toBeNull();
  });
});

const T = { T: { type: 'DT_FLOAT' } };
const node = (name: string, op: string, input: string[] = [], attr: object = T) => ({ name, op, input, attr });
const graph = (...nodes: object[]) => ({ node: nodes, versions: { producer: 1 } });
const X = node('x', 'Placeholder');
const LOGITS = node('logits', 'BiasAdd', ['x']);

describe('a GraphModel', () => {
  it('loses the Softmax that its output ends with, be it behind an Identity', () => {
    const softmax = node('p', 'Softmax', ['logits'], { ...T, _output_shapes: {} });
    expect(graphWithoutSoftmax(graph(X, LOGITS, softmax))).toEqual({
      topology: graph(X, LOGITS, node('p', 'Identity', ['logits'])),
      softmax: 'Softmax',
    });
    const behind = graph(X, LOGITS, node('p', 'LogSoftmax', ['logits']), node('y', 'Identity', ['p:0']));
    expect(graphWithoutSoftmax(behind)).toMatchObject({ softmax: 'LogSoftmax' });
    expect(graphWithoutSoftmax(behind, 'y:0')).toMatchObject({ softmax: 'LogSoftmax' });
  });

  it.each([
    ['that ends with none', graph(X, LOGITS)],
    ['with two ends', graph(X, LOGITS, node('p', 'Softmax', ['logits']), node('q', 'Relu', ['logits']))],
    ['whose Softmax something else takes too', graph(X, node('p', 'Softmax', ['x']), node('y', 'Identity', ['p']), node('z', 'Relu', ['p']))],
  ])('%s stays as it is', (_, topology) => {
    expect(graphWithoutSoftmax(topology)).toBeNull();
  });

  it('of two ends loses the one that is asked for', () => {
    const two = graph(X, node('p', 'Softmax', ['x']), node('y', 'Identity', ['p']), node('z', 'Relu', ['x']));
    expect(graphWithoutSoftmax(two, 'y')).toMatchObject({ softmax: 'Softmax' });
    expect(graphWithoutSoftmax(two, 'z')).toBeNull();
  });
});
