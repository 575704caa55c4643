import { createHash } from 'node:crypto';
import { DomainError } from '../../errors.ts';
import { checkImageHeader, openImage, undecodable } from './image-header.ts';
import { inputElements, inputShape, type Manifest } from '../manifest.ts';

/** An input as it was sent: an encoded image, or the bytes of the exact uint8 tensor in the model's layout. */
export type InputKind = 'image' | 'tensor';

/** The exact uint8 tensor that is certified. */
export interface InputTensor {
  /** Pixels 0..255 in the manifest's layout, without batch. */
  readonly bytes: Uint8Array;
  /** SHA-256 of `bytes`, 64 hexadecimal digits. */
  readonly digest: string;
}

/**
 * Turns an input into the model's uint8 tensor, losing nothing: no resizing, no colour management. A grey image for an
 * rgb model has its value in each of the three channels.
 *
 * @throws DomainError `input_undecodable`, `input_wrong_shape` or `input_unsupported`
 */
export async function toInputTensor(
  kind: InputKind,
  bytes: Uint8Array,
  manifest: Manifest,
): Promise<InputTensor> {
  const pixels = kind === 'tensor' ? checkTensorLength(bytes, manifest) : await decode(bytes, manifest);
  return { bytes: pixels, digest: createHash('sha256').update(pixels).digest('hex') };
}

/** Refuses tensor bytes of a wrong number; `input_wrong_shape`. */
export function checkTensorLength(bytes: Uint8Array, manifest: Manifest): Uint8Array {
  if (bytes.length !== inputElements(manifest)) {
    const shape = inputShape(manifest).join(' x ');
    throw new DomainError(
      'input_wrong_shape',
      `the tensor has ${bytes.length} bytes; the model takes ${shape} = ${inputElements(manifest)}`,
    );
  }
  return bytes;
}

async function decode(bytes: Uint8Array, manifest: Manifest): Promise<Uint8Array> {
  await checkImageHeader(bytes, manifest);
  const { channels, layout } = manifest.input;
  const { data, info } = await openImage(bytes, manifest)
    .toColourspace(channels === 1 ? 'b-w' : 'srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true })
    .catch(undecodable);
  if (info.channels !== channels) {
    throw new DomainError(
      'input_unsupported',
      `the image decodes to ${info.channels} channels, not ${channels}`,
    );
  }
  return layout === 'NHWC' || channels === 1 ? data : planar(data, channels);
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
