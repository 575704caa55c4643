import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Grey images with their classes, as the IDX files hold them. */
export interface Dataset {
  readonly count: number;
  readonly height: number;
  readonly width: number;
  /** count · height · width pixels 0 to 255, image after image, row after row. */
  readonly images: Uint8Array;
  /** One class for each image. */
  readonly labels: Uint8Array;
}

const UNSIGNED_BYTE = 0x08;

/**
 * Reads `<split>-images.idx` and `<split>-labels.idx` of a folder that fetch-data.mjs filled.
 *
 * @param classes how many there are; every label is below it
 * @throws Error that names the file, for anything that is not a set of labelled grey images
 */
export async function readDataset(
  directory: string,
  split: 'train' | 'test',
  classes: number,
): Promise<Dataset> {
  const path = (part: string): string => join(directory, `${split}-${part}.idx`);
  const images = await readIdx(path('images'), 3);
  const labels = await readIdx(path('labels'), 1);
  const [count, height, width] = images.sizes as [number, number, number];
  if (labels.sizes[0] !== count) {
    throw new Error(`${path('labels')} has ${labels.sizes[0]} labels for ${count} images`);
  }
  const wrong = labels.body.findIndex((label) => label >= classes);
  if (wrong >= 0) {
    throw new Error(
      `${path('labels')}: label ${wrong} is ${labels.body[wrong]}; there are ${classes} classes`,
    );
  }
  return { count, height, width, images: images.body, labels: labels.body };
}

/** Image `index` of a set: a view, not a copy. */
export function imageOf({ images, height, width }: Dataset, index: number): Uint8Array {
  const elements = height * width;
  return images.subarray(index * elements, (index + 1) * elements);
}

/** IDX: two zero bytes, the type of the elements, the number of dimensions, their sizes as big-endian words, elements. */
async function readIdx(path: string, dimensions: number): Promise<{ sizes: number[]; body: Uint8Array }> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new Error(`${path} cannot be read; node training/fetch-data.mjs gets the data`, { cause });
  });
  const header = 4 + 4 * dimensions;
  if (bytes.length < header || bytes.readUInt32BE(0) !== UNSIGNED_BYTE * 2 ** 8 + dimensions) {
    throw new Error(`${path} is no IDX file of bytes in ${dimensions} dimensions`);
  }
  const sizes = Array.from({ length: dimensions }, (_, axis) => bytes.readUInt32BE(4 + 4 * axis));
  const expected = sizes.reduce((product, size) => product * size, 1);
  const body = bytes.subarray(header);
  if (expected === 0 || body.length !== expected) {
    throw new Error(`${path} has ${body.length} elements where ${sizes.join(' x ')} are stated`);
  }
  return { sizes, body };
}
