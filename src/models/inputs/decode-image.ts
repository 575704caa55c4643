import fastq from 'fastq';
import sharp from 'sharp';
import { DomainError, messageOf } from '../../errors.ts';
import type { ImageTaker } from '../manifest.ts';
import { checkImageHeader } from './image-header.ts';

// libvips keeps decoded operations in a cache by default; inputs are decoded once, so it would only hold memory.
sharp.cache(false);

// libvips tries every loader that it has on unknown bytes, SVG and PDF renderers among them. Only those of the three
// formats may see what a client has sent.
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({
  operation: ['VipsForeignLoadPng', 'VipsForeignLoadJpeg', 'VipsForeignLoadWebp'],
});

/** Seconds that one image may take; the largest that a model takes is done in one. */
const MOST_SECONDS = 20;
// A decoder holds a thread of the process's pool, which has four for files, names and decoders alike: two are left free.
const decoders = fastq.promise(decode, 2);

/**
 * Decodes an image into the model's layout with nothing lost: no resizing, no colour management (the stored values are what
 * is certified). A grey image has its value in each channel of an rgb model; one in colours whose every pixel is grey has
 * that value for a grey model.
 *
 * @returns pixels 0..255 in the manifest's layout, without batch
 * @throws DomainError what `checkImageHeader` throws, `input_undecodable` where the compressed data are damaged, or
 *   `input_unsupported` for colours where the model takes grey
 */
export async function decodeImage(bytes: Uint8Array, manifest: ImageTaker): Promise<Uint8Array> {
  const { height, width, channels, layout, colourSpace } = manifest.input;
  const file = checkImageHeader(bytes, manifest);
  const stored = file.colour === 'grey' && channels === 1 ? 1 : 3;
  const pixels = await decoders
    .push({ file: Buffer.concat(file.pixelParts), pixels: height * width, channels: stored })
    .catch(undecodable);
  if (pixels.length !== height * width * stored) {
    throw new DomainError('input_undecodable', 'the image cannot be decoded: it is not what its header says');
  }
  if (channels === 1) return stored === 1 ? pixels : greyOf(pixels, width);
  const ordered = colourSpace === 'bgr' ? mirrored(pixels) : pixels;
  return layout === 'NHWC' ? ordered : planar(ordered, channels);
}

interface Work {
  readonly file: Buffer;
  readonly pixels: number;
  readonly channels: 1 | 3;
}

function decode({ file, pixels, channels }: Work): Promise<Buffer> {
  const options = {
    failOn: 'warning',
    limitInputPixels: pixels,
    limitInputChannels: 4,
    ignoreIcc: true,
    animated: false,
  } as const;
  return sharp(file, options)
    .toColourspace(channels === 1 ? 'b-w' : 'srgb')
    .raw({ depth: 'uchar' })
    .timeout({ seconds: MOST_SECONDS })
    .toBuffer();
}

/** Maps libvips's complaint to an error of the table, without its multi-line detail. */
function undecodable(cause: unknown): never {
  const words = messageOf(cause).split('\n')[0];
  const detail = `the image cannot be decoded: its compressed data are damaged (${words})`;
  throw new DomainError('input_undecodable', detail, [], { cause });
}

function greyOf(pixels: Uint8Array, width: number): Uint8Array {
  const grey = new Uint8Array(pixels.length / 3);
  for (let pixel = 0; pixel < grey.length; pixel += 1) {
    const [red, green, blue] = [pixels[3 * pixel]!, pixels[3 * pixel + 1]!, pixels[3 * pixel + 2]!];
    if (red !== green || red !== blue) {
      const at = `column ${pixel % width} of row ${Math.floor(pixel / width)} is (${red}, ${green}, ${blue})`;
      throw new DomainError(
        'input_unsupported',
        `the image has colours and the model takes grey; convert it to one channel (${at})`,
      );
    }
    grey[pixel] = red;
  }
  return grey;
}

/** RGB to BGR, and back. */
export function mirrored(interleaved: Uint8Array): Uint8Array {
  return interleaved.map((_, index) => interleaved[index - (index % 3) + 2 - (index % 3)]!);
}

/** Interleaved pixels (HWC) to planes (CHW). */
function planar(interleaved: Uint8Array, channels: number): Uint8Array {
  const pixels = interleaved.length / channels;
  const planes = new Uint8Array(interleaved.length);
  for (let channel = 0; channel < channels; channel += 1) {
    for (let pixel = 0; pixel < pixels; pixel += 1) {
      planes[channel * pixels + pixel] = interleaved[pixel * channels + channel]!;
    }
  }
  return planes;
}
