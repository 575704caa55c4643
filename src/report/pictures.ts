import sharp from 'sharp';
import type { CertificationResult } from '../contract/resources.ts';
import { mirrored } from '../models/inputs/decode-image.ts';
import { type InputTensor, toInputTensor } from '../models/inputs/input-tensor.ts';
import { type ImageTaker, inputElements } from '../models/manifest.ts';
import { gaussianCutpoints } from '../random/cutpoints.ts';
import { NoiseKernel } from '../random/noise-kernel.ts';
import { deriveNoiseStream } from '../random/noise-stream.ts';

/** What a person sees of one input, as data URIs of PNG files. */
export interface Pictures {
  readonly clean: string;
  /** Null for an input without a certificate: its noise is not known. */
  readonly noisy: string | null;
}

/** Draws an image and what was decided of it. */
export type Painter = (image: Uint8Array, result: CertificationResult) => Promise<Pictures>;

/**
 * Draws inputs and the first noisy sample of their own certificates: the very noise that was counted, made by the same
 * kernel. What leaves [0,1] is clipped for the picture only; the network saw it as it was.
 *
 * @param sigma of every certificate that will be drawn
 */
export function createPainter(model: ImageTaker, sigma: number): Painter {
  const kernel = NoiseKernel.create({ elements: inputElements(model), rows: 1, output: { kind: 'grid' } });
  kernel.setLaw(gaussianCutpoints(sigma));
  return async (image, { certificate }) => {
    const tensor = await toInputTensor('image', image, model);
    const clean = await pngUri(tensor.bytes, model);
    if (certificate === null) return { clean, noisy: null };
    return { clean, noisy: await pngUri(await noisySample(kernel, tensor, certificate), model) };
  };
}

async function noisySample(
  kernel: NoiseKernel,
  { bytes, digest }: InputTensor,
  { noise, input }: NonNullable<CertificationResult['certificate']>,
): Promise<Uint8Array> {
  const stream = await deriveNoiseStream(
    Buffer.from(noise.seed, 'hex'),
    Buffer.from(digest, 'hex'),
    input.index,
  );
  kernel.fill({ row: 0, rows: 1, image: bytes, stream, purpose: 'estimation', firstSample: 0 });
  return Uint8ClampedArray.from(kernel.grid) as unknown as Uint8Array;
}

async function pngUri(pixels: Uint8Array, { input }: ImageTaker): Promise<string> {
  const { width, height, channels, layout, colourSpace } = input;
  const stored = layout === 'NCHW' && channels > 1 ? interleaved(pixels, channels) : Uint8Array.from(pixels);
  const bytes = colourSpace === 'bgr' ? mirrored(stored) : stored;
  const png = await sharp(bytes, { raw: { width, height, channels } })
    .png({ compressionLevel: 9 })
    .toBuffer();
  return `data:image/png;base64,${png.toString('base64')}`;
}

/** Planes (CHW) to interleaved pixels (HWC). */
function interleaved(planes: Uint8Array, channels: number): Uint8Array {
  const pixels = planes.length / channels;
  return Uint8Array.from(
    planes,
    (_, index) => planes[(index % channels) * pixels + Math.floor(index / channels)]!,
  );
}
