import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import tf from '@tensorflow/tfjs-node-gpu';
import { CPU_TARGET } from '../../src/engines/compute-target.ts';
import { openModelStore } from '../../src/models/store.ts';
import { verifyModel } from '../../src/models/verify.ts';
import { openClassifier } from '../../src/engines/open-classifier.ts';
import { averageCertifiedRadius, certifiedAccuracy } from '../../src/smoothing/evaluation.ts';
import { type CertifyParameters, certifyParameters } from '../../src/smoothing/procedures/certify.ts';
import { radiusFromVotes } from '../../src/smoothing/votes-to-radius.ts';
import { type Dataset, readDataset } from './dataset.ts';
import { accuracyUnderNoise, certifyImages, cleanAccuracy } from './evaluate-model.ts';
import { exportModel } from './export-model.ts';
import { createLog, type Log } from './log.ts';
import { createNetwork } from './network.ts';
import type { Recipe } from './recipe.ts';
import { trainNetwork } from './train-network.ts';

const RADII = [0, 0.25, 0.5, 0.75, 1];
/** Every 20th test image is certified: 500 of Fashion-MNIST's. */
const EVERY = 20;

/** Where things are, and how many estimation samples an image of the evaluation gets. */
export interface BuildPlaces {
  readonly data: string;
  /** The model's folder; its name is the recipe's. */
  readonly output: string;
  readonly log: string;
  readonly n: number;
}

/**
 * Trains by a recipe, writes the model folder, and evaluates the files that it wrote with the product's own engine,
 * noise and statistics.
 *
 * @throws RangeError for a number of epochs that is none, DomainError for an n that cannot certify
 */
export async function buildModel(recipe: Recipe, { data, output, log: path, n }: BuildPlaces): Promise<void> {
  if (!Number.isSafeInteger(recipe.epochs) || recipe.epochs < 1) {
    throw new RangeError(`epochs must be a whole number, 1 or more; got ${recipe.epochs}`);
  }
  const parameters = certifyParameters({ sigma: recipe.sigma, n0: 100, n, alpha: 0.001 });
  const classes = recipe.labels.length;
  const training = await readDataset(data, 'train', classes);
  const testing = await readDataset(data, 'test', classes);
  const log = createLog(path);
  log(
    `${recipe.name} ${recipe.version}, sigma ${recipe.sigma}, seed ${recipe.seed}, ` +
      `TensorFlow.js ${tf.version.tfjs}, TensorFlow ${tensorflowVersion()}, one thread`,
  );
  const network = createNetwork(training.height, training.width, classes, recipe.seed);
  const images = training.count.toLocaleString('en');
  log(
    `${network.countParams().toLocaleString('en')} parameters, ${recipe.epochs} epochs of ${images} images`,
  );
  trainNetwork(network, training, recipe, ({ epoch, loss, accuracy, seconds }) => {
    const found = `loss ${loss.toFixed(4)}  accuracy under noise (training) ${accuracy.toFixed(4)}`;
    log(`epoch ${String(epoch).padStart(2)}  ${found}  ${seconds.toFixed(0)} s`);
  });
  const { files } = await exportModel(network, output, recipe);
  log(
    `exported ${files.map(({ path: file, bytes }) => `${file} ${bytes.toLocaleString('en')} bytes`).join(', ')}`,
  );
  await evaluate(recipe.name, output, testing, parameters, log);
}

async function evaluate(
  name: string,
  output: string,
  dataset: Dataset,
  parameters: CertifyParameters,
  log: Log,
): Promise<void> {
  const model = (await openModelStore(dirname(output))).find(name);
  if (model === undefined) throw new Error(`${output} is no model folder of ${name}`);
  const session = await openClassifier(await verifyModel(model), CPU_TARGET);
  const { sigma, n0, n, alpha } = parameters;
  const classes = model.manifest.output.classes;
  // The evaluation's noise follows from the model, as it may: the model was fixed before it.
  const seed = new Uint8Array(createHash('sha256').update(`evaluation of ${model.digest}`).digest());
  const clean = await cleanAccuracy(session, dataset);
  log(
    `clean accuracy                 ${clean.toFixed(4)}  (${dataset.count.toLocaleString('en')} test images)`,
  );
  const noisy = await accuracyUnderNoise(session, dataset, sigma, seed);
  log(`accuracy under noise           ${noisy.toFixed(4)}  (one noisy sample of each, on the 1/255 grid)`);
  const { inputs, abstained, wrong } = await certifyImages(session, dataset, parameters, {
    every: EVERY,
    classes,
    seed,
  });
  const settings = `sigma ${sigma}, n0 ${n0}, n ${n.toLocaleString('en')}, alpha ${alpha}`;
  log(`certified, every ${EVERY}th test image: ${inputs.length} images, ${settings}`);
  for (const radius of RADII) {
    log(`  certified accuracy at ${radius.toFixed(2)}   ${certifiedAccuracy(inputs, radius).toFixed(3)}`);
  }
  const ceiling = radiusFromVotes({ sigma, n, alpha, topCount: n, runnerUpCount: null }, 0).certifiedRadius!;
  log(`  radius ceiling               ${ceiling.toFixed(4)}`);
  log(`  average certified radius     ${averageCertifiedRadius(inputs).toFixed(4)}`);
  log(`  abstained ${abstained}, wrong ${wrong}`);
  const { description } = session;
  log(
    `computed by ${description.name} ${description.version}, ${description.provider}, ${description.precision}`,
  );
  await session.close();
}

function tensorflowVersion(): string {
  const { binding } = tf.backend() as unknown as { readonly binding: { readonly TF_Version: string } };
  return binding.TF_Version;
}
