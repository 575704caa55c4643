import { inputElements, type Manifest, normalisationOf } from '../models/manifest.ts';

/** Parts of 1 that spread evenly over [0,1): Weyl's sequence with the fractional part of the golden ratio. */
const weyl = (index: number): number => (index * 0.618_033_988_749_895) % 1;

/** Rows as the engine takes them, from pixels by their index: the manifest's normalisation is applied. */
function row(manifest: Manifest, pixel: (element: number) => number): Float32Array {
  const { height, width, channels, layout } = manifest.input;
  const { mean = [], std = [] } = normalisationOf(manifest) ?? {};
  return Float32Array.from({ length: height * width * channels }, (_, element) => {
    const channel = layout === 'NCHW' ? Math.floor(element / (height * width)) : element % channels;
    return (pixel(element) - (mean[channel] ?? 0)) / (std[channel] ?? 1);
  });
}

/**
 * The rows whose scores the probe compares: a dark, a bright and a contrasty image, inside (0,1), where every base
 * classifier has finite scores.
 */
export function judgedRows(manifest: Manifest): readonly Float32Array[] {
  const elements = inputElements(manifest);
  return [
    [0.05, 0.3],
    [0.65, 0.3],
    [0.05, 0.9],
  ].map(([least, spread], index) =>
    row(manifest, (element) => least! + spread! * weyl((index + 1) * elements + element)),
  );
}

/** The judged rows with every pixel moved by 2^-16 up or down, as no two neighbours are. */
export function nudgedRows(manifest: Manifest): readonly Float32Array[] {
  const nudge = row(manifest, (element) => (weyl(3 * element) < 0.5 ? 2 ** -16 : -(2 ** -16)));
  const zero = row(manifest, () => 0);
  return judgedRows(manifest).map((each) =>
    each.map((value, element) => value + nudge[element]! - zero[element]!),
  );
}

/**
 * What stands beside the judged rows, the most telling first: an image with noise, then noise far outside of an image. What
 * mixes rows by a mean, a maximum, a scale or an order shows most with far values; and since noise has no bounds, what is
 * far must change nothing either.
 */
export function companionRows(manifest: Manifest): readonly Float32Array[] {
  const pixels: readonly ((element: number) => number)[] = [
    (element) => 3 * weyl(element + 7) - 1,
    (element) => 2e4 * weyl(element + 11) - 1e4,
    () => 0,
    () => 1,
    () => 0.125,
    () => 1e3,
    () => -1e3,
  ];
  return pixels.map((pixel) => row(manifest, pixel));
}
