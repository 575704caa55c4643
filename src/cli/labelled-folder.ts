import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type ImageFile, readImages } from './image-files.ts';
import { usageError } from './usage-error.ts';

const LISTS = ['labels.csv', 'labels.json'];

/**
 * Reads a folder of images with their labels: a labels.csv or labels.json in it, or a folder of images for each class,
 * by its name or number.
 *
 * @throws DomainError `validation_failed` where it is neither, or with every file that cannot be read
 */
export async function readLabelledFolder(option: string, folder: string): Promise<ImageFile[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => {
    throw usageError({ pointer: option, detail: `${folder} cannot be read` });
  });
  const list = LISTS.find((name) => entries.some((entry) => entry.name === name));
  if (list !== undefined) return readImages([folder], join(folder, list));
  const classes = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name).toSorted(); // prettier-ignore
  if (classes.length === 0) {
    const detail = `${folder} has neither ${LISTS.join(' nor ')}, nor a folder of images for each class`;
    throw usageError({ pointer: option, detail });
  }
  const files: ImageFile[] = [];
  for (const label of classes) {
    for (const file of await readImages([join(folder, label)])) files.push({ ...file, label });
  }
  return files;
}
