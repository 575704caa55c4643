import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import tf from '@tensorflow/tfjs-node-gpu';
import type { LayersModel, Tensor } from '@tensorflow/tfjs-node-gpu';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openModelStore } from '../../src/models/store.ts';
import { verifyModel } from '../../src/models/verify.ts';
import { exportModel } from '../../training/tensorflow/export-model.ts';
import { createNetwork } from '../../training/tensorflow/network.ts';
import { FASHION_MNIST } from '../../training/tensorflow/recipe.ts';
import { createTrainingStep } from '../../training/tensorflow/training-step.ts';
import { useTemporaryDirectory } from '../support/temporary-directory.ts';

const ROWS = 5;
const pixels = Float32Array.from({ length: ROWS * 784 }, (_, index) => Math.sin(index) * 1.3);
const directory = useTemporaryDirectory();

describe('an exported model', () => {
  const network = createNetwork(28, 28, 10, FASHION_MNIST.seed);
  let folder: string;
  beforeAll(async () => {
    // A few steps, so that what is exported are trained weights and not the initial ones.
    const { step, close } = createTrainingStep(network, FASHION_MNIST);
    const labels = Int32Array.of(0, 1, 2, 3, 4);
    for (let index = 0; index < 3; index += 1) step({ rows: ROWS, images: pixels, labels }, 0.01);
    close();
    folder = directory(FASHION_MNIST.name);
    await exportModel(network, folder, FASHION_MNIST);
  });
  afterAll(() => network.dispose());

  it('gives the logits of the trained network, bit for bit', async () => {
    const loaded = await tf.loadLayersModel(`file://${join(folder, 'model.json')}`);
    const logits = (model: LayersModel) =>
      tf.tidy(() => [...(model.predict(tf.tensor4d(pixels, [ROWS, 28, 28, 1])) as Tensor).dataSync()]);
    const expected = logits(network);
    expect(new Set(expected).size).toBe(ROWS * 10);
    expect(logits(loaded)).toEqual(expected);
    loaded.dispose();
  });

  it('has layers only that do the same in training and later, and ends with logits', async () => {
    const { modelTopology } = JSON.parse(await readFile(join(folder, 'model.json'), 'utf8')) as {
      modelTopology: { config: { layers: { class_name: string; config: { activation?: string } }[] } };
    };
    const layers = modelTopology.config.layers;
    expect(layers.map(({ class_name: kind, config }) => [kind, config.activation])).toEqual([
      ['InputLayer', undefined],
      ['Conv2D', 'relu'],
      ['Conv2D', 'relu'],
      ['Conv2D', 'relu'],
      ['Flatten', undefined],
      ['Dense', 'relu'],
      ['Dense', 'linear'],
    ]);
  });

  it('is a valid model folder of three files, with the digests of the files and less than 2 MB', async () => {
    expect((await readdir(folder)).sort()).toEqual(['manifest.json', 'model.json', 'weights.bin']);
    const { models, rejected } = await openModelStore(directory());
    expect(rejected).toEqual([]);
    const { manifest } = await verifyModel(models[0]!);
    expect(manifest).toMatchObject({
      name: 'fashion-mnist-tensorflow',
      engine: 'tensorflow',
      input: { height: 28, width: 28, channels: 1, layout: 'NHWC' },
      output: { classes: 10 },
      smoothing: { trainedSigma: 0.25 },
    });
    expect(manifest.files.map(({ path }) => path)).toEqual(['model.json', 'weights.bin']);
    for (const { path, sha256, bytes } of manifest.files) {
      const content = await readFile(join(folder, path));
      expect(createHash('sha256').update(content).digest('hex')).toBe(sha256);
      expect(content).toHaveLength(bytes);
    }
    expect(manifest.files.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(2e6);
  });
});
