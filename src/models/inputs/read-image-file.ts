import { DomainError } from '../../errors.ts';
import type { ImageFile } from './image-file.ts';
import { describeBytes, type ImageFormat, imageFormat } from './image-format.ts';
import { readJpeg } from './jpeg-file.ts';
import { readPng } from './png-file.ts';
import { readWebp } from './webp-file.ts';

const READERS: Readonly<Record<ImageFormat, (bytes: Buffer) => ImageFile>> = {
  png: readPng,
  jpeg: readJpeg,
  webp: readWebp,
};

/**
 * Reads the structure of a PNG, JPEG or WebP file in one pass over its parts, in memory and time that its length bounds.
 *
 * @throws DomainError `input_undecodable` where it is none of these, is cut off, or is damaged where that shows
 */
export function readImageFile(bytes: Uint8Array): ImageFile {
  const format = imageFormat(bytes);
  if (format === null) {
    const what = describeBytes(bytes);
    throw new DomainError('input_undecodable', `the image is ${what}; send a PNG, JPEG or WebP file`);
  }
  return READERS[format](Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
}
