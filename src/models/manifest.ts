import type { Static } from 'typebox';
import type { ManifestSchema } from './manifest-schema.ts';

/** What a manifest.json may say. */
export type StatedManifest = Static<typeof ManifestSchema>;

/** A manifest that has been read: with labels, whether it states them or not. */
export type Manifest = Omit<StatedManifest, 'output'> & {
  output: Omit<StatedManifest['output'], 'labels'> & { labels: string[] };
};

/** By channel, in the order of the model's own channels. */
export type Normalisation = NonNullable<StatedManifest['preprocess']>;

/** What is said of images by a manifest, and by the API of its model. */
export type ImageTaker = Pick<Manifest, 'input'>;

/** The library that runs a model; no process loads two. */
export type EngineName = Manifest['engine'];

/** Number of values in one input tensor. */
export function inputElements({ input }: ImageTaker): number {
  return input.height * input.width * input.channels;
}

/** Shape of one input tensor, without batch, in the manifest's layout. */
export function inputShape({ input: { height, width, channels, layout } }: ImageTaker): number[] {
  return layout === 'NCHW' ? [channels, height, width] : [height, width, channels];
}

/** Shape of one input, without batch, as the network takes it: the same values in the same order. */
export function networkShape(manifest: ImageTaker): number[] {
  return manifest.input.flat === true ? [inputElements(manifest)] : inputShape(manifest);
}

/** What is done to each pixel value p in [0,1], noise included, by channel: (p - mean) / std; null for nothing. */
export function normalisationOf({ preprocess, input }: Manifest): Normalisation | null {
  if (preprocess !== undefined || input.range === undefined) return preprocess ?? null;
  const [black = 0, white = 1] = input.range;
  const each = (value: number): number[] => Array.from({ length: input.channels }, () => value);
  return { mean: each(-black / (white - black)), std: each(1 / (white - black)) };
}

/** Values of a row of the network's output: one where that alone decides between two classes. */
export function outputWidth({ output: { kind = 'scores', classes } }: Manifest): number {
  return kind === 'scores' ? classes : 1;
}
