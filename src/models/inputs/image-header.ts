import sharp, { type Sharp } from 'sharp';
import { DomainError } from '../../errors.ts';
import type { Manifest } from '../manifest.ts';

/** Image formats that are read: the common ones whose pixels are 8 bits a channel. */
export const IMAGE_FORMATS = ['png', 'jpeg', 'webp'] as const;

// libvips keeps decoded operations in a cache by default; inputs are decoded once, so it would only hold memory.
sharp.cache(false);

// libvips tries every loader that it has on unknown bytes, SVG and PDF renderers among them. Only those of the three
// formats may see what a client has sent.
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({
  operation: ['VipsForeignLoadPng', 'VipsForeignLoadJpeg', 'VipsForeignLoadWebp'],
});

/**
 * Opens encoded bytes with everything that could change pixels or exhaust memory turned off or bounded: no colour
 * management (the stored values are what is certified), no more pixels than the model takes, any damage is an error.
 */
export function openImage(bytes: Uint8Array, manifest: Manifest): Sharp {
  const { height, width } = manifest.input;
  return sharp(bytes, {
    failOn: 'warning',
    limitInputPixels: height * width,
    limitInputChannels: 4,
    ignoreIcc: true,
    animated: false,
  });
}

/**
 * Reads an image's header and checks that its pixels map onto the model's input without loss.
 *
 * @throws DomainError `input_undecodable` (not a PNG, JPEG or WebP), `input_wrong_shape`, or `input_unsupported` (more
 *   than 8 bits a channel, transparency, animation, a colour image for a grey model, a rotation stored as metadata)
 */
export async function checkImageHeader(bytes: Uint8Array, manifest: Manifest): Promise<void> {
  const { height, width, colourSpace } = manifest.input;
  // The decoder takes no empty buffer at all.
  if (bytes.length === 0) throw new DomainError('input_undecodable', 'the image is empty');
  // The header is read without the pixel limit, so that a wrong size is reported as one; no pixel is decoded here.
  const metadata = await sharp(bytes, { limitInputPixels: false }).metadata().catch(undecodable);
  if (!IMAGE_FORMATS.some((format) => format === metadata.format)) {
    throw new DomainError(
      'input_undecodable',
      `${metadata.format} images are not read; send PNG, JPEG or WebP`,
    );
  }
  if (metadata.width !== width || metadata.height !== height) {
    const found = `${metadata.width} x ${metadata.height}`;
    throw new DomainError(
      'input_wrong_shape',
      `the image is ${found} pixels (width x height); the model takes ${width} x ${height}`,
    );
  }
  if (metadata.depth !== 'uchar') {
    throw new DomainError(
      'input_unsupported',
      `the image has ${metadata.depth} samples; 8 bits a channel are read`,
    );
  }
  if (metadata.hasAlpha) {
    throw new DomainError('input_unsupported', 'the image has an alpha channel; flatten it first');
  }
  if ((metadata.pages ?? 1) > 1) throw new DomainError('input_unsupported', 'the image is animated');
  if ((metadata.orientation ?? 1) !== 1) {
    throw new DomainError(
      'input_unsupported',
      'the image asks to be rotated (EXIF orientation); apply that first',
    );
  }
  const allowed = colourSpace === 'grey' ? ['b-w'] : ['srgb', 'b-w'];
  if (!allowed.includes(metadata.space)) {
    throw new DomainError(
      'input_unsupported',
      `the image's colour space is ${metadata.space}; a ${colourSpace} model takes ${allowed.join(' or ')}`,
    );
  }
}

/** Maps libvips's complaint to an error of the table, without its multi-line detail. */
export function undecodable(cause: unknown): never {
  const reason = cause instanceof Error ? cause.message.split('\n')[0]! : String(cause);
  throw new DomainError('input_undecodable', `the image cannot be decoded: ${reason}`, [], { cause });
}
