import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import type { DomainError } from '../../../../src/errors.ts';
import { checkImageHeader } from '../../../../src/models/inputs/image-header.ts';
import { toInputTensor } from '../../../../src/models/inputs/input-tensor.ts';
import type { Manifest } from '../../../../src/models/manifest.ts';
import { domainFault } from '../../../support/domain-fault.ts';
import {
  type Chunk,
  exifBlock,
  jpegSegment,
  jpegWith,
  PNG_END,
  PNG_SIGNATURE,
  pngChunk,
  pngFile,
  pngHeader,
  pngRows,
  riffChunk,
  webpCanvas,
  webpFile,
  webpImage,
} from '../../../support/image-bytes.ts';
import { imageInput, manifestOf } from '../../../support/model-folder.ts';

// Files that cost a decoder far more than they weigh. Each is real; none may cost more than the passes over its bytes.

const SIZE = 28;
const MEBIBYTE = 1024 * 1024;
const grey: Manifest = manifestOf('grey', { files: {}, input: imageInput(SIZE, SIZE), classes: 2 });
const rgb: Manifest = manifestOf('rgb', { files: {}, input: imageInput(SIZE, SIZE, 3, 'NHWC'), classes: 2 });
const nothing = new Uint8Array(0);

let jpeg: Buffer;
let progressive: Buffer;
let webp: Buffer;
let pixels: Buffer;

beforeAll(async () => {
  const made = sharp({ create: { width: SIZE, height: SIZE, channels: 3, background: '#c80a0a' } });
  jpeg = await made.clone().jpeg().toBuffer();
  progressive = await made.clone().jpeg({ progressive: true }).toBuffer();
  webp = await made.clone().webp({ lossless: true }).toBuffer();
  pixels = await made.clone().raw().toBuffer();
});

/** Runs `action` and answers its value, after checking what it took: no more memory and processor time than a few passes. */
async function bounded<Value>(action: () => Value | Promise<Value>): Promise<Value> {
  const before = { memory: process.memoryUsage().rss, processor: process.cpuUsage() };
  const value = await action();
  const { user, system } = process.cpuUsage(before.processor);
  // Unbounded, these files take seconds to hours and up to gigabytes.
  expect(user + system, 'microseconds of processor').toBeLessThan(2_000_000);
  expect(process.memoryUsage().rss - before.memory, 'bytes').toBeLessThan(160 * MEBIBYTE);
  return value;
}

/** The refusal of a header check, which decodes nothing and takes no thread. */
async function refusal(bytes: Uint8Array, manifest = rgb): Promise<Pick<DomainError, 'code' | 'message'>> {
  const { code, message } = await bounded(() => domainFault(() => checkImageHeader(bytes, manifest)));
  return { code, message };
}

async function decoded(bytes: Uint8Array, manifest = rgb): Promise<Buffer> {
  return Buffer.from((await bounded(() => toInputTensor('image', bytes, manifest))).bytes);
}

const ANIMATED = { code: 'input_unsupported', message: 'the image is animated; send one frame' };
const rows = pngRows(...Array.from({ length: SIZE }, () => Array<number>(SIZE).fill(7)));
const greyPng = (...between: readonly Chunk[]): Buffer =>
  pngFile([pngHeader(SIZE, SIZE, 8, 0), ...between, rows, PNG_END]);
const SEVENS = Buffer.alloc(SIZE * SIZE, 7);

describe('animation is refused by what the file says, before any frame is looked at', () => {
  const frames = (count: number): readonly Chunk[] => {
    const frame = Buffer.concat([Buffer.alloc(16), riffChunk(webpImage(webp))]);
    frame.writeUIntLE(SIZE - 1, 6, 3);
    frame.writeUIntLE(SIZE - 1, 9, 3);
    return Array.from({ length: count }, () => ['ANMF', frame] as const);
  };

  test('in a WebP of 60,000 frames', async () => {
    const file = webpFile([webpCanvas(0x02, SIZE, SIZE), ['ANIM', new Uint8Array(6)], ...frames(60_000)]);
    expect(file.length).toBeGreaterThan(2 * MEBIBYTE);
    expect(await refusal(file)).toEqual(ANIMATED);
  });

  test('in a WebP that denies it', async () => {
    expect(await refusal(webpFile([webpCanvas(0, SIZE, SIZE), ...frames(2)]))).toEqual(ANIMATED);
    expect(await refusal(webpFile([webpCanvas(0x02, SIZE, SIZE), webpImage(webp)]))).toEqual(ANIMATED);
  });

  test('in an animated PNG, of three frames or of 20,000', async () => {
    const control = Buffer.alloc(8);
    const frame: readonly Chunk[] = [
      ['fcTL', new Uint8Array(26)],
      ['fdAT', Buffer.concat([Buffer.alloc(4), rows[1]])],
    ];
    for (const count of [3, 20_000]) {
      control.writeUInt32BE(count, 0);
      const more = Array.from({ length: count - 1 }, () => frame).flat();
      const file = pngFile([
        pngHeader(SIZE, SIZE, 8, 0),
        ['acTL', control],
        frame[0]!,
        rows,
        ...more,
        PNG_END,
      ]);
      expect(await refusal(file, grey)).toEqual(ANIMATED);
    }
  });
});

describe('more parts than any encoder makes are refused', () => {
  const tooMany = (what: string) => ({
    code: 'input_undecodable',
    message: `the image cannot be read: it has more than 65536 ${what}`,
  });
  const million = (part: Buffer): Buffer => Buffer.alloc(part.length * 1_000_000, part);

  test('in a PNG', async () => {
    const head = [PNG_SIGNATURE, pngChunk(pngHeader(SIZE, SIZE, 8, 0))];
    for (const type of ['tEXt', 'IDAT']) {
      const file = Buffer.concat([...head, million(pngChunk([type, nothing]))]);
      expect(await refusal(file, grey)).toEqual(tooMany('chunks'));
    }
  });

  test('in a JPEG', async () => {
    expect(await refusal(jpegWith(jpeg, million(jpegSegment(0xfe, nothing))))).toEqual(tooMany('segments'));
    const file = jpegWith(jpeg, million(jpegSegment(0xdd, Buffer.alloc(2))));
    expect(await refusal(file)).toEqual(tooMany('segments'));
  });

  test('in a WebP', async () => {
    const chunks = million(riffChunk(['XMP ', nothing]));
    const file = webpFile([webpCanvas(0, SIZE, SIZE), webpImage(webp)]);
    const whole = Buffer.concat([file, chunks]);
    whole.writeUInt32LE(whole.length - 8, 4);
    expect(await refusal(whole)).toEqual(tooMany('chunks'));
  });

  test('as scans of a progressive JPEG, each of which is a pass over the whole image', async () => {
    expect(await decoded(progressive)).toHaveLength(pixels.length);
    const scan = progressive.lastIndexOf(Buffer.from([0xff, 0xda]));
    const scans = Array<Buffer>(101).fill(progressive.subarray(scan, -2));
    const file = Buffer.concat([progressive.subarray(0, -2), ...scans, progressive.subarray(-2)]);
    expect(await refusal(file)).toEqual({
      code: 'input_undecodable',
      message: 'the image cannot be read: it has more than 100 scans',
    });
  });
});

describe('what holds no pixels costs nothing and changes none', () => {
  /** 256 MiB of zeros as 256 KiB. */
  const bomb = deflateSync(Buffer.alloc(256 * MEBIBYTE), { level: 9 });
  const deep = exifBlock(Array.from({ length: 65_535 }, () => [0x010f, 1] as const));

  test('text and profiles of a PNG that unpack to hundreds of megabytes', async () => {
    const packed = (name: string): Buffer => Buffer.concat([Buffer.from(`${name}\0\0`), bomb]);
    const international = Buffer.concat([Buffer.from('a\0\x01\0\0\0'), bomb]);
    expect(await decoded(greyPng(['iCCP', packed('icc')]), grey)).toEqual(SEVENS);
    const texts = Array.from({ length: 20 }, (_, index): Chunk => ['zTXt', packed(`text ${index}`)]);
    expect(await decoded(greyPng(...texts, ['iTXt', international]), grey)).toEqual(SEVENS);
  });

  test('EXIF blocks of 65,535 tags, in each format', async () => {
    expect(await decoded(greyPng(['eXIf', deep]), grey)).toEqual(SEVENS);
    const extended = webpFile([webpCanvas(0x08, SIZE, SIZE), webpImage(webp), ['EXIF', deep]]);
    expect(await decoded(extended)).toEqual(pixels);
    const most = Buffer.concat([Buffer.from('Exif\0\0'), deep]).subarray(0, 65_533);
    expect(await decoded(jpegWith(jpeg, jpegSegment(0xe1, most)))).toEqual(await decoded(jpeg));
  });

  test('colour profiles of 16 MiB', async () => {
    const profile = Buffer.alloc(16 * MEBIBYTE, 1);
    const extended = webpFile([webpCanvas(0x20, SIZE, SIZE), ['ICCP', profile], webpImage(webp)]);
    expect(await decoded(extended)).toEqual(pixels);
    const part = Buffer.concat([Buffer.from('ICC_PROFILE\0\x01\xff', 'latin1'), Buffer.alloc(65_000, 1)]);
    const segments = Array<Buffer>(255).fill(jpegSegment(0xe2, part));
    expect(await decoded(jpegWith(jpeg, ...segments))).toEqual(await decoded(jpeg));
  });

  test('a second file behind the end: a ZIP archive, a page, another image', async () => {
    for (const tail of ['PK\x03\x04', '<script>alert(1)</script>', 'GIF89a']) {
      const behind = Buffer.alloc(MEBIBYTE, tail);
      expect(await decoded(Buffer.concat([greyPng(), behind]), grey)).toEqual(SEVENS);
      expect(await decoded(Buffer.concat([jpeg, behind]))).toEqual(await decoded(jpeg));
      expect(await decoded(Buffer.concat([webp, behind]))).toEqual(pixels);
    }
  });

  test('but an orientation among them is seen, wherever it stands', async () => {
    const turned = exifBlock([...Array.from({ length: 1_000 }, () => [0x010f, 1] as const), [0x0112, 6]]);
    const files = [
      greyPng(['eXIf', turned]),
      pngFile([pngHeader(SIZE, SIZE, 8, 0), rows, ['eXIf', turned], PNG_END]),
      jpegWith(jpeg, jpegSegment(0xe1, Buffer.concat([Buffer.from('Exif\0\0'), turned]))),
      webpFile([webpCanvas(0x08, SIZE, SIZE), webpImage(webp), ['EXIF', turned]]),
    ];
    for (const file of files) expect((await refusal(file)).message).toContain('EXIF orientation');
  });
});

describe('sizes that lie', () => {
  const huge = {
    code: 'input_wrong_shape',
    message: 'the image is 20000 x 20000 pixels (width x height); the model takes 28 x 28',
  };

  test('of 20,000 x 20,000 pixels are refused by the header', async () => {
    const line = deflateSync(Buffer.alloc(60_001 * 100), { level: 9 });
    expect(await refusal(pngFile([pngHeader(20_000, 20_000, 8, 2), ['IDAT', line], PNG_END]))).toEqual(huge);
    const wide = Buffer.from(jpeg);
    const frame = wide.indexOf(Buffer.from([0xff, 0xc0]));
    wide.writeUInt16BE(20_000, frame + 5);
    wide.writeUInt16BE(20_000, frame + 7);
    expect(await refusal(wide)).toEqual(huge);
    // WebP holds no image of more than 16,383 pixels a side; a canvas may claim to be larger.
    expect(await refusal(webpFile([webpCanvas(0, 20_000, 20_000), webpImage(webp)]))).toMatchObject({
      code: 'input_undecodable',
    });
  });

  test('that differ between container and image are refused', async () => {
    expect((await refusal(webpFile([webpCanvas(0, 56, 56), webpImage(webp)]))).message).toContain('canvas');
    const twice = webpFile([webpCanvas(0, SIZE, SIZE), webpImage(webp), webpImage(webp)]);
    expect((await refusal(twice)).message).toContain('two images');
    const frame = jpeg.subarray(jpeg.indexOf(Buffer.from([0xff, 0xc0])));
    const again = jpegWith(jpeg, frame.subarray(0, 2 + frame.readUInt16BE(2)));
    expect((await refusal(again)).message).toContain('frame header');
  });

  test('are no way to unpack more than the pixels: image data of 256 MiB behind a header of 28 x 28', async () => {
    const data = deflateSync(Buffer.alloc(256 * MEBIBYTE), { level: 9 });
    const file = pngFile([pngHeader(SIZE, SIZE, 8, 0), ['IDAT', data], PNG_END]);
    const outcome = await bounded(() =>
      toInputTensor('image', file, grey).then(
        ({ bytes }) => bytes.every((value) => value === 0),
        (error: DomainError) => error.code === 'input_undecodable',
      ),
    );
    expect(outcome).toBe(true);
  });
});
