import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { imageOf, readDataset } from '../../training/tensorflow/dataset.ts';
import { useTemporaryDirectory } from '../support/temporary-directory.ts';

// Two images of 2 rows and 3 columns, in the format that http://yann.lecun.com/exdb/mnist/ describes: 0x00000803 (bytes,
// three dimensions), the sizes as big-endian words, the pixels row after row; labels with 0x00000801.
const IMAGES = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6, 0, 0, 0, 255, 254, 253];
const LABELS = [0, 0, 8, 1, 0, 0, 0, 2, 7, 9];

const directory = useTemporaryDirectory();

describe('a data set', () => {
  let folder: string;
  beforeEach(async () => {
    folder = directory('idx');
    await mkdir(folder, { recursive: true });
  });
  const write = async (images: readonly number[], labels: readonly number[]): Promise<void> => {
    await writeFile(join(folder, 'test-images.idx'), Uint8Array.from(images));
    await writeFile(join(folder, 'test-labels.idx'), Uint8Array.from(labels));
  };

  it('is read pixel by pixel and label by label', async () => {
    await write(IMAGES, LABELS);
    const dataset = await readDataset(folder, 'test', 10);
    expect(dataset).toMatchObject({ count: 2, height: 2, width: 3 });
    expect([...dataset.labels]).toEqual([7, 9]);
    expect([...imageOf(dataset, 0)]).toEqual([1, 2, 3, 4, 5, 6]);
    expect([...imageOf(dataset, 1)]).toEqual([0, 0, 0, 255, 254, 253]);
  });

  it.each([
    [
      'images that are cut off',
      IMAGES.slice(0, -1),
      LABELS,
      /test-images\.idx has 11 elements where 2 x 2 x 3/,
    ],
    ['images with bytes after them', [...IMAGES, 0], LABELS, /has 13 elements/],
    [
      'a header that is cut off',
      IMAGES.slice(0, 12),
      LABELS,
      /test-images\.idx is no IDX file of bytes in 3/,
    ],
    ['labels in place of images', LABELS, LABELS, /test-images\.idx is no IDX file/],
    ['elements that are not bytes', [0, 0, 9, ...IMAGES.slice(3)], LABELS, /test-images\.idx is no IDX file/],
    ['no image at all', [0, 0, 8, 3, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 3], LABELS, /0 x 2 x 3/],
    ['a label for each image but one', IMAGES, [0, 0, 8, 1, 0, 0, 0, 1, 7], /has 1 labels for 2 images/],
    ['a label without a class', IMAGES, [...LABELS.slice(0, -1), 10], /label 1 is 10; there are 10 classes/],
  ])('is refused with %s', async (_, images, labels, message) => {
    await write(images, labels);
    await expect(readDataset(folder, 'test', 10)).rejects.toThrow(message);
  });

  it('is refused by the name of the file that is missing', async () => {
    await expect(readDataset(folder, 'train', 10)).rejects.toThrow(/train-images\.idx cannot be read; node/);
  });
});
