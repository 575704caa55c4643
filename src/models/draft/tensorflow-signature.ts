import { readSavedModel, type SavedTensor, servingSignature } from '../formats/saved-model.ts';
import { graphOfJson, graphOfSavedModel } from '../formats/tensorflow-graph.ts';
import { readTensorflowJson, type TensorflowJson } from '../formats/tensorflow-json.ts';
import { elementType } from '../formats/tensorflow-types.ts';
import type { DeclaredTensor } from '../declared-tensor.ts';
import type { FileSignature } from './file-signature.ts';
import { graphMaker } from './graph-maker.ts';
import { layersSignature } from './layers-signature.ts';

type Json = Readonly<Record<string, unknown>>;

/** @throws Error where the file is no SavedModel with that signature */
export function savedModelSignature(bytes: Uint8Array, signature?: string): FileSignature {
  const file = readSavedModel(bytes);
  const graph = graphOfSavedModel(file);
  const { inputs, outputs } = servingSignature(file, signature);
  const tensors = (each: Readonly<Record<string, SavedTensor>>): DeclaredTensor[] =>
    Object.entries(each).map(([name, { dtype, tensor_shape: shape }]) => ({
      name,
      type: dtype === undefined ? undefined : (elementType(dtype) ?? `of type ${dtype}`),
      shape: shape === undefined || shape.unknown_rank === true ? null : dimensions(shape.dim ?? []),
    }));
  return {
    engine: 'tensorflow',
    format: `SavedModel, written by TensorFlow ${file.writtenBy || 'of an unknown version'}`,
    inputs: tensors(inputs),
    outputs: tensors(outputs),
    madeBy: new Map(Object.entries(outputs).map(([key, { name = '' }]) => [key, graphMaker(graph, name)])),
  };
}

/** @throws Error where the file is no LayersModel or GraphModel */
export function modelJsonSignature(bytes: Uint8Array, path: string): FileSignature {
  const file = readTensorflowJson(bytes, path);
  return file.format === 'layers-model' ? layersSignature(file.modelTopology) : graphSignature(file);
}

function graphSignature(file: TensorflowJson): FileSignature {
  const { modelTopology: topology, artifacts } = file;
  const metadata = artifacts['userDefinedMetadata'] as Json | undefined;
  const signature = (artifacts['signature'] ?? metadata?.['signature']) as
    { readonly inputs?: Json; readonly outputs?: Json } | undefined;
  const nodes = (topology['node'] ?? []) as readonly {
    readonly name: string;
    readonly op: string;
    readonly input?: readonly string[];
    readonly attr?: Json;
  }[];
  const consumed = new Set(nodes.flatMap(({ input = [] }) => input.map((each) => each.split(':')[0]!)));
  const stated = (ends: Json | undefined): DeclaredTensor[] | null => {
    if (ends === undefined || Object.keys(ends).length === 0) return null;
    // The library knows the ends of a graph by their nodes, whatever the signature calls them.
    return Object.entries(ends).map(([key, end]) => {
      const { name: tensor = key, dtype, tensorShape } = end as { readonly name?: string; readonly dtype?: string; readonly tensorShape?: { readonly dim?: Json[]; readonly unknownRank?: boolean } }; // prettier-ignore
      const name = tensor.replace(/:0$/, '');
      return {
        name,
        ...(key.replace(/:0$/, '') === name ? {} : { alias: key }),
        type: dtype === undefined ? undefined : (elementType(dtype) ?? dtype),
        shape: tensorShape?.dim === undefined ? null : dimensions(tensorShape.dim),
      };
    });
  };
  const placeholders = nodes
    .filter(({ op }) => op === 'Placeholder')
    .map(({ name, attr }): DeclaredTensor => {
      const { type } = (attr?.['dtype'] ?? {}) as { readonly type?: string };
      const { shape } = (attr?.['shape'] ?? {}) as { readonly shape?: { readonly dim?: Json[] } };
      return { name, type: elementType(type), shape: shape?.dim === undefined ? null : dimensions(shape.dim) };
    });
  const last = nodes
    .filter(({ name, op }) => !consumed.has(name) && op !== 'Const' && op !== 'Placeholder' && op !== 'NoOp')
    .map(({ name }): DeclaredTensor => ({ name, type: undefined, shape: null }));
  const outputs = stated(signature?.outputs) ?? last;
  // Of weights nothing is asked here.
  const graph = graphOfJson(file, new Uint8Array(0));
  return {
    engine: 'tensorflow',
    format: 'TensorFlow.js GraphModel',
    inputs: stated(signature?.inputs) ?? placeholders,
    outputs,
    madeBy: new Map(outputs.map(({ name }) => [name, graphMaker(graph, name)])),
  };
}

/** Sizes are numbers in one format and texts in the other; -1 and nothing are any size. */
function dimensions(dims: readonly { readonly size?: unknown }[]): (number | null)[] {
  return dims.map(({ size }) => (Number(size) > 0 ? Number(size) : null));
}
