import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { InputBody } from '../contract/request.ts';
import type { Fault } from '../errors.ts';
import { type LabelEntry, readLabels } from './labels.ts';
import { refuseFaults } from './usage-error.ts';

const IMAGE = /\.(png|jpe?g|webp)$/i;

/** An image as it is on the disk; its id is the path as given, or the folder's with the file's name. */
export interface ImageFile {
  readonly id: string;
  readonly bytes: Buffer;
  /** Its entry in the list of labels; null where no list was given. */
  readonly label: LabelEntry['label'] | null;
}

/**
 * Reads images and their labels. Of a folder the PNG, JPEG and WebP files in it are read, by name; folders in it are not.
 *
 * @param labelsPath a list as `readLabels` takes it, paths relative to it; then every image must have a label, and entries
 *   of other files are ignored
 * @throws DomainError `validation_failed` with every file that cannot be read or has no label
 */
export async function readImages(paths: readonly string[], labelsPath?: string): Promise<ImageFile[]> {
  const faults: Fault[] = [];
  const labels = labelsPath === undefined ? null : await labelsOf(labelsPath, faults);
  const files: ImageFile[] = [];
  for (const path of await expand(paths, faults)) {
    try {
      const bytes = await readFile(path);
      const label = labels?.get(resolve(path)) ?? null;
      if (bytes.length === 0) faults.push({ pointer: path, detail: 'is empty' });
      else if (labels !== null && labels.size > 0 && label === null)
        faults.push({ pointer: path, detail: `has no label in ${labelsPath}` });
      files.push({ id: path, bytes, label });
    } catch (error) {
      faults.push({ pointer: path, detail: `cannot be read (${reason(error)})` });
    }
  }
  refuseFaults(faults);
  return files;
}

/** The images as inputs of a request. @param labels the model's names of its classes */
export function imageInputs(files: readonly ImageFile[], labels: readonly string[]): InputBody[] {
  const faults: Fault[] = [];
  const inputs = files.map(({ id, bytes, label }): InputBody => {
    const image = bytes.toString('base64');
    if (label === null) return { id, image };
    const found = classOf(label, labels);
    if (typeof found === 'number') return { id, image, label: found };
    faults.push({ pointer: id, detail: `its label ${found}` });
    return { id, image };
  });
  refuseFaults(faults);
  return inputs;
}

/** The number of the class that a label means, or what is wrong with it. */
function classOf(label: string | number, names: readonly string[]): number | string {
  if (typeof label === 'number') return label;
  const named = names.indexOf(label);
  if (!/^\d+$/.test(label)) {
    return named >= 0
      ? named
      : `${JSON.stringify(label)} is neither a class number nor a name of the model's`;
  }
  const number = Number(label);
  if (named < 0 || named === number) return number;
  return `${label} is a class number and the name of class ${named}: write the number of the class as its name`;
}

async function expand(paths: readonly string[], faults: Fault[]): Promise<string[]> {
  const expanded: string[] = [];
  for (const path of paths) {
    const isFolder = await stat(path).then(
      (found) => found.isDirectory(),
      () => false,
    );
    if (!isFolder) {
      expanded.push(path);
      continue;
    }
    const names = (await readdir(path)).filter((name) => IMAGE.test(name)).toSorted();
    if (names.length === 0) faults.push({ pointer: path, detail: 'has no PNG, JPEG or WebP file in it' });
    expanded.push(...names.map((name) => join(path, name)));
  }
  return expanded;
}

async function labelsOf(path: string, faults: Fault[]): Promise<ReadonlyMap<string, string | number>> {
  try {
    const entries = readLabels(await readFile(path, 'utf8'));
    return new Map(entries.map(({ file, label }) => [resolve(dirname(path), file), label]));
  } catch (error) {
    faults.push({ pointer: '--labels', detail: `${path}: ${reason(error)}` });
    return new Map();
  }
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error && error.code === 'ENOENT' ? 'there is no such file' : error.message;
}
