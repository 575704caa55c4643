import tf from '@tensorflow/tfjs-node-gpu';
import type { Sequential } from '@tensorflow/tfjs-node-gpu';

const CONVOLUTIONS = [
  { filters: 32, kernelSize: 5 },
  { filters: 64, kernelSize: 3 },
  { filters: 64, kernelSize: 3 },
];
const HIDDEN = 128;

/**
 * Three strided convolutions and two dense layers, from grey images [batch, height, width, 1] to logits [batch, classes].
 * Nothing in it behaves in training otherwise than later. He's initialisation, drawn from the seed.
 *
 * @param seed not 0, which TensorFlow.js takes for none
 */
export function createNetwork(height: number, width: number, classes: number, seed: number): Sequential {
  let layer = 0;
  const initialised = (activation: 'relu' | 'linear') => {
    layer += 1;
    return {
      activation,
      kernelInitializer: tf.initializers.heNormal({ seed: seed + layer }),
      name: `layer_${layer}`,
    };
  };
  return tf.sequential({
    name: 'classifier',
    layers: [
      tf.layers.inputLayer({ inputShape: [height, width, 1], name: 'image' }),
      ...CONVOLUTIONS.map((shape) =>
        tf.layers.conv2d({ ...shape, strides: 2, padding: 'same', ...initialised('relu') }),
      ),
      tf.layers.flatten({ name: 'flatten' }),
      tf.layers.dense({ units: HIDDEN, ...initialised('relu') }),
      tf.layers.dense({ units: classes, ...initialised('linear') }),
    ],
  });
}
