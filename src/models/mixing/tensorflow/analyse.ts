import type { BatchMixing } from '../../batch-mixing.ts';
import { readSavedModel, servingSignature } from '../../formats/saved-model.ts';
import { graphOfJson, graphOfSavedModel, type TensorflowGraph } from '../../formats/tensorflow-graph.ts'; // prettier-ignore
import { onlyOutput } from '../../formats/graph-output.ts';
import { readTensorflowJson } from '../../formats/tensorflow-json.ts';
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
  const output = manifest.output.name ?? onlyOutput(graph.nodes, json.artifacts);
  return follow(graph, input.name, output, input.attributes['shape']?.shape, manifest);
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

