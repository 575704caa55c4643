import { DomainError } from '../../errors.ts';
import type { ImageTaker } from '../manifest.ts';
import type { ImageFile } from './image-file.ts';
import { readImageFile } from './read-image-file.ts';

/**
 * Reads an image's structure and checks that its pixels may map onto the model's input without loss. No pixel is decoded:
 * a grey model takes a file in colours, which `decodeImage` refuses unless every pixel is grey.
 *
 * @throws DomainError `input_undecodable` (not a whole PNG, JPEG or WebP file), `input_wrong_shape`, or `input_unsupported`
 *   (more than 8 bits a channel, transparency, animation, four inks, a rotation stored as metadata)
 */
export function checkImageHeader(bytes: Uint8Array, manifest: ImageTaker): ImageFile {
  const { height, width } = manifest.input;
  const file = readImageFile(bytes);
  if (file.width !== width || file.height !== height) {
    const found = `${file.width} x ${file.height}`;
    throw new DomainError(
      'input_wrong_shape',
      `the image is ${found} pixels (width x height); the model takes ${width} x ${height}`,
    );
  }
  const refusal = unsupported(file);
  if (refusal !== null) throw new DomainError('input_unsupported', refusal);
  return file;
}

function unsupported({ bitsPerChannel, alpha, animated, orientation, colour }: ImageFile): string | null {
  if (animated) return 'the image is animated; send one frame';
  if (bitsPerChannel !== 8) return `the image has ${bitsPerChannel} bits a channel; 8 are read`;
  if (alpha) return 'the image has an alpha channel; flatten it first';
  if (orientation !== 1) return 'the image asks to be rotated (EXIF orientation); apply that first';
  if (colour === 'cmyk') return 'the image has four inks (CMYK); convert it to RGB';
  return null;
}
