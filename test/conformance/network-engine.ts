import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Classifier } from '../../src/engines/classifier.ts';
import { toInputTensor } from '../../src/models/inputs/input-tensor.ts';
import { inputElements } from '../../src/models/manifest.ts';
import { openModelStore, type RegisteredModel } from '../../src/models/store.ts';
import { gaussianCutpoints } from '../../src/random/cutpoints.ts';
import { NoiseKernel } from '../../src/random/noise-kernel.ts';
import { imageInput, writeModelFolder } from '../support/model-folder.ts';
import { onnxNetworkFile, readOnnxNetwork } from '../support/plain-network/onnx-network.ts';
import type { PlainNetwork } from '../support/plain-network/plain-network.ts';
import { type Shortfall, shortfallOf } from '../support/plain-network/shortfall.ts';
import {
  readTensorflowNetwork,
  tensorflowNetworkFiles,
} from '../support/plain-network/tensorflow-network.ts';
import { exampleInputs } from '../support/service.ts';

const MODELS = fileURLToPath(new URL('../../models', import.meta.url));
const ROWS = 64;

/** The models that this repository ships. */
export async function shippedModels(): Promise<readonly RegisteredModel[]> {
  return (await openModelStore(MODELS)).models;
}

/** The network of a shipped model. */
export function readNetwork({ manifest, folder }: RegisteredModel): PlainNetwork {
  const files = Object.fromEntries(
    manifest.files.map(({ path }) => [path, readFileSync(`${folder}/${path}`)]),
  );
  return manifest.engine === 'onnx'
    ? readOnnxNetwork(Object.values(files)[0]!)
    : readTensorflowNetwork(files);
}

/** An engine that opens networks written in its format. */
export interface NetworkEngine {
  readonly name: string;
  readonly format: 'onnx' | 'tensorflow';
  readonly open: (model: RegisteredModel) => Promise<Classifier>;
}

/**
 * Classes of all rows in an engine, in batches as lanes make them. With one channel the elements of an image have one order
 * in both layouts, so all engines take the same rows.
 *
 * @param folder empty, for the model
 */
export async function classesIn(
  { format, open }: NetworkEngine,
  folder: string,
  network: PlainNetwork,
  batch: Float32Array,
): Promise<number[]> {
  const { height, width } = network.input;
  const classifier = await open(
    await writeModelFolder(join(folder, 'network'), {
      engine: format,
      files: format === 'onnx' ? { 'model.onnx': onnxNetworkFile(network) } : tensorflowNetworkFiles(network),
      input: imageInput(height, width, 1, format === 'onnx' ? 'NCHW' : 'NHWC'),
      classes: network.layers.at(-1)!.biases.length,
    }),
  );
  const found: number[] = [];
  const classes = new Int32Array(ROWS);
  for (let start = 0; start < batch.length; start += ROWS * height * width) {
    const part = batch.subarray(start, start + ROWS * height * width);
    const rows = part.length / (height * width);
    await classifier.classify(part, rows, classes);
    found.push(...classes.subarray(0, rows));
  }
  await classifier.close();
  return found;
}

/** The first example images of a shipped model with `samples` rows of its noise each. */
export async function noisyExamples(
  { manifest }: RegisteredModel,
  images: number,
  samples: number,
): Promise<Float32Array> {
  const elements = inputElements(manifest);
  const kernel = NoiseKernel.create({ elements, rows: images * samples });
  kernel.setLaw(gaussianCutpoints(manifest.smoothing.trainedSigma!));
  const examples = exampleInputs(manifest.name.startsWith('fashion') ? 'fashion-mnist' : 'mnist', images);
  for (const [index, { image }] of examples.entries()) {
    const { bytes } = await toInputTensor('image', Buffer.from(image, 'base64'), manifest);
    const stream = { key0: 0x5eed, key1: 0xa9ee, stream: index };
    kernel.fill({
      row: index * samples,
      rows: samples,
      image: bytes,
      stream,
      purpose: 'estimation',
      firstSample: 0,
    });
  }
  return kernel.batch;
}

/** The rows to which two engines gave different classes, with how far those are from the best of the exact scores. */
export function disagreements(
  network: PlainNetwork,
  batch: Float32Array,
  one: readonly number[],
  other: readonly number[],
): Shortfall[] {
  const elements = batch.length / one.length;
  return one.flatMap((given, row) =>
    given === other[row]
      ? []
      : [shortfallOf(network, batch.subarray(row * elements, (row + 1) * elements), [given, other[row]!])],
  );
}
