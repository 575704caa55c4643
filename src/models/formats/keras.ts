type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * A topology of Keras in the words of Keras 2, which are all that TensorFlow.js knows: `batch_shape` of an input layer becomes
 * `batch_input_shape`, a policy for types becomes its type. Both say the same.
 *
 * @throws Error for what has no such words: a functional model's calls as Keras 3 writes them
 */
export function legacyKeras(topology: Json): Json {
  return rewritten(topology) as Json;
}

function rewritten(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(rewritten);
  if (!isObject(value)) return value;
  const { class_name: name, config, inbound_nodes: calls } = value;
  if (name === 'DTypePolicy' && isObject(config) && typeof config['name'] === 'string') return config['name'];
  if (Array.isArray(calls) && calls.some(isObject)) {
    throw new Error(
      'Keras 3 wrote it, whose functional models TensorFlow.js cannot read; in Python, model.export(FOLDER) writes a ' +
        'SavedModel, which is read, and with the package tf_keras (Keras 2) the converter writes a model.json that is read too',
    );
  }
  const all = Object.fromEntries(Object.entries(value).map(([key, each]) => [key, rewritten(each)]));
  if (name !== 'InputLayer' || !isObject(all['config'])) return all;
  const { batch_shape: shape, ...rest } = all['config'];
  if (shape === undefined || 'batch_input_shape' in rest) return all;
  return { ...all, config: { ...rest, batch_input_shape: shape } };
}
