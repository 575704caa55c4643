import type { BatchMixing } from '../../batch-mixing.ts';
import { readSavedModel, servingSignature } from '../../formats/saved-model.ts';
import { graphOfJson, graphOfSavedModel, type TensorflowGraph } from '../../formats/tensorflow-graph.ts'; // prettier-ignore
import { readTensorflowJson, type TensorflowJson } from '../../formats/tensorflow-json.ts';
import { type Manifest, networkShape } from '../../manifest.ts';
import { verdictOf } from '../verdict.ts';
import { evaluateGraph } from './evaluate.ts';
import { layersMixing } from './layers.ts';

const UNKNOWN: BatchMixing = { verdict: 'unknown', operators: [] };

/**
 * What the files of a TensorFlow model say of the rows of a batch, from its one input to the output that is certified.
 *
 * @param files by path; those of weights hold the shapes that a GraphModel gives its tensors
 */
export function tensorflowMixing(files: ReadonlyMap<string, Uint8Array>, manifest: Manifest): BatchMixing {
  const { path } = manifest.files[0]!;
  if (path.endsWith('.pb')) {
    const file = readSavedModel(files.get(path)!);
    const { inputs, outputs } = servingSignature(file, manifest.signature);
    const [input, ...more] = Object.values(inputs);
    const output = manifest.output.name === undefined ? Object.values(outputs) : [outputs[manifest.output.name]];
    if (input === undefined || more.length > 0 || output.length !== 1) return UNKNOWN;
    const stated = input.tensor_shape?.dim?.map(({ size = 0 }) => size);
    return follow(graphOfSavedModel(file), input.name, output[0]?.name, stated, manifest);
  }
  const json = readTensorflowJson(files.get(path)!, path);
  if (json.format === 'layers-model') return layersMixing(json.modelTopology);
  const weights = Buffer.concat(json.weightFiles.map((each) => files.get(each) ?? new Uint8Array(0)));
  const graph = graphOfJson(json, weights);
  const [input, ...more] = graph.nodes.filter(({ op }) => op === 'Placeholder');
  if (input === undefined || more.length > 0) return UNKNOWN;
  return follow(graph, input.name, outputOf(graph, json, manifest), input.attributes['shape']?.shape, manifest);
}

/** The output that TensorFlow.js gives where there is one: of the signature, or of the nodes that no other takes. */
function outputOf({ nodes }: TensorflowGraph, { artifacts }: TensorflowJson, { output }: Manifest): string | undefined {
  if (output.name !== undefined) return output.name;
  const { signature, userDefinedMetadata } = artifacts as { signature?: Signed; userDefinedMetadata?: { signature?: Signed } };
  const signed = Object.values((signature ?? userDefinedMetadata?.signature)?.outputs ?? {});
  if (signed.length > 0) return signed.length === 1 ? signed[0]!.name : undefined;
  const taken = new Set(nodes.flatMap(({ inputs }) => inputs.map((each) => each.replace(/^\^/, '').split(':')[0])));
  const last = nodes.filter(({ name }) => !taken.has(name));
  return last.length === 1 ? last[0]!.name : undefined;
}

interface Signed {
  readonly outputs?: Readonly<Record<string, { readonly name?: string }>>;
}

function follow(
  graph: TensorflowGraph,
  input: string | undefined,
  output: string | undefined,
  stated: readonly (number | null)[] | undefined,
  manifest: Manifest,
): BatchMixing {
  if (input === undefined || output === undefined) return UNKNOWN;
  const expected = networkShape(manifest);
  const sizes = (stated ?? []).map((each) => (each === null || each < 1 ? null : each));
  const batch = sizes[0] ?? null;
  // A batch of one row has no other.
  if (batch === 1) return { verdict: 'independent', operators: [] };
  const shape = expected.map((size, axis) => sizes[axis + 1] ?? size);
  return verdictOf(evaluateGraph(graph, input, output, shape, batch));
}

