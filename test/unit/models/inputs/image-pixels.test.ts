import { createHash } from 'node:crypto';
import sharp, { type Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import { checkTensorLength, toInputTensor } from '../../../../src/models/inputs/input-tensor.ts';
import type { Manifest } from '../../../../src/models/manifest.ts';
import { domainFault } from '../../../support/domain-fault.ts';
import {
  PNG_END as END,
  pngFile as png,
  pngHeader as header,
  pngRows as rows,
} from '../../../support/image-bytes.ts';
import { imageInput, manifestOf } from '../../../support/model-folder.ts';

const HEIGHT = 5;
const WIDTH = 7;

function manifest(
  channels: 1 | 3,
  layout: 'NCHW' | 'NHWC' = 'NHWC',
  height = HEIGHT,
  width = WIDTH,
): Manifest {
  return manifestOf('image', { files: {}, input: imageInput(height, width, channels, layout), classes: 2 });
}

/** All grey levels and colours are about as likely: no picture, so that any filter would show. */
function pixels(channels: number, height = HEIGHT, width = WIDTH): Uint8Array {
  return Uint8Array.from({ length: height * width * channels }, (_, index) => (index * 97 + 13) % 256);
}

function image(channels: 1 | 3 | 4, data = pixels(channels), height = HEIGHT, width = WIDTH): Sharp {
  const made = sharp(data, { raw: { width, height, channels } });
  return channels === 1 ? made.toColourspace('b-w') : made;
}

async function decode(bytes: Uint8Array, model: Manifest): Promise<number[]> {
  return [...(await toInputTensor('image', bytes, model)).bytes];
}

async function refusal(bytes: Uint8Array, model = manifest(3)): Promise<[string, string]> {
  const { code, message } = await domainFault(() => toInputTensor('image', bytes, model));
  return [code, message];
}

describe('the pixels of an image', () => {
  const LOSSLESS: Readonly<Record<string, (made: Sharp) => Sharp>> = {
    PNG: (made) => made.png(),
    'interlaced PNG': (made) => made.png({ progressive: true }),
    'lossless WebP': (made) => made.webp({ lossless: true }),
  };
  for (const [name, encode] of Object.entries(LOSSLESS)) {
    it(`are those that were stored, in the order of rows, columns and channels: rgb ${name}`, async () => {
      const bytes = await encode(image(3)).toBuffer();
      expect(await decode(bytes, manifest(3))).toEqual([...pixels(3)]);
    });
  }

  for (const encode of [LOSSLESS['PNG']!, LOSSLESS['interlaced PNG']!]) {
    it('are those that were stored in a grey PNG', async () => {
      const bytes = await encode(image(1)).toBuffer();
      expect(await decode(bytes, manifest(1))).toEqual([...pixels(1)]);
    });
  }

  it('are what the decoder gives of a JPEG, without any change after it', async () => {
    for (const channels of [1, 3] as const) {
      const bytes = await image(channels).jpeg({ quality: 95, chromaSubsampling: '4:4:4' }).toBuffer();
      const opened = channels === 1 ? sharp(bytes).extractChannel(0) : sharp(bytes);
      const plain = await opened.raw().toBuffer();
      expect(await decode(bytes, manifest(channels))).toEqual([...plain]);
    }
  });

  it('are planes, one a channel, for a model of layout NCHW', async () => {
    const bytes = await image(3).png().toBuffer();
    const stored = pixels(3);
    const planes = [0, 1, 2].flatMap((channel) => [...stored].filter((_, index) => index % 3 === channel));
    expect(await decode(bytes, manifest(3, 'NCHW'))).toEqual(planes);
    const grey = await image(1).png().toBuffer();
    expect(await decode(grey, manifest(1, 'NCHW'))).toEqual([...pixels(1)]);
  });

  it('have blue before red for a bgr model, interleaved or in planes', async () => {
    const bytes = await image(3).png().toBuffer();
    const bgr = (layout: 'NCHW' | 'NHWC'): Manifest => {
      const { input, ...rest } = manifest(3, layout);
      return { ...rest, input: { ...input, colourSpace: 'bgr' } };
    };
    const planes = await decode(bytes, manifest(3, 'NCHW'));
    const [red, green, blue] = [0, 1, 2].map((at) => planes.slice(at * 35, (at + 1) * 35));
    expect(await decode(bytes, bgr('NCHW'))).toEqual([...blue!, ...green!, ...red!]);
    const interleaved = blue!.flatMap((each, pixel) => [each, green![pixel]!, red![pixel]!]);
    expect(await decode(bytes, bgr('NHWC'))).toEqual(interleaved);
  });

  it('of a grey image are three times the value for an rgb model', async () => {
    const bytes = await image(1).png().toBuffer();
    const stored = [...pixels(1)];
    expect(await decode(bytes, manifest(3))).toEqual(stored.flatMap((value) => [value, value, value]));
    expect(await decode(bytes, manifest(3, 'NCHW'))).toEqual([...stored, ...stored, ...stored]);
  });

  it('of a file in colours whose every pixel is grey are those greys for a grey model', async () => {
    const grey = [...pixels(1)];
    const coloured = image(3, Uint8Array.from(grey.flatMap((value) => [value, value, value])));
    for (const encode of Object.values(LOSSLESS)) {
      expect(await decode(await encode(coloured).toBuffer(), manifest(1))).toEqual(grey);
    }
    const palette = Uint8Array.of(1, 1, 1, 250, 250, 250);
    const indexed = png([header(2, 1, 8, 3), ['PLTE', palette], rows([1, 0]), END]);
    expect(await decode(indexed, manifest(1, 'NHWC', 1, 2))).toEqual([250, 1]);
  });

  it('of a JPEG in colours whose every pixel is grey are what the decoder gives of the same JPEG in grey', async () => {
    const grey = pixels(1);
    const coloured = image(3, Uint8Array.from([...grey].flatMap((value) => [value, value, value])));
    const [one, three] = await Promise.all([
      image(1, grey).jpeg({ quality: 95 }).toBuffer(),
      coloured.jpeg({ quality: 95 }).toBuffer(),
    ]);
    expect((await sharp(three).metadata()).channels).toBe(3);
    expect(await decode(three, manifest(1))).toEqual(await decode(one, manifest(1)));
  });

  it('of a palette are the colours of the palette', async () => {
    const palette = Uint8Array.of(1, 2, 3, 250, 251, 252, 10, 200, 90);
    const bytes = png([header(2, 2, 8, 3), ['PLTE', palette], rows([0, 1], [2, 1]), END]);
    const expected = [1, 2, 3, 250, 251, 252, 10, 200, 90, 250, 251, 252];
    expect(await decode(bytes, manifest(3, 'NHWC', 2, 2))).toEqual(expected);
  });

  it('of fewer than 8 bits are spread evenly over 0 to 255', async () => {
    // PNG (third edition), section 13.12: value * 255 / (2^depth - 1).
    const one = png([header(4, 1, 1, 0), rows([0b01100000]), END]);
    expect(await decode(one, manifest(1, 'NHWC', 1, 4))).toEqual([0, 255, 255, 0]);
    const two = png([header(4, 1, 2, 0), rows([0b00011011]), END]);
    expect(await decode(two, manifest(1, 'NHWC', 1, 4))).toEqual([0, 85, 170, 255]);
    const four = png([header(2, 1, 4, 0), rows([0x5f]), END]);
    expect(await decode(four, manifest(1, 'NHWC', 1, 2))).toEqual([85, 255]);
  });

  it('are not changed by a colour profile', async () => {
    for (const profile of ['p3', 'srgb']) {
      const tagged = image(3).withIccProfile(profile, { attach: true }).png();
      const bytes = await tagged.toBuffer();
      expect((await sharp(bytes).metadata()).hasProfile).toBe(true);
      // Attaching converts once, when the file is made; what it stored is read as it is.
      const stored = await sharp(bytes, { ignoreIcc: true }).raw().toBuffer();
      expect(await decode(bytes, manifest(3))).toEqual([...stored]);
    }
  });

  it('are not changed by a gamma or by chromaticities', async () => {
    const gamma = Buffer.alloc(4);
    gamma.writeUInt32BE(100_000, 0);
    const bytes = png([header(2, 1, 8, 2), ['gAMA', gamma], rows([9, 99, 199, 10, 100, 200]), END]);
    expect(await decode(bytes, manifest(3, 'NHWC', 1, 2))).toEqual([9, 99, 199, 10, 100, 200]);
  });

  it('are decoded for an orientation that asks for no rotation', async () => {
    const bytes = await image(3).withMetadata({ orientation: 1 }).png().toBuffer();
    expect(await decode(bytes, manifest(3))).toEqual([...pixels(3)]);
  });

  it('have the digest of exactly these bytes', async () => {
    const tensor = await toInputTensor('image', await image(3).png().toBuffer(), manifest(3, 'NCHW'));
    expect(tensor.digest).toBe(createHash('sha256').update(tensor.bytes).digest('hex'));
    const same = await toInputTensor('tensor', tensor.bytes, manifest(3, 'NCHW'));
    expect(same).toEqual({ bytes: tensor.bytes, digest: tensor.digest });
  });
});

describe('an image is refused', () => {
  it('with 16 bits a channel, grey or rgb', async () => {
    const wide = image(3).toColourspace('rgb16').png();
    expect(await refusal(await wide.toBuffer())).toEqual([
      'input_unsupported',
      'the image has 16 bits a channel; 8 are read',
    ]);
    const grey = png([header(1, 1, 16, 0), rows([1, 2]), END]);
    expect((await refusal(grey, manifest(1, 'NHWC', 1, 1)))[0]).toBe('input_unsupported');
  });

  it('with transparency, as a channel or as a transparent colour', async () => {
    for (const made of [image(4).png(), image(4).webp({ lossless: true })])
      expect((await refusal(await made.toBuffer()))[1]).toContain('alpha channel');
    const colour = png([header(1, 1, 8, 2), ['tRNS', Uint8Array.of(0, 1, 0, 2, 0, 3)], rows([1, 2, 3]), END]);
    expect((await refusal(colour, manifest(3, 'NHWC', 1, 1)))[0]).toBe('input_unsupported');
  });

  it('with an orientation, in any format that can hold one', async () => {
    for (let orientation = 2; orientation <= 8; orientation += 1) {
      for (const format of ['png', 'jpeg', 'webp'] as const) {
        const bytes = await image(3).withMetadata({ orientation }).toFormat(format).toBuffer();
        expect((await refusal(bytes))[1], `${format} ${orientation}`).toContain('rotated');
      }
    }
  });

  it('with several frames', async () => {
    const frames = sharp(pixels(3, 2 * HEIGHT), {
      raw: { width: WIDTH, height: 2 * HEIGHT, channels: 3, pageHeight: HEIGHT },
    });
    const bytes = await frames.webp({ lossless: true, loop: 0 }).toBuffer();
    expect((await sharp(bytes).metadata()).pages).toBe(2);
    expect(await refusal(bytes)).toEqual(['input_unsupported', 'the image is animated; send one frame']);
  });

  it('in colour for a grey model, naming the first pixel that has one', async () => {
    const nearly = new Uint8Array(HEIGHT * WIDTH * 3).fill(77);
    nearly[3 * (2 * WIDTH + 4) + 2] = 78;
    for (const made of [image(3, nearly).png(), image(3, nearly).webp({ lossless: true })]) {
      expect(await refusal(await made.toBuffer(), manifest(1))).toEqual([
        'input_unsupported',
        'the image has colours and the model takes grey; convert it to one channel (column 4 of row 2 is (77, 77, 78))',
      ]);
    }
  });

  it('where it is turned, though it has as many pixels', async () => {
    const bytes = await image(3, pixels(3), WIDTH, HEIGHT).png().toBuffer();
    expect((await refusal(bytes))[0]).toBe('input_wrong_shape');
  });

  it('where it is cut off anywhere, or damaged', async () => {
    for (const made of [image(3).png(), image(3).webp({ lossless: true }), image(3).jpeg()]) {
      const bytes = await made.toBuffer();
      for (const share of [0.02, 0.3, 0.6, 0.9])
        expect((await refusal(bytes.subarray(0, Math.floor(share * bytes.length))))[0]).toBe(
          'input_undecodable',
        );
    }
    const whole = png([header(2, 1, 8, 0), rows([1, 2]), END]);
    const damaged = Uint8Array.from(whole);
    damaged[whole.length - 20]! ^= 0xff;
    expect((await refusal(damaged, manifest(1, 'NHWC', 1, 2)))[0]).toBe('input_undecodable');
    const short = png([header(2, 2, 8, 0), rows([1, 2]), END]);
    expect((await refusal(short, manifest(1, 'NHWC', 2, 2)))[0]).toBe('input_undecodable');
  });

  it('by its header alone where that claims to be huge: nothing of that size is allocated', async () => {
    const bomb = png([header(60_000, 60_000, 8, 2), rows([1, 2, 3]), END]);
    const before = process.memoryUsage().rss;
    const [code, message] = await refusal(bomb);
    expect(code).toBe('input_wrong_shape');
    expect(message).toContain('60000 x 60000');
    // The pixels would take 10.8 GB.
    expect(process.memoryUsage().rss - before).toBeLessThan(500e6);
  });

  it('in formats that are not read, though the decoder could', async () => {
    const svg = Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}"/>`);
    for (const bytes of [svg, await image(3).gif().toBuffer(), await image(3).tiff().toBuffer()])
      expect((await refusal(bytes))[0]).toBe('input_undecodable');
  });
});

describe('a tensor', () => {
  it('is taken as it is, by its length', async () => {
    const bytes = pixels(3);
    const tensor = await toInputTensor('tensor', bytes, manifest(3, 'NCHW'));
    expect(tensor.bytes).toBe(bytes);
    expect(checkTensorLength(bytes, manifest(3))).toBe(bytes);
    for (const length of [0, 104, 106]) {
      const fault = await domainFault(() => checkTensorLength(new Uint8Array(length), manifest(3)));
      expect(fault.code).toBe('input_wrong_shape');
      expect(fault.message).toBe(`the tensor has ${length} bytes; the model takes 5 x 7 x 3 = 105`);
    }
  });
});
