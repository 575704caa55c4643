import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Manifest } from '../../src/models/manifest.ts';
import { openModelStore, type RegisteredModel } from '../../src/models/store.ts';
import { type LinearClassifier, linearOnnx, type LinearOnnxOptions } from './linear-onnx.ts';

export interface FolderOptions {
  /** ONNX without it. */
  readonly engine?: Manifest['engine'];
  /** Files by path; the first is the model. */
  readonly files: Readonly<Record<string, Uint8Array>>;
  readonly input: Manifest['input'];
  readonly classes: number;
  readonly preprocess?: NonNullable<Manifest['preprocess']>;
  readonly trainedSigma?: number | null;
  /** The manifest's rows of every call. */
  readonly rowsPerCall?: number;
  /** What the manifest says of the output beside its classes and labels. */
  readonly output?: Partial<Manifest['output']>;
  readonly signature?: string;
  /** Files on the disk that the manifest does not list. */
  readonly unlisted?: Readonly<Record<string, Uint8Array>>;
}

/** A manifest that lists these files with their true digests and sizes. */
export function manifestOf(name: string, options: FolderOptions): Manifest {
  const { engine = 'onnx', files, input, classes, preprocess, trainedSigma = null, rowsPerCall } = options;
  return {
    manifestVersion: 1,
    name,
    version: '1.0.0',
    engine,
    files: Object.entries(files).map(([path, bytes]) => ({
      path,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      bytes: bytes.length,
    })),
    input,
    ...(rowsPerCall === undefined ? {} : { batch: rowsPerCall }),
    ...(preprocess === undefined ? {} : { preprocess }),
    ...(options.signature === undefined ? {} : { signature: options.signature }),
    output: {
      classes,
      labels: Array.from({ length: classes }, (_, index) => `class ${index}`),
      ...options.output,
    },
    smoothing: { trainedSigma },
  };
}

/** Writes a model folder named after its last part, with its manifest, and reads it as the service does. */
export async function writeModelFolder(folder: string, options: FolderOptions): Promise<RegisteredModel> {
  const manifest = manifestOf(basename(folder), options);
  for (const [path, bytes] of Object.entries({ ...options.files, ...options.unlisted })) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), bytes);
  }
  await writeFile(join(folder, 'manifest.json'), JSON.stringify(manifest));
  const store = await openModelStore(dirname(folder));
  const model = store.models.find((each) => each.folder === folder);
  if (model === undefined) throw new Error(store.rejected.map(({ error }) => error.message).join('; '));
  return model;
}

/** The manifest's `input` of an image of that many rows, columns and channels. */
export function imageInput(
  height: number,
  width: number,
  channels: 1 | 3 = 1,
  layout: 'NCHW' | 'NHWC' = 'NCHW',
): Manifest['input'] {
  return { height, width, channels, layout, colourSpace: channels === 1 ? 'grey' : 'rgb' };
}

export interface LinearModelOptions
  extends LinearClassifier, Pick<LinearOnnxOptions, 'batch' | 'prelude' | 'declaredOutput' | 'softmax'> {
  readonly input: Manifest['input'];
  readonly preprocess?: NonNullable<Manifest['preprocess']>;
  readonly rowsPerCall?: number;
}

/** Writes a model folder with a linear classifier in ONNX. */
export function writeLinearModel(folder: string, options: LinearModelOptions): Promise<RegisteredModel> {
  // One row a call is what a manifest has to say.
  const { input, preprocess, weights, rowsPerCall = options.batch === 1 ? 1 : undefined, ...rest } = options;
  const { height, width, channels, layout } = input;
  const shape = layout === 'NCHW' ? [channels, height, width] : [height, width, channels];
  return writeModelFolder(folder, {
    files: { 'model.onnx': linearOnnx({ ...rest, weights, shape }) },
    input,
    classes: weights.length,
    ...(preprocess === undefined ? {} : { preprocess }),
    ...(rowsPerCall === undefined ? {} : { rowsPerCall }),
  });
}
