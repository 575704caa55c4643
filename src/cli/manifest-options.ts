import type { Fault } from '../errors.ts';
import type { StatedManifest } from '../models/manifest.ts';

/** Paths of what a manifest may say: `batch`, `output`, `output.kind`. */
type ManifestField = {
  [Field in keyof StatedManifest]-?: NonNullable<StatedManifest[Field]> extends readonly unknown[]
    ? Field
    : NonNullable<StatedManifest[Field]> extends object
      ? Field | `${Field}.${keyof NonNullable<StatedManifest[Field]> & string}`
      : Field;
}[keyof StatedManifest];

const FILE = '<file or folder>';

/** Where `models add` has what it writes into a manifest from: an option, or the model itself. */
const OPTION_OF: Readonly<Record<ManifestField, string>> = {
  manifestVersion: FILE,
  name: '--name',
  version: '--version',
  description: FILE,
  license: FILE,
  engine: FILE,
  files: FILE,
  input: '--size',
  'input.height': '--size',
  'input.width': '--size',
  'input.channels': '--size',
  'input.layout': '--layout',
  'input.flat': '--size',
  'input.colourSpace': '--bgr',
  'input.range': '--scale',
  'input.name': '--input',
  signature: '--signature',
  batch: '--batch',
  preprocess: '--mean',
  'preprocess.mean': '--mean',
  'preprocess.std': '--std',
  output: '--output',
  'output.classes': '--classes',
  'output.labels': '--labels',
  'output.name': '--output',
  'output.kind': '--output-kind',
  smoothing: '--sigma',
  'smoothing.trainedSigma': '--sigma',
};

const optionOf = (field: string): string | undefined =>
  (OPTION_OF as Readonly<Record<string, string>>)[field];

/** A refusal that speaks of a manifest, in the words of whoever has written none, but options. */
export function inOptions(refusal: string): string {
  return refusal
    .replaceAll(
      /"(\w+)": (\w+) in the manifest(?:'s (\w+))?/g,
      (whole, key: string, value: string, part?: string) => {
        const option = optionOf(part === undefined ? key : `${part}.${key}`) ?? whole;
        return value === 'true' ? option : `${option} ${value}`;
      },
    )
    .replaceAll(/the manifest's (\w+(?:\.\w+)?)/g, (whole, field: string) => optionOf(field) ?? whole)
    .replaceAll('the manifest says', 'the file and the options say');
}

/** A fault of a manifest, whose JSON pointer becomes the option that the value came from. */
export function optionFault({ pointer, detail }: Fault): Fault {
  const [first = '', second] = pointer.split('/').slice(1);
  return { pointer: optionOf(`${first}.${second}`) ?? optionOf(first) ?? pointer, detail };
}
