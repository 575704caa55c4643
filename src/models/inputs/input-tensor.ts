import { createHash } from 'node:crypto';
import { DomainError } from '../../errors.ts';
import { type ImageTaker, inputElements, inputShape } from '../manifest.ts';
import { decodeImage } from './decode-image.ts';

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
 * Turns an input into the model's uint8 tensor, losing nothing.
 *
 * @throws DomainError `input_undecodable`, `input_wrong_shape` or `input_unsupported`
 */
export async function toInputTensor(
  kind: InputKind,
  bytes: Uint8Array,
  manifest: ImageTaker,
): Promise<InputTensor> {
  const pixels = kind === 'tensor' ? checkTensorLength(bytes, manifest) : await decodeImage(bytes, manifest);
  return { bytes: pixels, digest: createHash('sha256').update(pixels).digest('hex') };
}

/** Refuses tensor bytes of a wrong number; `input_wrong_shape`. */
export function checkTensorLength(bytes: Uint8Array, manifest: ImageTaker): Uint8Array {
  if (bytes.length !== inputElements(manifest)) {
    const shape = inputShape(manifest).join(' x ');
    throw new DomainError(
      'input_wrong_shape',
      `the tensor has ${bytes.length} bytes; the model takes ${shape} = ${inputElements(manifest)}`,
    );
  }
  return bytes;
}
