import { describe, expect, it } from 'vitest';
import { legacyKeras } from '../../../../src/models/formats/keras.ts';
import { readTensorflowJson } from '../../../../src/models/formats/tensorflow-json.ts';

const sequence = (...layers: object[]) => ({
  model_config: { class_name: 'Sequential', config: { name: 's', layers } },
});
const input = (config: object) => ({ class_name: 'InputLayer', config: { name: 'in', ...config } });

describe('a topology that Keras 3 wrote', () => {
  it('has its shape of a batch where Keras 2 and TensorFlow.js look for it', () => {
    const batch_shape = [null, 28, 28, 1];
    const dense = { class_name: 'Dense', config: { units: 2, batch_shape } };
    expect(legacyKeras(sequence(input({ batch_shape }), dense))).toEqual(
      sequence(input({ batch_input_shape: batch_shape }), dense),
    );
  });

  it('has types in place of policies', () => {
    const policy = { module: 'keras', class_name: 'DTypePolicy', config: { name: 'float32' }, registered_name: null };
    expect(legacyKeras(sequence(input({ dtype: policy })))).toEqual(sequence(input({ dtype: 'float32' })));
  });

  it('is refused where it is a functional model, with the ways out', () => {
    const call = { class_name: 'Dense', config: {}, inbound_nodes: [{ args: [], kwargs: {} }] };
    expect(() => legacyKeras(sequence(call))).toThrow(/Keras 3 wrote it.*model\.export.*tf_keras/s);
  });
});

it('a topology that Keras 2 wrote is left as it is', () => {
  const call = { class_name: 'Dense', config: { dtype: 'float32' }, inbound_nodes: [[['in', 0, 0, {}]]] };
  const topology = sequence(input({ batch_input_shape: [null, 4] }), call);
  expect(legacyKeras(topology)).toEqual(topology);
});

describe('the format of a model.json', () => {
  const read = (value: object) =>
    readTensorflowJson(Buffer.from(JSON.stringify({ weightsManifest: [], ...value })), 'model.json').format;
  const layers = sequence();
  const graph = { node: [], library: {} };

  it('is the one that it states', () => {
    expect(read({ format: 'layers-model', modelTopology: layers })).toBe('layers-model');
    expect(read({ format: 'graph-model', modelTopology: graph })).toBe('graph-model');
  });

  it('shows in the topology of older files, which state none', () => {
    expect(read({ modelTopology: layers })).toBe('layers-model');
    expect(read({ format: null, modelTopology: { class_name: 'Sequential', config: [] } })).toBe('layers-model');
    expect(read({ modelTopology: graph })).toBe('graph-model');
  });

  it('is refused where it is another, or cannot be seen', () => {
    expect(() => read({ format: 'onnx', modelTopology: layers })).toThrow('its format is "onnx"');
    expect(() => read({ modelTopology: {} })).toThrow('it says no format');
    expect(() => read({ modelTopology: { ...layers, ...graph } })).toThrow('it says no format');
  });
});
