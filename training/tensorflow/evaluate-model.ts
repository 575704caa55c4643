import { deriveNoiseStream, type Purpose } from '../../src/random/noise-stream.ts';
import { createHash } from 'node:crypto';
import { gaussianCutpoints, totalVariationBound } from '../../src/random/cutpoints.ts';
import { NoiseKernel } from '../../src/random/noise-kernel.ts';
import type { Classifier } from '../../src/engines/classifier.ts';
import { type CertifyParameters, certifyProcedure } from '../../src/smoothing/procedures/certify.ts';
import type { EvaluatedInput } from '../../src/smoothing/evaluation.ts';
import type { Draw } from '../../src/smoothing/procedure.ts';
import type { Votes } from '../../src/smoothing/votes.ts';
import { type Dataset, imageOf } from './dataset.ts';

/** Rows of one call of the engine. */
const BATCH = 128;

/** What the certified images of a set came to. */
export interface CertifiedImages {
  /** In the order of the images. */
  readonly inputs: readonly EvaluatedInput[];
  readonly abstained: number;
  /** Certified with another class than the label. */
  readonly wrong: number;
}

/** The share of a set's images whose class the engine finds without any noise. */
export function cleanAccuracy(session: Pick<Classifier, 'classify'>, dataset: Dataset): Promise<number> {
  return accuracy(session, dataset, (index, row) => {
    const image = imageOf(dataset, index);
    for (const [element, level] of image.entries()) row[element] = Math.fround(level / 255);
  });
}

/** The share of a set's images whose class the engine finds with one draw of noise on each. */
export async function accuracyUnderNoise(
  session: Pick<Classifier, 'classify'>,
  dataset: Dataset,
  sigma: number,
  seed: Uint8Array,
): Promise<number> {
  const kernel = NoiseKernel.create({ elements: dataset.height * dataset.width, rows: 1 });
  kernel.setLaw(gaussianCutpoints(sigma));
  const stream = await deriveNoiseStream(seed, new Uint8Array(32), 0);
  return accuracy(session, dataset, (index, row) => {
    const image = imageOf(dataset, index);
    kernel.fill({ row: 0, rows: 1, image, stream, purpose: 'prediction', firstSample: index });
    row.set(kernel.batch);
  });
}

/** Certifies every `every`-th image of a set, the first included, as the service does. */
export async function certifyImages(
  session: Pick<Classifier, 'classify'>,
  dataset: Dataset,
  parameters: CertifyParameters,
  { every, classes, seed }: { readonly every: number; readonly classes: number; readonly seed: Uint8Array },
): Promise<CertifiedImages> {
  const elements = dataset.height * dataset.width;
  const cutpoints = gaussianCutpoints(parameters.sigma);
  const kernel = NoiseKernel.create({ elements, rows: BATCH });
  kernel.setLaw(cutpoints);
  const procedure = certifyProcedure(parameters, totalVariationBound(cutpoints, elements));
  const inputs: EvaluatedInput[] = [];
  let [abstained, wrong] = [0, 0];
  for (let index = 0; index < dataset.count; index += every) {
    const image = imageOf(dataset, index);
    const digest = createHash('sha256').update(image).digest();
    const stream = await deriveNoiseStream(seed, new Uint8Array(digest), index);
    const found = new Int32Array(BATCH);
    const sample = async ({ purpose, firstSample, count }: Draw): Promise<Votes> => {
      const votes = Array.from({ length: classes }, () => 0);
      for (let first = 0; first < count; first += BATCH) {
        const rows = Math.min(BATCH, count - first);
        kernel.fill({ row: 0, rows, image, stream, purpose, firstSample: firstSample + first });
        await session.classify(kernel.batch, rows, found);
        for (const each of found.subarray(0, rows)) votes[each]! += 1;
      }
      return votes;
    };
    const tally: Partial<Record<Purpose, Votes>> = {};
    let step = procedure.next(tally);
    // CERTIFY asks once, for one draw of each purpose.
    for (; step.kind === 'draw'; step = procedure.next(tally)) {
      for (const draw of step.draws) tally[draw.purpose] = await sample(draw);
    }
    const { outcome, selectedClass, certifiedRadius } = step.result;
    const correct = outcome === 'certified' && selectedClass === dataset.labels[index];
    if (outcome === 'abstained') abstained += 1;
    else if (!correct) wrong += 1;
    inputs.push({ correct, certifiedRadius });
  }
  return { inputs, abstained, wrong };
}

async function accuracy(
  session: Pick<Classifier, 'classify'>,
  dataset: Dataset,
  fill: (index: number, row: Float32Array) => void,
): Promise<number> {
  const elements = dataset.height * dataset.width;
  const batch = new Float32Array(BATCH * elements);
  const found = new Int32Array(BATCH);
  let hits = 0;
  for (let first = 0; first < dataset.count; first += BATCH) {
    const rows = Math.min(BATCH, dataset.count - first);
    for (let row = 0; row < rows; row += 1) {
      fill(first + row, batch.subarray(row * elements, (row + 1) * elements));
    }
    await session.classify(batch, rows, found);
    for (let row = 0; row < rows; row += 1) if (found[row] === dataset.labels[first + row]) hits += 1;
  }
  return hits / dataset.count;
}
