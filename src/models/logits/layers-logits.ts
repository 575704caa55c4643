import type { FinalSoftmax } from './final-softmax.ts';

interface Layer {
  readonly class_name?: string;
  readonly name?: string;
  /** Of the oldest sequences the list of layers itself. */
  readonly config?: LayerConfig | readonly Layer[];
  readonly inbound_nodes?: readonly unknown[];
}
interface LayerConfig {
  readonly name?: string;
  readonly activation?: unknown;
  readonly axis?: unknown;
  readonly layers?: readonly Layer[];
  readonly output_layers?: readonly unknown[];
}

const ACTIVATIONS: Readonly<Record<string, FinalSoftmax>> = {
  softmax: 'Softmax',
  log_softmax: 'LogSoftmax',
  logSoftmax: 'LogSoftmax',
};
/** Layers whose activation is the last thing that they do. */
const ACTIVATED = new Set(['Activation', 'Dense', 'Conv1D', 'Conv2D']);

/**
 * The topology of a LayersModel without the Softmax that its only output ends with, or null where there is none. Layers that
 * are used twice stay as they are.
 */
export function layersWithoutSoftmax(
  topology: Readonly<Record<string, unknown>>,
): { readonly topology: Readonly<Record<string, unknown>>; readonly softmax: FinalSoftmax } | null {
  const wrapped = typeof topology['model_config'] === 'object' && topology['model_config'] !== null;
  const found = strip((wrapped ? topology['model_config'] : topology) as Layer);
  if (found === null) return null;
  const { layer, softmax } = found;
  return { topology: wrapped ? { ...topology, model_config: layer } : { ...topology, ...layer }, softmax };
}

const isList = (config: Layer['config']): config is readonly Layer[] => Array.isArray(config);

function strip(layer: Layer): { readonly layer: Layer; readonly softmax: FinalSoftmax } | null {
  const { class_name: type = '', config = {}, inbound_nodes: uses = [] } = layer;
  if (uses.length > 1) return null;
  if (isList(config)) return stripLast(layer, config, undefined, (layers) => layers);
  const { layers, output_layers: outputs, activation, axis = -1, name } = config;
  if (layers !== undefined) return stripLast(layer, layers, outputs, (others) => ({ ...config, layers: others }));
  if (type === 'Softmax' && (axis === -1 || axis === 1)) {
    const identity = { ...(name === undefined ? {} : { name }), activation: 'linear' };
    return { layer: { ...layer, class_name: 'Activation', config: identity }, softmax: 'Softmax' };
  }
  const softmax = typeof activation === 'string' && ACTIVATED.has(type) ? ACTIVATIONS[activation] : undefined;
  return softmax === undefined ? null : { layer: { ...layer, config: { ...config, activation: 'linear' } }, softmax };
}

/** Strips the layer that a sequence or a graph of layers ends with. */
function stripLast(
  model: Layer,
  layers: readonly Layer[],
  outputs: readonly unknown[] | undefined,
  configOf: (layers: readonly Layer[]) => NonNullable<Layer['config']>,
): ReturnType<typeof strip> {
  // A graph with one output says [layer, node, tensor], in a list or by itself.
  const [first] = outputs ?? [];
  if (Array.isArray(first) && outputs?.length !== 1) return null;
  const output: unknown = Array.isArray(first) ? first[0] : first;
  const nameOf = ({ name, config = {} }: Layer) => name ?? (isList(config) ? undefined : config.name);
  const last = outputs === undefined ? layers.at(-1) : layers.find((each) => nameOf(each) === output);
  const found = last === undefined ? null : strip(last);
  if (found === null) return null;
  const config = configOf(layers.map((each) => (each === last ? found.layer : each)));
  return { layer: { ...model, config }, softmax: found.softmax };
}
