import { crc32, deflateSync } from 'node:zlib';

// Image files written by hand, part by part: what no encoder here would make.

export type Chunk = readonly [type: string, data: Uint8Array];

const NOTHING = new Uint8Array(0);
export const PNG_SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
export const PNG_END: Chunk = ['IEND', NOTHING];

/** A PNG file of these chunks, each with its length and its CRC. */
export function pngFile(chunks: readonly Chunk[]): Buffer {
  return Buffer.concat([PNG_SIGNATURE, ...chunks.map(pngChunk)]);
}

export function pngChunk([type, data]: Chunk): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}

/** The header chunk: bit depth, colour type (0 grey, 2 rgb, 3 palette), not interlaced. */
export function pngHeader(width: number, height: number, depth: number, colour: number): Chunk {
  const data = Buffer.alloc(13);
  data.writeUInt32BE(width, 0);
  data.writeUInt32BE(height, 4);
  data.set([depth, colour, 0, 0, 0], 8);
  return ['IHDR', data];
}

/** Image data of rows without a filter. */
export function pngRows(...lines: readonly (readonly number[])[]): Chunk {
  return ['IDAT', deflateSync(Uint8Array.from(lines.flatMap((line) => [0, ...line])))];
}

/** A grey PNG that is whole in every part, and whose image data no decoder can unpack. */
export function undecodablePng(size = 28): Buffer {
  return pngFile([pngHeader(size, size, 8, 0), ['IDAT', Buffer.from('not deflated')], PNG_END]);
}

/** A JPEG segment: marker, length, content. */
export function jpegSegment(marker: number, content: Uint8Array): Buffer {
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(content.length + 2, 2);
  return Buffer.concat([head, content]);
}

/** A JPEG file with these bytes put in right after its first marker. */
export function jpegWith(file: Buffer, ...inserted: readonly Uint8Array[]): Buffer {
  return Buffer.concat([file.subarray(0, 2), ...inserted, file.subarray(2)]);
}

/** A RIFF chunk, padded to an even length. */
export function riffChunk([type, data]: Chunk): Buffer {
  const head = Buffer.alloc(8);
  head.write(type, 'latin1');
  head.writeUInt32LE(data.length, 4);
  return Buffer.concat([head, data, Buffer.alloc(data.length % 2)]);
}

/** A WebP file of these chunks. */
export function webpFile(chunks: readonly Chunk[]): Buffer {
  const body = Buffer.concat([Buffer.from('WEBP'), ...chunks.map(riffChunk)]);
  return Buffer.concat([riffChunk(['RIFF', body]).subarray(0, 8 + body.length)]);
}

/** The chunk of an extended WebP file: its flags (0x02 animation, 0x10 alpha, 0x08 EXIF, 0x20 profile) and its canvas. */
export function webpCanvas(flags: number, width: number, height: number): Chunk {
  const data = Buffer.alloc(10);
  data[0] = flags;
  data.writeUIntLE(width - 1, 4, 3);
  data.writeUIntLE(height - 1, 7, 3);
  return ['VP8X', data];
}

/** The image chunk of a simple WebP file. */
export function webpImage(file: Buffer): Chunk {
  return [file.toString('latin1', 12, 16), file.subarray(20, 20 + file.readUInt32LE(16))];
}

/** An EXIF block, big-endian, of entries that hold one short each. */
export function exifBlock(entries: readonly (readonly [tag: number, value: number])[]): Buffer {
  const block = Buffer.alloc(8 + 2 + 12 * entries.length + 4);
  block.write('MM\0*', 'latin1');
  block.writeUInt32BE(8, 4);
  block.writeUInt16BE(entries.length, 8);
  for (const [index, [tag, value]] of entries.entries()) {
    const at = 10 + 12 * index;
    block.writeUInt16BE(tag, at);
    block.writeUInt16BE(3, at + 2);
    block.writeUInt32BE(1, at + 4);
    block.writeUInt16BE(value, at + 8);
  }
  return block;
}
