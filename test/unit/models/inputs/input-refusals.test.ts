import sharp, { type Sharp } from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import { DomainError } from '../../../../src/errors.ts';
import { toInputTensor } from '../../../../src/models/inputs/input-tensor.ts';
import type { Manifest } from '../../../../src/models/manifest.ts';
import { openModelStore } from '../../../../src/models/store.ts';
import { greyPng, MODELS } from '../../../support/api.ts';

let grey: Manifest;
let rgb: Manifest;

beforeAll(async () => {
  grey = (await openModelStore(MODELS)).find('mnist-cnn')!.manifest;
  rgb = { ...grey, input: { ...grey.input, channels: 3, colourSpace: 'rgb' } };
});

const blank = (channels: 3 | 4, width = 28): Sharp =>
  sharp({ create: { width, height: 28, channels, background: { r: 200, g: 10, b: 10, alpha: 0.5 } } });

async function refusal(
  kind: 'image' | 'tensor',
  bytes: Uint8Array,
  manifest: Manifest,
): Promise<DomainError> {
  const error = await toInputTensor(kind, bytes, manifest).then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(DomainError);
  return error as DomainError;
}

describe('an input of another shape is input_wrong_shape', () => {
  test('as an image, with both sizes', async () => {
    const { code, message } = await refusal('image', await blank(3, 30).png().toBuffer(), rgb);
    expect(code).toBe('input_wrong_shape');
    expect(message).toBe('the image is 30 x 28 pixels (width x height); the model takes 28 x 28');
  });

  test.each([0, 783, 785])('as a tensor of %i bytes', async (length) => {
    const { code, message } = await refusal('tensor', Buffer.alloc(length), grey);
    expect(code).toBe('input_wrong_shape');
    expect(message).toBe(`the tensor has ${length} bytes; the model takes 1 x 28 x 28 = 784`);
  });
});

describe('an image that cannot be mapped without loss is input_unsupported', () => {
  test.each<[string, () => Promise<Buffer>, RegExp]>([
    [
      '16 bits a channel',
      () => blank(3).toColourspace('rgb16').png().toBuffer(),
      /has ushort samples; 8 bits/,
    ],
    ['an alpha channel', () => blank(4).png().toBuffer(), /alpha channel; flatten it first/],
    [
      'a rotation in its metadata',
      () => blank(3).withMetadata({ orientation: 6 }).jpeg().toBuffer(),
      /rotated/,
    ],
    ['four inks', () => blank(3).toColourspace('cmyk').jpeg().toBuffer(), /colour space is cmyk/],
  ])('with %s', async (_, make, reason) => {
    const { code, message } = await refusal('image', await make(), rgb);
    expect(code).toBe('input_unsupported');
    expect(message).toMatch(reason);
  });

  test('in colour for a grey model', async () => {
    const { code, message } = await refusal('image', await blank(3).png().toBuffer(), grey);
    expect(code).toBe('input_unsupported');
    expect(message).toBe("the image's colour space is srgb; a grey model takes b-w");
  });
});

describe('bytes that are no image that is read are input_undecodable', () => {
  test.each<[string, () => Promise<Buffer>]>([
    ['nothing', async () => Buffer.alloc(0)],
    ['text', async () => Buffer.from('not an image')],
    ['another format', () => blank(3).gif().toBuffer()],
    ['a file that was cut off', async () => (await greyPng(7)).subarray(0, 60)],
  ])('%s', async (_, make) => {
    const { code } = await refusal('image', await make(), rgb);
    expect(code).toBe('input_undecodable');
  });
});
