import { createHash } from 'node:crypto';
import type { Manifest } from '../models/manifest.ts';
import { toInputTensor } from '../models/inputs/input-tensor.ts';
import type { RegisteredModel } from '../models/store.ts';
import { type Scale, usualScales } from '../models/draft/usual-scales.ts';
import { formatCount } from '../report/format.ts';
import { type ImageFile, imageInputs } from './image-files.ts';
import type { Trial, TriedModel } from './starters.ts';

/** Nearly no noise: the least that a noise kernel makes. */
const CLEAN = 0.01;
const CLEAN_SAMPLES = 1;
/** Samples of each image for the accuracy under noise, which is an estimate and no bound. */
const NOISY_SAMPLES = 32;

/** How a model does on labelled images. */
export interface Accuracy {
  readonly images: number;
  readonly clean: number;
  /** Under noise of its sigma; null where none is stated. */
  readonly noisy: number | null;
}

/** What a trial found of a model, in words. */
export function triedText({ engine, batchSize, samplesPerSecond }: TriedModel): string[] {
  const rows = {
    proved: 'its graph shows that the rows of a batch stay apart, and a probe found nothing else',
    probed: 'its graph cannot be followed everywhere; a probe found that the rows of a batch stay apart',
    alone: 'each row is computed by itself',
  };
  return [
    `opened in ${engine.name} ${engine.version} on ${engine.provider}: batches of ${batchSize}, ` +
      `${formatCount(samplesPerSecond)} samples/s`,
    ...(engine.rows === undefined ? [] : [`rows: ${rows[engine.rows]}`]),
    ...(engine.batch === undefined || engine.rows === 'alone'
      ? []
      : [`scores depend on the batch by rounding: every call has ${engine.batch} rows`]),
  ];
}

export async function measureAccuracy(
  trial: Trial,
  model: RegisteredModel,
  files: readonly ImageFile[],
): Promise<Accuracy> {
  const images = await tensorsOf(files, model.manifest);
  const { trainedSigma: sigma } = model.manifest.smoothing;
  return {
    images: images.length,
    clean: await trial.accuracy(model, images, CLEAN, CLEAN_SAMPLES),
    noisy: sigma === null || sigma <= 0 ? null : await trial.accuracy(model, images, sigma, NOISY_SAMPLES),
  };
}

async function tensorsOf(files: readonly ImageFile[], manifest: Manifest) {
  const inputs = imageInputs(files, manifest.output.labels);
  return Promise.all(
    files.map(async ({ bytes }, index) => {
      const { bytes: pixels } = await toInputTensor('image', bytes, manifest);
      return { bytes: pixels, label: inputs[index]!.label! };
    }),
  );
}

/** A scale with the share of images that the network then gives their label, nearly without noise. */
export interface TriedScale extends Scale {
  readonly clean: number;
}

/** Tries the usual scales and orders of channels; the best first. */
export async function tryScales(
  trial: Trial,
  model: RegisteredModel,
  files: readonly ImageFile[],
): Promise<TriedScale[]> {
  const tried: TriedScale[] = [];
  for (const scale of usualScales(model.manifest.input.channels)) {
    const scaled = withScale(model, scale);
    await trial.load(scaled);
    const images = await tensorsOf(files, scaled.manifest);
    tried.push({ ...scale, clean: await trial.accuracy(scaled, images, CLEAN, CLEAN_SAMPLES) });
  }
  return tried.toSorted((a, b) => b.clean - a.clean);
}

/** The model as if its manifest said that scale. */
function withScale(model: RegisteredModel, { input, preprocess }: Scale): RegisteredModel {
  const { range: _, ...rest } = model.manifest.input;
  const { preprocess: __, ...others } = model.manifest;
  const manifest: Manifest = {
    ...others,
    input: { ...rest, ...input },
    ...(preprocess === undefined ? {} : { preprocess }),
  };
  const digest = createHash('sha256').update(JSON.stringify(manifest)).digest('hex');
  return { ...model, manifest, digest };
}
