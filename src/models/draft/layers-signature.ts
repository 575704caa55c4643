import type { DeclaredTensor } from '../declared-tensor.ts';
import type { FileSignature } from './file-signature.ts';

type Json = Readonly<Record<string, unknown>>;

interface Layer {
  readonly name: string;
  readonly kind: string;
  readonly config: Json;
  /** The layers of a model within the model. */
  readonly inner: Layers | null;
  /** Names of the layers before it. */
  readonly from: readonly string[];
}

/** The layers of a model, by name, and those that give its outputs. */
interface Layers {
  readonly byName: ReadonlyMap<string, Layer>;
  readonly outputs: readonly string[];
}

/** Layers behind which a row has as many values as before. */
const KEEPS_WIDTH = new Set(['Activation', 'Softmax', 'ReLU', 'LeakyReLU', 'Dropout', 'BatchNormalization', 'LayerNormalization', 'GlobalAveragePooling2D', 'GlobalMaxPooling2D', 'Rescaling']);
/** Layers that give the values that they take at inference, each once, in some shape. */
const KEEPS_VALUES = new Set(['Dropout', 'SpatialDropout1D', 'SpatialDropout2D', 'AlphaDropout', 'GaussianDropout', 'GaussianNoise', 'Flatten', 'Reshape', 'Permute']); // prettier-ignore
/** Layers behind one another that are looked at, and models within models. */
const MOST_STEPS = 100;

/**
 * What a LayersModel's topology says: the shape of its input layer, and the width of its last layer, as far as it is one of
 * the layers that say it.
 *
 * @param topology of a model.json, in the words of Keras 2
 */
export function layersSignature(topology: Json): FileSignature {
  const model = layersOf((topology['model_config'] as Json | undefined) ?? topology);
  // A model within the model has an input layer of its own.
  const first = [...model.byName.values()].filter(({ from }) => from.length === 0);
  const inputs = first.flatMap((layer): DeclaredTensor[] => {
    const { config } = firstOf(layer);
    const shape = config['batch_input_shape'];
    if (!Array.isArray(shape)) return [];
    const dimensions = shape.map((each: unknown) => (typeof each === 'number' ? each : null));
    const type = typeof config['dtype'] === 'string' ? config['dtype'] : 'float32';
    return [{ name: layer.name, type, shape: dimensions }];
  });
  const outputs = model.outputs.map((name): DeclaredTensor => {
    const width = widthOf(name, model);
    return { name, type: 'float32', shape: width === null ? null : [null, width] };
  });
  return {
    engine: 'tensorflow',
    format: 'TensorFlow.js LayersModel',
    inputs,
    outputs,
    madeBy: new Map(model.outputs.map((name) => [name, activationOf(name, model)])),
  };
}

/** The layers of a model as Keras writes it: of a sequence, the oldest of which is the list itself, or of a graph. */
function layersOf({ class_name: kind, config }: Json, depth = 0): Layers {
  const { layers: listed = [], output_layers: ends } = (Array.isArray(config) ? { layers: config } : (config ?? {})) as {
    readonly layers?: readonly Json[];
    readonly output_layers?: unknown;
  };
  const sequential = kind === 'Sequential' || !Array.isArray(ends);
  const byName = new Map<string, Layer>();
  for (const each of listed) {
    const settings = (each['config'] ?? {}) as Json;
    const name = textOf(settings['name'] ?? each['name'], `layer ${byName.size}`);
    const previous = [...byName.keys()].at(-1);
    const from = sequential ? (previous === undefined ? [] : [previous]) : callsOf(each['inbound_nodes']);
    const nested = depth < MOST_STEPS && (Array.isArray(settings) || Array.isArray(settings['layers']));
    const inner = nested ? layersOf(each, depth + 1) : null;
    byName.set(name, { name, kind: textOf(each['class_name']), config: settings, inner, from });
  }
  const last = [...byName.keys()].at(-1);
  if (sequential) return { byName, outputs: last === undefined ? [] : [last] };
  // One output is written as [name, node, tensor], several as a list of those.
  const listedEnds = (typeof ends[0] === 'string' ? [ends] : ends) as readonly (readonly unknown[])[];
  return { byName, outputs: listedEnds.map(([name]) => String(name)) };
}

/** The layer that a model within the model begins with. */
function firstOf(layer: Layer): Layer {
  const [first] = layer.inner?.byName.values() ?? [];
  return first === undefined ? layer : firstOf(first);
}

/** What stands where a text is expected; another thing there is no name. */
function textOf(value: unknown, otherwise = ''): string {
  return typeof value === 'string' ? value : otherwise;
}

function callsOf(inbound: unknown): string[] {
  if (!Array.isArray(inbound)) return [];
  return (inbound[0] as readonly (readonly unknown[])[] | undefined)?.map(([name]) => String(name)) ?? [];
}

/** Values of a row behind a layer, or null where the topology does not say it. */
function widthOf(name: string, model: Layers, steps = 0): number | null {
  const layer = model.byName.get(name);
  if (layer === undefined || steps > MOST_STEPS) return null;
  const { inner, config, kind, from } = layer;
  const [before = ''] = from;
  if (inner !== null) return inner.outputs.length === 1 ? widthOf(inner.outputs[0]!, inner, steps + 1) : null;
  if (typeof config['units'] === 'number') return config['units'];
  if (typeof config['filters'] === 'number' && kind.startsWith('Conv')) return config['filters'];
  if (kind === 'Reshape') return onlySize(config['target_shape']);
  // A convolution's values are counted together with its places, which are not known here.
  const flattened = kind === 'Flatten' && model.byName.get(before)?.kind.startsWith('Global') === true;
  return from.length === 1 && (KEEPS_WIDTH.has(kind) || flattened) ? widthOf(before, model, steps + 1) : null;
}

/** The size of a shape that is not 1; null where there are several, or it is left open. */
function onlySize(shape: unknown): number | null {
  const sizes: readonly unknown[] = Array.isArray(shape) ? shape.filter((each) => each !== 1) : [null];
  const [size = 1] = sizes;
  return sizes.length < 2 && typeof size === 'number' && size > 0 ? size : null;
}

/** The activation that makes a layer's values, before layers that only shape them, or else the layer's kind; "" where it cannot be told. */
function activationOf(name: string, model: Layers, steps = 0): string {
  const layer = model.byName.get(name);
  if (layer === undefined || steps > MOST_STEPS) return '';
  const { inner, config, kind, from } = layer;
  if (inner !== null) return inner.outputs.length === 1 ? activationOf(inner.outputs[0]!, inner, steps + 1) : '';
  const activated = kind === 'Activation' || kind === 'Dense' || kind.startsWith('Conv');
  const activation = activated ? textOf(config['activation']) : kind;
  const passes = KEEPS_VALUES.has(kind) || (kind === 'Activation' && activation === 'linear');
  return passes && from.length === 1 ? activationOf(from[0]!, model, steps + 1) : activation;
}
