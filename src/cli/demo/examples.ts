import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { InputBody } from '../../contract/request.ts';
import { type LabelEntry, parseLabels } from '../labels.ts';
import { usageError } from '../usage-error.ts';

/** The product's own folders, two above this file in the sources and in the build. */
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** The models that the examples belong to. */
export const EXAMPLE_MODELS = join(ROOT, 'models');

/** The folder of example images of each model. */
const FOLDERS: Readonly<Record<string, string>> = {
  'mnist-cnn': 'mnist',
  'fashion-mnist-cnn': 'fashion-mnist',
  'fashion-mnist-tensorflow': 'fashion-mnist',
};

/** A real image with its label. */
export interface Example extends LabelEntry {
  readonly label: number;
  readonly bytes: Uint8Array;
}

export interface Examples {
  readonly model: string;
  /** As it is written in a command that is run in the product's folder. */
  readonly folder: string;
  readonly images: readonly Example[];
}

/** The examples as inputs of a request, each by the name of its file. */
export function exampleInputs({ images }: Examples): InputBody[] {
  return images.map(({ file, label, bytes }) => ({
    id: file,
    image: Buffer.from(bytes).toString('base64'),
    label,
  }));
}

/** The example images of a model. @throws DomainError `validation_failed` for a model without any */
export async function readExamples(model: string): Promise<Examples> {
  const name = Object.hasOwn(FOLDERS, model) ? FOLDERS[model] : undefined;
  if (name === undefined) {
    const detail = `must be one with example images: ${Object.keys(FOLDERS).join(', ')}; got ${model}`;
    throw usageError({ pointer: '--model', detail });
  }
  const directory = join(ROOT, 'examples', name);
  const entries = parseLabels(await readFile(join(directory, 'labels.json'), 'utf8'));
  const images = await Promise.all(
    entries.map(async (entry) => ({ ...entry, bytes: await readFile(join(directory, entry.file)) })),
  );
  return { model, folder: `examples/${name}`, images };
}
