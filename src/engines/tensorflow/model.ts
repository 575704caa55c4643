import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readModelFile } from '../../models/file.ts';
import type { VerifiedModel } from '../../models/store.ts';
import { readSavedModel, type SavedTensor } from '../../models/formats/saved-model.ts';
import { readTensorflowJson } from '../../models/formats/tensorflow-json.ts';
import type { LibraryModel, Tensorflow, TensorSpec } from './library.ts';

/**
 * Loads a LayersModel, GraphModel or SavedModel from bytes whose digests are checked on the way: what was verified is
 * what runs, even where the files are replaced meanwhile.
 *
 * @throws DomainError for files that differ from the manifest; whatever the library throws for those that it refuses
 */
export async function loadTensorflowModel(tf: Tensorflow, model: VerifiedModel): Promise<LibraryModel> {
  const { folder, manifest } = model;
  const files = new Map<string, Buffer>();
  for (const file of manifest.files) files.set(file.path, await readModelFile(folder, file));
  const { path } = manifest.files[0]!;
  return path.endsWith('.pb') ? loadSavedModel(tf, path, files) : loadJsonModel(tf, path, files);
}

function loadJsonModel(
  tf: Tensorflow,
  path: string,
  files: ReadonlyMap<string, Buffer>,
): Promise<LibraryModel> {
  const { format, weightFiles, artifacts } = readTensorflowJson(files.get(path)!, path);
  const weights = Buffer.concat(
    weightFiles.map((each) => {
      const bytes = files.get(each);
      if (bytes === undefined) throw new Error(`the manifest does not list ${each}`);
      return bytes;
    }),
  );
  const weightData = weights.buffer.slice(weights.byteOffset, weights.byteOffset + weights.length);
  const source = { load: () => Promise.resolve({ ...artifacts, weightData }) };
  return format === 'layers-model' ? tf.loadLayersModel(source) : tf.loadGraphModel(source);
}

/** The library reads a SavedModel from a folder only: a private one, which is gone when its variables are in memory. */
async function loadSavedModel(
  tf: Tensorflow,
  path: string,
  files: ReadonlyMap<string, Buffer>,
): Promise<LibraryModel> {
  if (tf.node === undefined) {
    throw new Error('a SavedModel needs the native binding; LayersModel and GraphModel run without it');
  }
  const { signatures } = readSavedModel(files.get(path)!);
  const { inputs = {}, outputs = {} } = signatures['serving_default'] ?? {};
  const root = await mkdtemp(join(tmpdir(), 'smoothcert-saved-model-'));
  try {
    for (const [name, bytes] of files) {
      await mkdir(dirname(join(root, name)), { recursive: true });
      await writeFile(join(root, name), bytes);
    }
    const loaded = await tf.node.loadSavedModel(join(root, dirname(path)));
    return {
      inputs: Object.values(inputs).map(specOf),
      outputs: Object.values(outputs).map(specOf),
      predict: (input) => loaded.predict(input),
      dispose: () => loaded.dispose(),
    };
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

function specOf({ name = '', dtype = 0, tensor_shape: shape }: SavedTensor): TensorSpec {
  return {
    name,
    dtype: dtype === 1 ? 'float32' : `DataType ${dtype}`,
    shape:
      shape === undefined || shape.unknown_rank === true
        ? null
        : (shape.dim ?? []).map(({ size = 0 }) => size),
  };
}
