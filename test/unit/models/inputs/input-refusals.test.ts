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
      /has 16 bits a channel; 8 are read/,
    ],
    ['an alpha channel', () => blank(4).png().toBuffer(), /alpha channel; flatten it first/],
    [
      'a rotation in its metadata',
      () => blank(3).withMetadata({ orientation: 6 }).jpeg().toBuffer(),
      /rotated/,
    ],
    ['four inks', () => blank(3).toColourspace('cmyk').jpeg().toBuffer(), /four inks \(CMYK\)/],
  ])('with %s', async (_, make, reason) => {
    const { code, message } = await refusal('image', await make(), rgb);
    expect(code).toBe('input_unsupported');
    expect(message).toMatch(reason);
  });

  test('in colour for a grey model', async () => {
    const { code, message } = await refusal('image', await blank(3).png().toBuffer(), grey);
    expect(code).toBe('input_unsupported');
    expect(message).toBe(
      'the image has colours and the model takes grey; convert it to one channel (column 0 of row 0 is (200, 10, 10))',
    );
  });
});

describe('bytes that are no image that is read are input_undecodable, and the refusal names what they are', () => {
  const text = (value: string) => async () => Buffer.from(value, 'latin1');
  test.each<[string, () => Promise<Buffer>]>([
    ['empty', async () => Buffer.alloc(0)],
    ['zeros', async () => Buffer.alloc(4_096)],
    ['text', text('not an image')],
    ['base64 text of an image', async () => Buffer.from((await greyPng(7)).toString('base64'))],
    ['a data: URI', text('data:image/png;base64,iVBORw0KGgo=')],
    ['a GIF file', () => blank(3).gif().toBuffer()],
    ['a TIFF file', () => blank(3).tiff().toBuffer()],
    ['an AVIF file', () => blank(3).avif().toBuffer()],
    ['a HEIC file', text('\0\0\0\x18ftypheic\0\0\0\0mif1heic')],
    ['a JPEG XL file', text('\xff\x0a\xfa\x07')],
    ['a JPEG 2000 file', text('\0\0\0\x0cjP  \r\n\x87\n')],
    ['a BMP file', text('BM\x36\x0c\0\0\0\0\0\0\x36')],
    ['an icon (ICO)', text('\0\0\x01\0\x01\0\x10\x10')],
    ['a PDF file', text('%PDF-1.7\n%\xe2\xe3\xcf\xd3')],
    ['a ZIP archive', text('PK\x03\x04\x14\0\0\0')],
    ['a NumPy file', text('\x93NUMPY\x01\0v\0{')],
    ['an SVG image', text('<svg xmlns="http://www.w3.org/2000/svg" width="28" height="28"/>')],
    ['HTML', text('<!DOCTYPE html><html>')],
    ['of no format that is known', text('\x01\x02\x03\x04\x05\x06')],
  ])('%s', async (what, make) => {
    const { code, message } = await refusal('image', await make(), rgb);
    expect(code).toBe('input_undecodable');
    expect(message).toBe(`the image is ${what}; send a PNG, JPEG or WebP file`);
  });

  test.each<[string, (encode: Sharp) => Sharp]>([
    ['PNG', (made) => made.png()],
    ['JPEG', (made) => made.jpeg()],
    ['lossy WebP', (made) => made.webp()],
    ['lossless WebP', (made) => made.webp({ lossless: true })],
  ])('a %s that was cut off', async (_, encode) => {
    const bytes = await encode(blank(3)).toBuffer();
    for (let length = 13; length < bytes.length; length += 1) {
      const { code, message } = await refusal('image', bytes.subarray(0, length), rgb);
      expect(code).toBe('input_undecodable');
      expect(message).toBe('the image cannot be read: the file is cut off');
    }
  });
});
