/** How a network is trained. Lengths in pixels, σ in pixel units of the [0,1] image. */
export interface Recipe {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  /** Folder of the data in training/.data. */
  readonly data: string;
  /** Names of the classes 0, 1, … */
  readonly labels: readonly string[];
  readonly sigma: number;
  readonly epochs: number;
  readonly batch: number;
  /** Peak of the one-cycle schedule. */
  readonly learningRate: number;
  readonly momentum: number;
  /** λ of λ/2 · ‖w‖², over the kernels. */
  readonly weightDecay: number;
  /** Whether half of the images are mirrored: a mirrored shirt is a shirt. */
  readonly mirror: boolean;
  /** An unsigned 32-bit word, not 0: initial weights, order and noise follow from it. */
  readonly seed: number;
}

export const FASHION_MNIST: Recipe = {
  name: 'fashion-mnist-tensorflow',
  version: '1.0.0',
  description:
    'Small convolutional net for Fashion-MNIST articles, a TensorFlow.js LayersModel, trained with Gaussian noise ' +
    'of sigma 0.25 on the [0,1] image; takes i/255 pixels without further normalisation.',
  data: 'fashion-mnist',
  labels: [
    'T-shirt/top',
    'Trouser',
    'Pullover',
    'Dress',
    'Coat',
    'Sandal',
    'Shirt',
    'Sneaker',
    'Bag',
    'Ankle boot',
  ],
  sigma: 0.25,
  epochs: 24,
  batch: 256,
  learningRate: 0.2,
  momentum: 0.9,
  weightDecay: 5e-4,
  mirror: true,
  seed: 20_190_208,
};
