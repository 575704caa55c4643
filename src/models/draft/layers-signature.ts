import type { DeclaredTensor } from '../declared-tensor.ts';
import type { FileSignature } from './file-signature.ts';

type Json = Readonly<Record<string, unknown>>;

interface Layer {
  readonly name: string;
  readonly kind: string;
  readonly config: Json;
  /** Names of the layers before it. */
  readonly from: readonly string[];
}

/** Layers behind which a row has as many values as before. */
const KEEPS_WIDTH = new Set(['Activation', 'Softmax', 'ReLU', 'LeakyReLU', 'Dropout', 'BatchNormalization', 'LayerNormalization', 'GlobalAveragePooling2D', 'GlobalMaxPooling2D', 'Rescaling']);

/**
 * What a LayersModel's topology says: the shape of its input layer, and the width of its last layer, as far as it is one of
 * the layers that say it.
 *
 * @param topology of a model.json, in the words of Keras 2
 */
export function layersSignature(topology: Json): FileSignature {
  const model = ((topology['model_config'] as Json | undefined) ?? topology) as {
    readonly class_name?: string;
    readonly config?: unknown;
  };
  const { layers, outputs } = layersOf(model.class_name ?? '', model.config);
  const byName = new Map(layers.map((layer) => [layer.name, layer]));
  const inputs = layers.flatMap(({ name, config }): DeclaredTensor[] => {
    const shape = config['batch_input_shape'];
    if (!Array.isArray(shape)) return [];
    const dimensions = shape.map((each: unknown) => (typeof each === 'number' ? each : null));
    const type = typeof config['dtype'] === 'string' ? config['dtype'] : 'float32';
    return [{ name, type, shape: dimensions }];
  });
  const ends = outputs.map((name): DeclaredTensor => {
    const width = widthOf(byName.get(name), byName);
    return { name, type: 'float32', shape: width === null ? null : [null, width] };
  });
  return {
    engine: 'tensorflow',
    format: 'TensorFlow.js LayersModel',
    inputs,
    outputs: ends,
    madeBy: new Map(outputs.flatMap((name) => [[name, activationOf(byName.get(name))] as const])),
  };
}

function layersOf(kind: string, config: unknown): { readonly layers: readonly Layer[]; readonly outputs: string[] } {
  const { layers: listed = [], output_layers: ends } = (Array.isArray(config) ? { layers: config } : (config ?? {})) as {
    readonly layers?: readonly Json[];
    readonly output_layers?: unknown;
  };
  const sequential = kind === 'Sequential' || !Array.isArray(ends);
  const layers: Layer[] = [];
  for (const each of listed) {
    const inner = (each['config'] ?? {}) as Json;
    const name = textOf(inner['name'] ?? each['name'], `layer ${layers.length}`);
    const previous = layers.at(-1)?.name;
    const from = sequential ? (previous === undefined ? [] : [previous]) : callsOf(each['inbound_nodes']);
    layers.push({ name, kind: textOf(each['class_name']), config: innermost(each), from });
  }
  if (sequential) return { layers, outputs: layers.length === 0 ? [] : [layers.at(-1)!.name] };
  // One output is written as [name, node, tensor], several as a list of those.
  const listedEnds = (typeof ends[0] === 'string' ? [ends] : ends) as readonly (readonly unknown[])[];
  return { layers, outputs: listedEnds.map(([name]) => String(name)) };
}

/** Of a model within a model what its own input or output says. */
function innermost(layer: Json): Json {
  const config = (layer['config'] ?? {}) as Json;
  const inner = config['layers'];
  if (!Array.isArray(inner) || inner.length === 0) return config;
  const [first, last] = [inner[0] as Json, inner.at(-1) as Json];
  return { ...innermost(last), batch_input_shape: innermost(first)['batch_input_shape'] };
}

/** What stands where a text is expected; another thing there is no name. */
function textOf(value: unknown, otherwise = ''): string {
  return typeof value === 'string' ? value : otherwise;
}

function callsOf(inbound: unknown): string[] {
  if (!Array.isArray(inbound)) return [];
  return (inbound[0] as readonly (readonly unknown[])[] | undefined)?.map(([name]) => String(name)) ?? [];
}

function widthOf(layer: Layer | undefined, byName: ReadonlyMap<string, Layer>, depth = 0): number | null {
  if (layer === undefined || depth > 100) return null;
  const { units, filters } = layer.config;
  if (typeof units === 'number') return units;
  if (typeof filters === 'number' && layer.kind.startsWith('Conv')) return filters;
  const [before] = layer.from;
  if (layer.from.length !== 1 || !(KEEPS_WIDTH.has(layer.kind) || layer.kind === 'Flatten')) return null;
  const earlier = byName.get(before!);
  // A convolution's values are counted together with its places, which are not known here.
  if (layer.kind === 'Flatten' && earlier?.kind.startsWith('Global') !== true) return null;
  return widthOf(earlier, byName, depth + 1);
}

function activationOf(layer: Layer | undefined): string {
  if (layer === undefined) return '';
  if (layer.kind === 'Activation' || layer.kind === 'Dense' || layer.kind.startsWith('Conv'))
    return textOf(layer.config['activation']);
  return layer.kind;
}
