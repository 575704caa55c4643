import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { layersMixing } from '../../../../src/models/mixing/tensorflow/layers.ts';

const layer = (class_name: string, config: object = {}) => ({ class_name, config });
const model = (...layers: object[]) => ({ model_config: layer('Sequential', { layers }) });
const INDEPENDENT = { verdict: 'independent', operators: [] };

describe('the layers of a LayersModel', () => {
  it('keep the rows apart in the shipped model', () => {
    const file = new URL('../../../../models/fashion-mnist-tensorflow/model.json', import.meta.url);
    const { modelTopology } = JSON.parse(readFileSync(file, 'utf8')) as { modelTopology: Record<string, unknown> };
    expect(layersMixing(modelTopology)).toEqual(INDEPENDENT);
  });

  it('keep them apart along any axis but the batch', () => {
    for (const [name, key] of [['Softmax', 'axis'], ['LayerNormalization', 'axis'], ['BatchNormalization', 'axis'], ['Concatenate', 'axis'], ['Dot', 'axes']] as const) {
      for (const axis of [-1, 1, 3, [1], [1, 2]]) expect(layersMixing(model(layer(name, { [key]: axis })))).toEqual(INDEPENDENT);
      expect(layersMixing(model(layer(name)))).toEqual(INDEPENDENT);
    }
  }); // prettier-ignore

  it('mix them along the batch, by name', () => {
    for (const name of ['Softmax', 'LayerNormalization'])
      for (const axis of [0, [0], [0, 1]])
        expect(layersMixing(model(layer('Dense'), layer(name, { axis })))).toEqual({ verdict: 'mixes', operators: [name] }); // prettier-ignore
  });

  it('are not known along axes that may be the batch, and of other classes', () => {
    for (const [name, config] of [['Softmax', { axis: -2 }], ['BatchNormalization', { axis: 0 }], ['Concatenate', { axis: 0 }], ['Dot', { axes: [0, 0] }], ['Lambda', {}], ['Dense2', {}]] as const)
      expect(layersMixing(model(layer(name, config)))).toEqual({ verdict: 'unknown', operators: [name] });
  }); // prettier-ignore

  it('are looked at inside of others', () => {
    const mixing = layer('Softmax', { axis: 0 });
    for (const outer of [
      layer('TimeDistributed', { layer: mixing }),
      layer('RNN', { cell: mixing }),
      layer('Functional', { layers: [mixing] }),
      layer('Sequential', [mixing]),
    ])
      expect(layersMixing(model(outer)).verdict).toBe('mixes');
  });

  it('are those of a topology without a configuration around it too', () => {
    expect(layersMixing(layer('Sequential', [layer('Dense'), layer('Softmax', { axis: 0 })])).verdict).toBe('mixes');
    expect(layersMixing({}).verdict).toBe('unknown');
  });
});
