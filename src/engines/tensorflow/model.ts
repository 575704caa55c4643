import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readModelFile } from '../../models/file.ts';
import type { FinalSoftmax } from '../../models/logits/final-softmax.ts';
import { graphWithoutSoftmax } from '../../models/logits/graph-logits.ts';
import { layersWithoutSoftmax } from '../../models/logits/layers-logits.ts';
import { savedModelWithoutSoftmax } from '../../models/logits/saved-model-logits.ts';
import type { Manifest } from '../../models/manifest.ts';
import type { VerifiedModel } from '../../models/verify.ts';
import { readSavedModel, type SavedTensor, servingSignature } from '../../models/formats/saved-model.ts';
import { elementType } from '../../models/formats/tensorflow-types.ts';
import { readTensorflowJson } from '../../models/formats/tensorflow-json.ts';
import type { Tensor, Tensorflow, TensorSpec } from './library.ts';

/** A model that the library has loaded, whatever its format. */
export interface TensorflowModel {
  /** By the names that a manifest uses: of layers, of a graph's nodes, or of a signature's tensors. */
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** What the file ends with and the outputs are without. */
  readonly softmax: FinalSoftmax | null;
  /** The output of that name for `rows` rows of the only input; undefined where there is none. */
  predict(input: Tensor, output: string, rows: number): Tensor | undefined;
  dispose(): void;
}

/**
 * Loads a LayersModel, GraphModel or SavedModel from bytes whose digests are checked on the way: what was verified is
 * what runs, even where the files are replaced meanwhile.
 *
 * @throws DomainError for files that differ from the manifest; whatever the library throws for those that it refuses
 */
export async function loadTensorflowModel(tf: Tensorflow, model: VerifiedModel): Promise<TensorflowModel> {
  const { folder, manifest } = model;
  const files = new Map<string, Buffer>();
  for (const file of manifest.files) files.set(file.path, await readModelFile(folder, file));
  const { path } = manifest.files[0]!;
  if (path.endsWith('.pb')) return loadSavedModel(tf, path, files, manifest);
  return loadJsonModel(tf, path, files, manifest);
}

async function loadJsonModel(
  tf: Tensorflow,
  path: string,
  files: ReadonlyMap<string, Buffer>,
  { output }: Manifest,
): Promise<TensorflowModel> {
  const { format, modelTopology, weightFiles, artifacts } = readTensorflowJson(files.get(path)!, path);
  const stripped = hasScores(output)
    ? format === 'graph-model'
      ? graphWithoutSoftmax(modelTopology, output.name)
      : layersWithoutSoftmax(modelTopology)
    : null;
  const softmax = stripped?.softmax ?? null;
  const weights = Buffer.concat(
    weightFiles.map((each) => {
      const bytes = files.get(each);
      if (bytes === undefined) throw new Error(`the manifest's files do not name ${each}`);
      return bytes;
    }),
  );
  const weightData = weights.buffer.slice(weights.byteOffset, weights.byteOffset + weights.length);
  const topology = stripped?.topology ?? modelTopology;
  const source = { load: () => Promise.resolve({ ...artifacts, modelTopology: topology, weightData }) };
  if (format === 'graph-model') {
    const graph = await tf.loadGraphModel(source);
    return {
      inputs: graph.inputs,
      outputs: graph.outputs,
      softmax,
      // As much of the graph is run as the output needs, however the outputs are put together.
      predict: (input, output) => [graph.execute(input, output)].flat()[0],
      dispose: () => graph.dispose(),
    };
  }
  const layers = await tf.loadLayersModel(source);
  // A sequence of layers names neither; it has one of each.
  const named = (specs: readonly TensorSpec[], names: readonly string[] = []): TensorSpec[] =>
    specs.map(({ name, dtype, shape = null }, index) => ({ name: names[index] ?? name, dtype, shape }));
  const outputs = named(layers.outputs, layers.outputNames);
  return {
    inputs: named(layers.inputs, layers.inputNames),
    outputs,
    softmax,
    // Without a batch size it takes 32 rows at a time.
    predict: (input, output, rows) =>
      [layers.predict(input, { batchSize: rows })].flat()[outputs.findIndex(({ name }) => name === output)],
    dispose: () => layers.dispose(),
  };
}

/** The library reads a SavedModel from a folder only: a private one, which is gone when its variables are in memory. */
async function loadSavedModel(
  tf: Tensorflow,
  path: string,
  files: ReadonlyMap<string, Buffer>,
  { output: { name: stated, ...output }, signature }: Manifest,
): Promise<TensorflowModel> {
  if (tf.node === undefined) {
    throw new Error('a SavedModel needs the native binding; LayersModel and GraphModel run without it');
  }
  const { name, inputs, outputs } = servingSignature(readSavedModel(files.get(path)!), signature);
  const stripped = hasScores(output) ? savedModelWithoutSoftmax(files.get(path)!, name, stated) : null;
  const [inputName = ''] = Object.keys(inputs);
  const root = await mkdtemp(join(tmpdir(), 'smoothcert-saved-model-'));
  try {
    for (const [file, bytes] of files) {
      await mkdir(dirname(join(root, file)), { recursive: true });
      await writeFile(join(root, file), file === path ? (stripped?.bytes ?? bytes) : bytes);
    }
    const loaded = await tf.node.loadSavedModel(join(root, dirname(path)), ['serve'], name);
    return {
      inputs: Object.entries(inputs).map(specOf),
      outputs: Object.entries(outputs).map(specOf),
      softmax: stripped?.softmax ?? null,
      predict: (input, output) => loaded.predict({ [inputName]: input })[output],
      dispose: () => loaded.dispose(),
    };
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

/** Whether the output has one score a class, and not one value for two. */
function hasScores({ kind = 'scores' }: Pick<Manifest['output'], 'kind'>): boolean {
  return kind === 'scores';
}

function specOf([name, { dtype = 0, tensor_shape: shape }]: [string, SavedTensor]): TensorSpec {
  return {
    name,
    dtype: elementType(dtype) ?? `DataType ${dtype}`,
    shape:
      shape === undefined || shape.unknown_rank === true
        ? null
        : (shape.dim ?? []).map(({ size = 0 }) => size),
  };
}
