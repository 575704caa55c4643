import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { createPainter } from '../../../src/report/pictures.ts';
import { toInputTensor } from '../../../src/models/inputs/input-tensor.ts';
import type { Manifest } from '../../../src/models/manifest.ts';
import { gaussianCutpoints } from '../../../src/random/cutpoints.ts';
import { deriveNoiseStream, PURPOSE } from '../../../src/random/noise-stream.ts';
import { referenceNoise } from '../../../src/random/reference.ts';
import { aCertificate, aResult, SEED } from '../../support/certification-samples.ts';

function manifest(
  channels: 1 | 3,
  layout: 'NCHW' | 'NHWC' = 'NCHW',
  colourSpace = channels === 1 ? 'grey' : 'rgb',
): Manifest {
  return { input: { height: 4, width: 5, channels, layout, colourSpace } } as Manifest;
}

async function png(channels: 1 | 3): Promise<Buffer> {
  const pixels = Uint8Array.from({ length: 20 * channels }, (_, index) => (index * 37) % 256);
  return sharp(pixels, { raw: { width: 5, height: 4, channels } })
    .toColourspace(channels === 1 ? 'b-w' : 'srgb')
    .png()
    .toBuffer();
}

async function pixelsOf(uri: string, channels: 1 | 3): Promise<number[]> {
  const [head, data] = uri.split(',');
  expect(head).toBe('data:image/png;base64');
  const image = sharp(Buffer.from(data!, 'base64')).toColourspace(channels === 1 ? 'b-w' : 'srgb');
  return [...(await image.raw().toBuffer())];
}

describe('createPainter', () => {
  it.each([
    [1, 'NCHW', 'grey'],
    [3, 'NCHW', 'rgb'],
    [3, 'NHWC', 'rgb'],
    [3, 'NCHW', 'bgr'],
    [3, 'NHWC', 'bgr'],
  ] as const)('shows an image of %i channels in layout %s %s as it is', async (channels, layout, colours) => {
    const bytes = await png(channels);
    const { clean } = await createPainter(manifest(channels, layout, colours), 0.25)(
      bytes,
      aResult({ certificate: null }),
    );
    const expected = Array.from({ length: 20 * channels }, (_, index) => (index * 37) % 256);
    expect(await pixelsOf(clean, channels)).toEqual(expected);
  });

  it("shows the first counted sample of the certificate's own noise, clipped to what a screen has", async () => {
    const bytes = await png(1);
    const { digest } = await toInputTensor('image', bytes, manifest(1));
    const certificate = aCertificate({
      sigma: 0.25,
      input: { digest, shape: [1, 4, 5], layout: 'NCHW', index: 7 },
    });
    const { noisy } = await createPainter(manifest(1), 0.25)(bytes, aResult({ certificate }));
    const stream = await deriveNoiseStream(Buffer.from(SEED, 'hex'), Buffer.from(digest, 'hex'), 7);
    const law = gaussianCutpoints(0.25);
    const expected = Array.from({ length: 20 }, (_, index) => {
      const value = ((index * 37) % 256) + referenceNoise(law, stream, PURPOSE.estimation, 0, index);
      return Math.min(255, Math.max(0, value));
    });
    expect(await pixelsOf(noisy!, 1)).toEqual(expected);
    expect(expected.filter((value) => value === 0 || value === 255).length).toBeGreaterThan(0);
  });

  it('has no noise to show without a certificate', async () => {
    const result = aResult({ certificate: null });
    expect((await createPainter(manifest(1), 0.25)(await png(1), result)).noisy).toBeNull();
  });
});
