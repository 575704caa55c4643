import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { InputBody } from '../contract/request.ts';
import type { Fault } from '../errors.ts';
import { refuseFaults } from './usage-error.ts';

/** An entry of a `labels.json`: a file beside it, and its class number. */
export interface LabelEntry {
  readonly file: string;
  readonly label: number;
  readonly source?: string;
}

/**
 * Reads images and the labels of those that have one, as inputs of a request; an input's id is the path as given.
 *
 * @param labelsPath a JSON file `[{ "file", "label" }]`, paths relative to it; entries of other files are ignored
 * @throws DomainError `validation_failed` with every file that cannot be read
 */
export async function readImages(paths: readonly string[], labelsPath?: string): Promise<InputBody[]> {
  const faults: Fault[] = [];
  const labels = labelsPath === undefined ? new Map<string, number>() : await labelsOf(labelsPath, faults);
  const inputs: InputBody[] = [];
  for (const path of paths) {
    try {
      const image = (await readFile(path)).toString('base64');
      const label = labels.get(resolve(path));
      if (image === '') faults.push({ pointer: path, detail: 'is empty' });
      inputs.push({ id: path, image, ...(label === undefined ? {} : { label }) });
    } catch (error) {
      faults.push({ pointer: path, detail: `cannot be read (${reason(error)})` });
    }
  }
  refuseFaults(faults);
  return inputs;
}

async function labelsOf(path: string, faults: Fault[]): Promise<Map<string, number>> {
  try {
    const entries = parseLabels(await readFile(path, 'utf8'));
    return new Map(entries.map(({ file, label }) => [resolve(dirname(path), file), label]));
  } catch (error) {
    faults.push({ pointer: '--labels', detail: `${path}: ${reason(error)}` });
    return new Map();
  }
}

/** The entries of a `labels.json`. @throws Error that says which entry is wrong */
export function parseLabels(text: string): LabelEntry[] {
  const value: unknown = JSON.parse(text);
  if (!Array.isArray(value)) throw new Error('must be a list of { "file", "label" }');
  return value.map((entry: Partial<LabelEntry> | null, index) => {
    const { file, label } = entry ?? {};
    if (typeof file !== 'string' || !Number.isInteger(label) || (label ?? -1) < 0) {
      throw new Error(`entry ${index} must have a file and a class number as its label`);
    }
    return entry as LabelEntry;
  });
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error && error.code === 'ENOENT' ? 'there is no such file' : error.message;
}
