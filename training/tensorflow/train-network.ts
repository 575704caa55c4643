import type { LayersModel } from '@tensorflow/tfjs-node-gpu';
import type { Dataset } from './dataset.ts';
import { createNoisyBatches } from './noisy-batches.ts';
import { oneCycle } from './one-cycle.ts';
import type { Recipe } from './recipe.ts';
import { createTrainingStep } from './training-step.ts';

/** What an epoch found, over the noisy images as each was met. */
export interface EpochOutcome {
  /** 1, 2, … */
  readonly epoch: number;
  readonly loss: number;
  readonly accuracy: number;
  readonly seconds: number;
}

/** Trains a network in place, by the recipe, and tells of every epoch. */
export function trainNetwork(
  network: LayersModel,
  dataset: Dataset,
  recipe: Pick<
    Recipe,
    'sigma' | 'epochs' | 'batch' | 'mirror' | 'seed' | 'learningRate' | 'momentum' | 'weightDecay'
  >,
  onEpoch: (outcome: EpochOutcome) => void,
): void {
  const epochBatches = createNoisyBatches(dataset, recipe);
  const { step, close } = createTrainingStep(network, recipe);
  const steps = Math.ceil(dataset.count / recipe.batch) * recipe.epochs;
  let done = 0;
  for (let epoch = 1; epoch <= recipe.epochs; epoch += 1) {
    const started = performance.now();
    let [loss, hits] = [0, 0];
    for (const batch of epochBatches(epoch)) {
      const outcome = step(batch, oneCycle(done, steps, recipe.learningRate));
      if (!Number.isFinite(outcome.loss)) throw new Error(`the loss is ${outcome.loss} at step ${done}`);
      loss += outcome.loss * batch.rows;
      hits += outcome.hits;
      done += 1;
    }
    const seconds = (performance.now() - started) / 1000;
    onEpoch({ epoch, loss: loss / dataset.count, accuracy: hits / dataset.count, seconds });
  }
  close();
}
