import tf from '@tensorflow/tfjs-node-gpu';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readExamples, EXAMPLE_MODELS } from '../../src/cli/demo/examples.ts';
import { toInputTensor } from '../../src/models/inputs/input-tensor.ts';
import { openModelStore } from '../../src/models/store.ts';
import type { Dataset } from '../../training/tensorflow/dataset.ts';
import { createNetwork } from '../../training/tensorflow/network.ts';
import { createNoisyBatches } from '../../training/tensorflow/noisy-batches.ts';
import { trainNetwork } from '../../training/tensorflow/train-network.ts';
import { createTrainingStep } from '../../training/tensorflow/training-step.ts';

describe('a training step', () => {
  it("is PyTorch's SGD: gradient with weight decay, Nesterov's momentum", () => {
    // Two classes, one pixel x, logits w x without bias. With p the softmax, dL/dw_c = (p_c - y_c) x; PyTorch 2's
    // documentation of torch.optim.SGD: g = dL/dw + decay w; b = momentum b + g; w = w - rate (g + momentum b).
    const [momentum, weightDecay, rates] = [0.9, 0.01, [0.1, 0.5, 0.2]];
    const network = tf.sequential({
      layers: [
        tf.layers.inputLayer({ inputShape: [1, 1, 1] }),
        tf.layers.flatten(),
        tf.layers.dense({ units: 2, useBias: false, weights: [tf.tensor2d([[0.3, -0.2]])] }),
      ],
    });
    const { step, close } = createTrainingStep(network, { momentum, weightDecay });
    onTestFinished(() => {
      close();
      network.dispose();
    });
    let weights = [0.3, -0.2];
    let buffer = [0, 0];
    const x = 1.5;
    for (const rate of rates) {
      const scores = weights.map((weight) => Math.exp(weight * x));
      const softmax = scores.map((score) => score / (scores[0]! + scores[1]!));
      const outcome = step({ rows: 1, images: Float32Array.of(x), labels: Int32Array.of(1) }, rate);
      expect(outcome.loss).toBeCloseTo(-Math.log(softmax[1]!), 5);
      expect(outcome.hits).toBe(weights[1]! > weights[0]! ? 1 : 0);
      const gradient = softmax.map((p, c) => (p - (c === 1 ? 1 : 0)) * x + weightDecay * weights[c]!);
      buffer = buffer.map((each, c) => momentum * each + gradient[c]!);
      weights = weights.map((weight, c) => weight - rate * (gradient[c]! + momentum * buffer[c]!));
      const found = network.getWeights()[0]!.dataSync();
      for (const [c, weight] of weights.entries()) expect(found[c]).toBeCloseTo(weight, 5);
    }
  });

  it('leaves no tensor behind', () => {
    const network = createNetwork(4, 4, 2, 7);
    const { step, close } = createTrainingStep(network, { momentum: 0.9, weightDecay: 5e-4 });
    const batch = { rows: 1, images: new Float32Array(16).fill(0.5), labels: Int32Array.of(1) };
    step(batch, 0.1);
    const before = tf.memory().numTensors;
    step(batch, 0.1);
    expect(tf.memory().numTensors).toBe(before);
    close();
    network.dispose();
  });
});

describe('training', () => {
  it('lowers the loss under noise that it has not seen, and is the same again from the same seed', async () => {
    const dataset = await exampleImages();
    const recipe = {
      sigma: 0.25,
      epochs: 25,
      batch: 10,
      mirror: false,
      seed: 99,
      learningRate: 0.02,
      momentum: 0.9,
      weightDecay: 5e-4,
    };
    const train = () => {
      const network = createNetwork(dataset.height, dataset.width, 10, recipe.seed);
      onTestFinished(() => void network.dispose());
      const before = unseenLoss(network, dataset);
      const losses: number[] = [];
      trainNetwork(network, dataset, recipe, ({ loss }) => losses.push(loss));
      const weights = network.getWeights().map((weight) => [...weight.dataSync()]);
      return { before, after: unseenLoss(network, dataset), losses, weights };
    };
    const first = train();
    expect(first.losses).toHaveLength(recipe.epochs);
    expect(first.losses.at(-1)).toBeLessThan(first.losses[0]! / 2);
    expect(first.after).toBeLessThan(first.before / 2);
    expect(train()).toEqual(first);
  });
});

/** Mean cross-entropy over ten draws of noise on each image, under another seed than the training's. */
function unseenLoss(network: ReturnType<typeof createNetwork>, dataset: Dataset): number {
  const { count, height, width } = dataset;
  const batches = createNoisyBatches(dataset, { sigma: 0.25, batch: count, mirror: false, seed: 100 });
  let sum = 0;
  for (let epoch = 1; epoch <= 10; epoch += 1) {
    for (const { images, labels, rows } of batches(epoch)) {
      sum += tf.tidy(() => {
        const logits = network.predict(tf.tensor4d(images, [rows, height, width, 1]), { batchSize: rows });
        const targets = tf.oneHot(tf.tensor1d(labels, 'int32'), 10);
        return tf.losses
          .softmaxCrossEntropy(targets, logits as ReturnType<typeof tf.tensor2d>)
          .dataSync()[0]!;
      });
    }
  }
  return sum / 10;
}

/** The shipped example images of Fashion-MNIST, two of each class. */
async function exampleImages(): Promise<Dataset> {
  const { manifest } = (await openModelStore(EXAMPLE_MODELS)).find('fashion-mnist-cnn')!;
  const { images } = await readExamples('fashion-mnist-cnn');
  const tensors = await Promise.all(images.map(({ bytes }) => toInputTensor('image', bytes, manifest)));
  return {
    count: images.length,
    height: manifest.input.height,
    width: manifest.input.width,
    images: Uint8Array.from(tensors.flatMap(({ bytes }) => [...bytes])),
    labels: Uint8Array.from(images.map(({ label }) => label)),
  };
}
