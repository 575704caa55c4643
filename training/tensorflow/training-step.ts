import tf from '@tensorflow/tfjs-node-gpu';
import type { LayersModel, Scalar, Tensor, Tensor2D, Variable } from '@tensorflow/tfjs-node-gpu';
import type { NoisyBatch } from './noisy-batches.ts';

/** What a step found before it changed the weights. */
export interface StepOutcome {
  /** Mean cross-entropy of the rows, without the weight decay. */
  readonly loss: number;
  /** Rows whose largest logit is their class. */
  readonly hits: number;
}

/** One step of gradient descent over a batch. */
export type TrainingStep = (batch: NoisyBatch, learningRate: number) => StepOutcome;

/**
 * Stochastic gradient descent with Nesterov's momentum on the cross-entropy, with decay of the kernels. The steps own
 * the momentum: one function for one training.
 */
export function createTrainingStep(
  network: LayersModel,
  { momentum, weightDecay }: { readonly momentum: number; readonly weightDecay: number },
): { readonly step: TrainingStep; close(): void } {
  const optimiser = tf.train.momentum(0, momentum, true);
  const [, height, width, channels] = network.inputs[0]!.shape as [null, number, number, number];
  const classes = network.outputs[0]!.shape[1]!;
  const weights = network.trainableWeights.map((weight) => weight.read() as Variable);
  const kernels = weights.filter(({ rank }) => rank > 1);

  const step: TrainingStep = ({ rows, images, labels }, learningRate) =>
    tf.tidy(() => {
      const pixels = tf.tensor4d(images, [rows, height, width, channels]);
      const expected = tf.tensor1d(labels, 'int32');
      const targets = tf.oneHot(expected, classes);
      let logits: Tensor | undefined;
      let entropy: Tensor | undefined;
      const { grads, value } = tf.variableGrads(() => {
        logits = tf.keep(network.apply(pixels, { training: true }) as Tensor2D);
        entropy = tf.keep(tf.losses.softmaxCrossEntropy(targets, logits));
        const norm = tf.addN(kernels.map((kernel) => kernel.square().sum()));
        return entropy.add<Scalar>(norm.mul(weightDecay / 2));
      }, weights);
      optimiser.setLearningRate(learningRate);
      optimiser.applyGradients(Object.entries(grads).map(([name, tensor]) => ({ name, tensor })));
      const loss = entropy!.dataSync()[0]!;
      const hits = logits!.argMax(1).equal(expected).sum().dataSync()[0]!;
      tf.dispose([logits!, entropy!, grads, value]);
      return { loss, hits };
    });
  return { step, close: () => optimiser.dispose() };
}
