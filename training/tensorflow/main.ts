// Trains the TensorFlow model and writes its folder and its log:
//
//   npm run train -- [--epochs 24] [--n 10000] [--output models/fashion-mnist-tensorflow] [--log FILE]
import './tensorflow-settings.ts';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildModel } from './build-model.ts';
import { FASHION_MNIST } from './recipe.ts';

/** A path of the repository, which begins five folders above this file in the build. */
const inRepository = (path: string): string =>
  fileURLToPath(new URL(`../../../../../${path}`, import.meta.url));

const { values } = parseArgs({
  options: {
    epochs: { type: 'string', default: String(FASHION_MNIST.epochs) },
    n: { type: 'string', default: '10000' },
    output: { type: 'string', default: inRepository(`models/${FASHION_MNIST.name}`) },
    log: { type: 'string', default: inRepository(`training/logs/${FASHION_MNIST.name}.txt`) },
  },
});
await buildModel(
  { ...FASHION_MNIST, epochs: Number(values.epochs) },
  {
    data: inRepository(`training/.data/${FASHION_MNIST.data}`),
    output: resolve(values.output),
    log: resolve(values.log),
    n: Number(values.n),
  },
);
