import { readSavedModel, type SavedModelFile, type SavedNode, type SavedSignature, servingSignature } from './saved-model.ts';
import { asynchronousOperators } from './asynchronous.ts';
import { keepsState } from './keeps-state.ts';
import { readTensorflowJson } from './tensorflow-json.ts';

/** What a TensorFlow model says of itself that matters for safety and soundness. */
export interface TensorflowInspection {
  /** Files of weights that the model names, as paths in the model folder. */
  readonly weightFiles: readonly string[];
  /** Operators and layers that draw random numbers, work in training mode, or keep a state between batches. */
  readonly randomOperators: readonly string[];
  /** Operators of a GraphModel that its library does not run in one call. */
  readonly asynchronousOperators: readonly string[];
}

/** Operators whose output is drawn at random: TensorFlow's random, stateless random, sampling and generator operators. */
const RANDOM =
  /Random|Multinomial|TruncatedNormal|CandidateSampler|^Stateful(Uniform|StandardNormal)|^StatelessShuffle|NonDeterministicInts|^Rng|SampleDistorted|Dropout/;

/**
 * Reads the structure of the first file of a TensorFlow model: model.json or saved_model.pb.
 *
 * @param path of the file in the model folder
 * @param signature of a SavedModel, where it is not the usual one
 * @param output of a GraphModel, where it has several
 * @throws Error where the bytes are neither a SavedModel nor a LayersModel or GraphModel of TensorFlow.js
 */
export function inspectTensorflow(bytes: Uint8Array, path: string, signature?: string, output?: string): TensorflowInspection {
  if (path.endsWith('.pb')) {
    const file = readSavedModel(bytes);
    const { outputs } = servingSignature(file, signature);
    const initialisation = file.signatures['__saved_model_init_op']?.outputs ?? {};
    const served = reachedNodes(file, outputs);
    const initial = reachedNodes(file, initialisation);
    const randomOperators = named([...randomNodes([...served, ...initial]), ...stateNodes(served)]);
    return { weightFiles: [], randomOperators, asynchronousOperators: [] };
  }
  const json = readTensorflowJson(bytes, path);
  const { format, modelTopology, modelInitializer, weightFiles } = json;
  const randomOperators =
    format === 'layers-model'
      ? randomLayers(modelTopology)
      : named([
          ...[modelTopology, modelInitializer].flatMap((graph) => randomNodes(jsonNodes(graph))),
          ...stateNodes(jsonNodes(modelTopology)),
        ]);
  return { weightFiles, randomOperators, asynchronousOperators: format === 'layers-model' ? [] : asynchronousOperators(json, output) };
}

function randomNodes(nodes: readonly SavedNode[]): SavedNode[] {
  return nodes.filter(({ op = '', attr = {} }) => {
    // An attribute that is left out has its default, and that of `is_training` is true.
    const trains = /FusedBatchNorm(V\d|Ex)?$/.test(op) && attr['is_training']?.b !== false;
    return RANDOM.test(op) || trains;
  });
}

const stateNodes = (nodes: readonly SavedNode[]): SavedNode[] => nodes.filter(({ op = '' }) => keepsState(op));

const named = (nodes: readonly SavedNode[]): string[] => [...new Set(nodes.map(({ op }) => op!))];

/**
 * Nodes that these outputs reach, of the signature that is served or of the initialisation, with the functions that they call.
 * Beside them a SavedModel keeps functions for training, which serving never runs.
 */
function reachedNodes(
  { nodes, functions }: SavedModelFile,
  outputs: NonNullable<SavedSignature['outputs']>,
): SavedNode[] {
  const byName = new Map(nodes.map((node) => [node.name ?? '', node]));
  const reached = new Set<SavedNode>();
  const pending: SavedNode[] = [];
  const reach = (node: SavedNode | undefined): void => {
    if (node === undefined || reached.has(node)) return;
    reached.add(node);
    pending.push(node);
  };
  const called = (name: string | undefined): void => functions.get(name ?? '')?.nodes.forEach(reach);
  for (const { name: tensor = '' } of Object.values(outputs)) {
    reach(byName.get(tensor.split(':')[0]!));
  }
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    for (const input of node.input ?? []) reach(byName.get(input.replace(/^\^/, '').split(':')[0]!));
    called(node.op);
    for (const { func, list } of Object.values(node.attr ?? {})) {
      called(func?.name);
      list?.func?.forEach(({ name }) => called(name));
    }
  }
  return [...reached];
}

/** All nodes of a GraphModel's topology, which has been pruned to what it runs, and of its functions. */
function jsonNodes(graph: unknown): SavedNode[] {
  const { node = [], library } = (graph ?? {}) as {
    readonly node?: readonly SavedNode[];
    readonly library?: { readonly function?: readonly { readonly nodeDef?: readonly SavedNode[] }[] };
  };
  return [...node, ...(library?.function ?? []).flatMap(({ nodeDef = [] }) => nodeDef)];
}

/**
 * Layers that are random whatever the mode, that are told to work in training mode, or whose state goes from one batch
 * to the next. Dropout and noise layers do nothing at inference and stay.
 */
function randomLayers(topology: unknown): string[] {
  const found = new Set<string>();
  const visit = (value: unknown, layer: string): void => {
    if (Array.isArray(value)) {
      for (const each of value) visit(each, layer);
    } else if (typeof value === 'object' && value !== null) {
      const { class_name: name } = value as { readonly class_name?: unknown };
      const inside = typeof name === 'string' ? name : layer;
      if (inside.startsWith('Random')) found.add(inside);
      for (const [key, each] of Object.entries(value)) {
        if ((key === 'training' || key === 'stateful') && each === true) found.add(`${inside} with ${key}`);
        // How weights were drawn before training says nothing of the layer.
        if (!key.endsWith('initializer')) visit(each, inside);
      }
    }
  };
  visit(topology, 'a layer');
  return [...found];
}
